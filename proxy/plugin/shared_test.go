package plugin_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/proxy/plugin"
)

type thing struct {
	name   string
	closed *[]string
}

func (t *thing) Close() error {
	*t.closed = append(*t.closed, t.name)
	return nil
}

func TestWhatIsSharedIsMadeOnceAndClosedLastMadeFirst(t *testing.T) {
	var closed []string
	made := 0
	of := func(name string) func() (*thing, error) {
		return func() (*thing, error) {
			made++
			return &thing{name, &closed}, nil
		}
	}
	s := &plugin.Shared{}
	a, err := plugin.Share(s, "a", of("a"))
	require.NoError(t, err)
	b, err := plugin.Share(s, "b", of("b"))
	require.NoError(t, err)
	again, err := plugin.Share(s, "a", of("a"))
	require.NoError(t, err)
	assert.Same(t, a, again)
	assert.NotSame(t, a, b)
	assert.Equal(t, 2, made)

	_, err = plugin.Share(s, "c", func() (*thing, error) { return nil, errors.New("no") })
	require.EqualError(t, err, "no")
	_, err = plugin.Share(s, "c", of("c"))
	require.NoError(t, err, "what could not be made is tried again")

	require.NoError(t, s.Close())
	assert.Equal(t, []string{"c", "b", "a"}, closed)
	_, err = plugin.Share(s, "a", of("a"))
	require.Error(t, err)
}

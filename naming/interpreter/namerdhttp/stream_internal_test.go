package namerdhttp

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/naming/interpreter/remote"
)

func read(r io.Reader) (got []string, err error) {
	err = items(r, 1<<16, func(m json.RawMessage) { got = append(got, string(m)) })
	return got, err
}

func TestItems(t *testing.T) {
	var cut *remote.CutError
	got, err := read(strings.NewReader("{\"a\":1}\n[2]{}\n\n"))
	require.NoError(t, err)
	assert.Equal(t, []string{`{"a":1}`, `[2]`, `{}`}, got)

	got, err = read(iotest.OneByteReader(strings.NewReader("{\"a\":1}\n{\"b\"")))
	require.ErrorAs(t, err, &cut)
	assert.Len(t, got, 1)

	// Row 37: an error in a stream that has begun.
	got, err = read(strings.NewReader("{}\nMax recursion level reached\n"))
	require.EqualError(t, err, "namerd says: Max recursion level reached")
	assert.False(t, errors.As(err, &cut), "that is an answer")
	assert.Len(t, got, 1)

	_, err = read(strings.NewReader("<html>502</html>"))
	require.EqualError(t, err, "namerd says: <html>502</html>")

	_, err = read(io.MultiReader(strings.NewReader("{}"), iotest.ErrReader(errors.New("reset"))))
	require.ErrorAs(t, err, &cut)
	assert.ErrorContains(t, err, "reset")
}

// endless is a document without an end.
type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = '['
	}
	return len(b), nil
}

func TestItemsAreBounded(t *testing.T) {
	_, err := read(io.MultiReader(strings.NewReader(`{"a":"`), strings.NewReader(strings.Repeat("x", 1<<16))))
	require.ErrorIs(t, err, errItemTooLong)
	_, err = read(endless{})
	require.Error(t, err)
}

func FuzzItems(f *testing.F) {
	f.Add([]byte("{}\n[]\n"))
	f.Add([]byte("{}\nboom\n"))
	f.Add([]byte(`{"a":"`))
	f.Fuzz(func(t *testing.T, b []byte) {
		whole, err := read(strings.NewReader(string(b)))
		pieces, err2 := read(iotest.OneByteReader(strings.NewReader(string(b))))
		assert.Equal(t, whole, pieces)
		assert.Equal(t, err == nil, err2 == nil)
		for _, item := range whole {
			assert.True(t, json.Valid([]byte(item)))
		}
	})
}

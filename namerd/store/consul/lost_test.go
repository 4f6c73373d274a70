package consul_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/consul"
)

// TestLostAnswers is that an attempt whose answer was lost is found among what has been
// written since, and one that was not made is not; after a hundred others nobody can
// say.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	server := servers.StartConsul(t, servers.ConsulOptions{})
	s := open(t, at(t, server.Addr, consul.Config{}), consul.Options{})
	ctx, note, d := t.Context(), namerd.Note{}, dtab.MustParse("/a=>/b")
	for _, others := range []int{0, 1, 99, 100} {
		for _, kind := range []string{"create", "update", "delete"} {
			t.Run(fmt.Sprintf("%s, then %d others", kind, others), func(t *testing.T) {
				ns := fmt.Sprintf("%s-%d", kind, others)
				if kind != "create" {
					_, err := s.Put(ctx, ns, nil, note)
					require.NoError(t, err)
				}
				a, err := consul.NewAttempt(ctx, s, ns, "mine", d, kind == "delete")
				require.NoError(t, err)
				_, made, err := a.Made(ctx)
				require.NoError(t, err)
				assert.False(t, made, "nothing has happened since")
				want, made, err := a.Commit(ctx)
				require.NoError(t, err)
				require.True(t, made)
				for i := range others {
					_, err := s.Put(ctx, ns, dtab.MustParse(fmt.Sprintf("/svc=>/%d", i)), note)
					require.NoError(t, err)
				}
				v, made, err := a.Made(ctx)
				other := a.As("slower")
				if others == 100 {
					require.ErrorContains(t, err, "too many others")
					_, _, err = other.Made(ctx)
					require.ErrorContains(t, err, "too many others")
					return
				}
				require.NoError(t, err)
				assert.True(t, made)
				assert.Equal(t, want, v)

				_, made, err = other.Commit(ctx)
				require.NoError(t, err)
				require.False(t, made, "a second one from the same place")
				_, made, err = other.Made(ctx)
				require.NoError(t, err)
				assert.False(t, made)
			})
		}
	}
}

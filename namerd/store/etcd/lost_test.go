package etcd_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/etcd"
)

// TestLostAnswers is that an attempt whose answer was lost is found among what has been
// written since, however much that is, and one that was not made is not.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	server := servers.StartEtcd(t)
	s := open(t, etcd.Config{Endpoints: []string{server.URL}}, etcd.Options{})
	ctx, note, d := t.Context(), namerd.Note{}, dtab.MustParse("/a=>/b")
	for _, others := range []int{0, 1, 100, 101} {
		for _, kind := range []string{"create", "update", "delete"} {
			t.Run(fmt.Sprintf("%s, then %d others", kind, others), func(t *testing.T) {
				ns := fmt.Sprintf("%s-%d", kind, others)
				if kind != "create" {
					_, err := s.Put(ctx, ns, nil, note)
					require.NoError(t, err)
				}
				a, err := etcd.NewAttempt(ctx, s, ns, "mine", d, kind == "delete")
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
				require.NoError(t, err)
				assert.True(t, made)
				assert.Equal(t, want, v)

				other := a.As("slower")
				_, made, err = other.Commit(ctx)
				require.NoError(t, err)
				require.False(t, made, "a second one from the same place")
				_, made, err = other.Made(ctx)
				require.NoError(t, err)
				assert.False(t, made)
			})
		}
	}

	t.Run("nothing is left to tell", func(t *testing.T) {
		a, err := etcd.NewAttempt(ctx, s, "update-1", "mine", d, false)
		require.NoError(t, err)
		_, err = raw(t, server.URL).Delete(ctx, "/namerd/history/", clientv3.WithPrefix())
		require.NoError(t, err)
		_, _, err = a.Made(ctx)
		require.ErrorContains(t, err, "the history was deleted")
	})
}

package zk_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/zk"
)

// TestPruning has more deleted namespaces than keep a history.
func TestPruning(t *testing.T) {
	t.Parallel()
	server := servers.StartZooKeeper(t)
	s, err := zk.New(zk.Config{Addrs: []string{server.Addr}}, zk.Options{})
	require.NoError(t, err)
	defer s.Close()
	zk.SetPruning(s, 3, 10)
	ctx := t.Context()
	_, err = s.Create(ctx, "live", nil, namerd.Note{})
	require.NoError(t, err)
	for i := range 10 {
		_, err = s.Create(ctx, fmt.Sprint(i), nil, namerd.Note{})
		require.NoError(t, err)
	}
	for i := range 10 {
		require.NoError(t, s.Delete(ctx, fmt.Sprint(i), "", namerd.Note{}))
	}
	for ns, want := range map[string]int{"live": 1, "0": 0, "6": 0, "7": 2, "9": 2} {
		changes, err := s.History(ctx, ns, 100)
		require.NoError(t, err)
		assert.Len(t, changes, want, ns)
	}
	v, err := s.Create(ctx, "0", nil, namerd.Note{})
	require.NoError(t, err)
	got, err := s.Get(ctx, "0")
	require.NoError(t, err)
	assert.Equal(t, v, got.Version)
}

// TestRoot has namespaces that are children of the root, where ZooKeeper has one too.
func TestRoot(t *testing.T) {
	t.Parallel()
	server := servers.StartZooKeeper(t)
	s, err := zk.New(zk.Config{Addrs: []string{server.Addr}, PathPrefix: "/"}, zk.Options{})
	require.NoError(t, err)
	defer s.Close()
	_, err = s.Create(t.Context(), "web", nil, namerd.Note{})
	require.NoError(t, err)
	list, err := s.List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"web"}, list)
	for _, ns := range []string{"zookeeper", "dtabs-history"} {
		_, err = s.Put(t.Context(), ns, nil, namerd.Note{})
		require.ErrorIs(t, err, namerd.ErrInvalid)
	}
}

package zk_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/internal/storetest"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/zk"
)

// open returns a store that is closed with the test.
func open(t *testing.T, c zk.Config) *zk.Store {
	t.Helper()
	s, err := zk.New(c, zk.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// strict is a store to which the versions of namerd 1.7.5 mean nothing: to the contract
// they are strangers. TestLayout has what they are to this store.
type strict struct{ *zk.Store }

func (s strict) Update(ctx context.Context, ns string, d dtab.Dtab, v namerd.Version, note namerd.Note) (namerd.Version, error) {
	return s.Store.Update(ctx, ns, d, long(v), note)
}

func (s strict) Delete(ctx context.Context, ns string, v namerd.Version, note namerd.Note) error {
	return s.Store.Delete(ctx, ns, long(v), note)
}

// long makes a version of namerd 1.7.5 one that there is not.
func long(v namerd.Version) namerd.Version {
	if len(v) == 4 {
		return v + "x"
	}
	return v
}

func TestContract(t *testing.T) {
	server := servers.StartZooKeeper(t)
	storetest.Harness{
		Open: func(t *testing.T) namerd.Store {
			t.Helper()
			return strict{open(t, zk.Config{Addrs: []string{server.Addr}})}
		},
		Restart: func(t *testing.T) {
			t.Helper()
			server.Kill()
			time.Sleep(500 * time.Millisecond)
			server.Start()
		},
		BadNamespaces:  []string{"", ".", "..", "a/b", "/a", "a\x00", "a\nb", "\xff"},
		GoodNamespaces: []string{"...", "A_b-c.d", "a b", "zookeeper", "Ünïcode", "a%2fb", "dtabs-history"},
		Load:           storetest.Load{Handles: 2, Namespaces: 10, Writers: 300, Writes: 600},
	}.Run(t)
}

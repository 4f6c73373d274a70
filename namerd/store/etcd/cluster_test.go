package etcd_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/internal/storetest"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/etcd"
)

// pause waits for real servers, which fake clocks know nothing of.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// TestMembersDie kills one member after the other, the leader first, and starts it
// again, while there are writers with compare-and-swap and observers on two handles. No
// acknowledged write may be lost or made twice, observers arrive at the last one, and no
// call of the API fails.
func TestMembersDie(t *testing.T) {
	t.Parallel()
	cluster := servers.StartEtcdCluster(t)
	h := storetest.Harness{Open: func(t *testing.T) namerd.Store {
		t.Helper()
		return &strict{Store: open(t, etcd.Config{Endpoints: cluster.URLs()}, etcd.Options{Patience: 60 * time.Second}), t: t}
	}}
	writes := 400
	if os.Getenv("WEFT_SOAK") != "" {
		writes = 50000
	}
	kills := 0
	h.Concurrent(t, storetest.Load{Handles: 3, Namespaces: 5, Writers: 60, Writes: writes, Faults: func(ctx context.Context) {
		for pause(ctx, time.Second); ctx.Err() == nil; pause(ctx, 2*time.Second) {
			i := cluster.Leader()
			if kills%2 == 1 {
				i = (i + 1) % len(cluster.Members)
			}
			cluster.Members[i].Kill()
			kills++
			pause(ctx, 2*time.Second)
			cluster.Members[i].Start()
		}
	}})
	t.Logf("%d members were killed", kills)
	assert.Positive(t, kills)
}

// strict is a Store none of whose calls may fail but by the state of a namespace.
type strict struct {
	namerd.Store
	t *testing.T
}

func (s *strict) Get(ctx context.Context, ns string) (namerd.Stored, error) {
	st, err := s.Store.Get(ctx, ns)
	assert.NoError(s.t, err)
	return st, err
}

func (s *strict) Update(ctx context.Context, ns string, d dtab.Dtab, v namerd.Version, note namerd.Note) (namerd.Version, error) {
	made, err := s.Store.Update(ctx, ns, d, v, note)
	if err != nil {
		assert.ErrorIs(s.t, err, namerd.ErrMismatch)
	}
	return made, err
}

// TestMembersGoSilent pauses members, whose connections stay open: observers go on with
// another member, and writes are made.
func TestMembersGoSilent(t *testing.T) {
	t.Parallel()
	cluster := servers.StartEtcdCluster(t)
	s := open(t, etcd.Config{Endpoints: cluster.URLs()}, etcd.Options{Timeout: 2 * time.Second, Patience: 60 * time.Second})
	other := open(t, etcd.Config{Endpoints: cluster.URLs()}, etcd.Options{Timeout: 2 * time.Second, Patience: 60 * time.Second})
	src := other.Observe(t.Context(), "default")
	for i := range cluster.Members {
		cluster.Members[i].Pause()
		begin := time.Now()
		v, err := s.Put(t.Context(), "default", dtab.MustParse("/a=>/b"), namerd.Note{})
		require.NoError(t, err)
		wrote := time.Since(begin)
		comes(t, src, func(st namerd.Stored) bool { return st.Version == v })
		t.Logf("member %d: written after %v, seen after %v", i, wrote.Round(time.Millisecond), time.Since(begin).Round(time.Millisecond))
		cluster.Members[i].Resume()
		cluster.Members[i].AwaitReady()
	}
}

package etcd_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/naming/endpoints"

	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/naming/etcd"
)

// outage is how long things are broken.
func outage() time.Duration {
	if os.Getenv("WEFT_SOAK") != "" {
		return time.Minute
	}
	return 2 * time.Second
}

func host(t *testing.T, rawURL string) string {
	t.Helper()
	u, err := url.Parse(rawURL)
	require.NoError(t, err)
	return u.Host
}

// TestAgainstEtcd goes through what happens to services and to etcd, one after the
// other on one etcd.
func TestAgainstEtcd(t *testing.T) {
	server := servers.StartEtcd(t)
	s := newStore(t, server.URL)
	p := newProxy(t, host(t, server.URL))
	log := &journal{}
	n := newNamer(t, etcd.Config{Endpoints: []string{p.addr}}, etcd.Options{Logger: log.logger()})
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(log)
		}
	})

	t.Run("the life of a service", func(t *testing.T) {
		w := watch(t, n, "/life/of/users")
		w.promptly("unknown", "Neg")
		s.put("/weft/services/life/a", "10.0.0.1:80")
		w.promptly("created", "/#/io.l5d.etcd/life+/of/users: 10.0.0.1:80")
		release := w.guard("10.0.0.1:80")
		s.put("/weft/services/life/c", "10.0.0.3:80", "/weft/services/life/b", "[::1]:80", "/weft/services/lifeless/a", "10.9.9.9:80")
		w.promptly("scaled up", "/#/io.l5d.etcd/life+/of/users: 10.0.0.1:80 [::1]:80 10.0.0.3:80")
		s.delete("/weft/services/life/b", "/weft/services/life/c")
		w.promptly("scaled down", "/#/io.l5d.etcd/life+/of/users: 10.0.0.1:80")
		release()
		s.txn(clientv3.OpDelete("/weft/services/life/a"), clientv3.OpPut("/weft/services/life/x", "10.1.0.1:80"), clientv3.OpPut("/weft/services/life/y", "10.1.0.2:80"))
		w.promptly("replaced", "/#/io.l5d.etcd/life+/of/users: 10.1.0.1:80 10.1.0.2:80")
		s.delete("/weft/services/life/")
		w.promptly("deleted", "Neg")
		s.put("/weft/services/life/a", "10.0.0.1:81")
		w.promptly("recreated", "/#/io.l5d.etcd/life+/of/users: 10.0.0.1:81")
	})

	t.Run("values", func(t *testing.T) {
		s.put(
			"/weft/services/values/1", `{"addr": "10.0.0.1:80", "weight": 0.5, "meta": {"zone": "eu", "rack": 7}}`,
			"/weft/services/values/2", `{"addr": "10.0.0.2:80", "weight": 0}`,
			"/weft/services/values/3", `junk`,
			"/weft/services/values/4", `10.0.0.1:80`,
			"/weft/services/values/5", `users.internal:80`,
			"/weft/services/values/deep/6", `10.0.0.6:80`,
		)
		w := watch(t, n, "/values")
		w.comes("/#/io.l5d.etcd/values: 10.0.0.1:80*0.5map[rack:7 zone:eu] 10.0.0.2:80*0 10.0.0.6:80")
		rev := s.put("/weft/services/values/deep/6", `junk too`)
		eventually(t, "1", func() string { return fmt.Sprint(log.count(fmt.Sprint("revision=", rev))) })
		w.stays("/#/io.l5d.etcd/values: 10.0.0.1:80*0.5map[rack:7 zone:eu] 10.0.0.2:80*0 10.0.0.6:80", 50*time.Millisecond)
		assert.Equal(t, 1, log.count("/weft/services/values/3"))
		assert.Equal(t, 1, log.count("/weft/services/values/5"))
		state, ok := n.State().(etcd.Status)
		require.True(t, ok)
		assert.Equal(t, uint64(3), state.Malformed)
		assert.True(t, state.Connected)
		s.delete("/weft/services/values/")
		w.comes("Neg")
		s.put("/weft/services/values/3", `junk`)
		w.comes("/#/io.l5d.etcd/values:")
	})

	t.Run("the registry of etcd's module", func(t *testing.T) {
		em, err := endpoints.NewManager(s.Client, "/weft/services/module")
		require.NoError(t, err)
		require.NoError(t, em.AddEndpoint(t.Context(), "/weft/services/module/a", endpoints.Endpoint{Addr: "10.0.0.1:80", Metadata: map[string]string{"zone": "eu"}}))
		require.NoError(t, em.AddEndpoint(t.Context(), "/weft/services/module/b", endpoints.Endpoint{Addr: "10.0.0.2:80"}))
		w := watch(t, n, "/module")
		w.comes("/#/io.l5d.etcd/module: 10.0.0.1:80map[zone:eu] 10.0.0.2:80")
		require.NoError(t, em.DeleteEndpoint(t.Context(), "/weft/services/module/a"))
		w.promptly("deregistered", "/#/io.l5d.etcd/module: 10.0.0.2:80")
	})

	t.Run("names", func(t *testing.T) {
		names, err := n.Names()
		require.NoError(t, err)
		assert.Equal(t, "[/#/io.l5d.etcd/life /#/io.l5d.etcd/lifeless /#/io.l5d.etcd/module /#/io.l5d.etcd/values]", fmt.Sprint(names))
	})

	t.Run("a lease expires", func(t *testing.T) {
		lease, err := s.Grant(t.Context(), 2)
		require.NoError(t, err)
		s.txn(clientv3.OpPut("/weft/services/lease/a", "10.0.0.1:80", clientv3.WithLease(lease.ID)), clientv3.OpPut("/weft/services/lease/b", "10.0.0.2:80"))
		w := watch(t, n, "/lease")
		w.comes("/#/io.l5d.etcd/lease: 10.0.0.1:80 10.0.0.2:80")
		release := w.guard("10.0.0.2:80")
		w.comes("/#/io.l5d.etcd/lease: 10.0.0.2:80")
		release()
	})

	// What follows breaks the connection. The endpoint a is always there.
	w := watch(t, n, "/broken")
	s.put("/weft/services/broken/a", "10.0.0.1:80", "/weft/services/broken/b", "10.0.0.2:80")
	w.comes("/#/io.l5d.etcd/broken: 10.0.0.1:80 10.0.0.2:80")
	for i, tt := range []struct {
		name      string
		breakIt   func()
		meanwhile func()
		heal      func()
	}{
		{"reset", p.refuseAll, func() {}, p.heal},
		{"black hole", p.blackHole, func() {}, p.heal},
		{"compaction while cut off", p.refuseAll, func() {
			for i := range 20 {
				s.put("/weft/services/broken/c", fmt.Sprintf("10.0.0.3:%d", 1+i))
			}
			r, err := s.Get(context.Background(), "x")
			require.NoError(t, err)
			_, err = s.Compact(context.Background(), r.Header.Revision, clientv3.WithCompactPhysical())
			require.NoError(t, err)
		}, p.heal},
	} {
		t.Run(tt.name, func(t *testing.T) {
			release := w.guard("10.0.0.1:80")
			defer release()
			defer p.heal()
			before, _ := w.sets.Load()
			warned := log.count("cannot be reached")
			tt.breakIt()
			begin := time.Now()
			eventually(t, "true", func() string { s, _ := w.sets.Load(); return fmt.Sprint(s.Err != nil) })
			t.Logf("noticed after %v", time.Since(begin).Round(time.Millisecond))
			s.put("/weft/services/broken/b", fmt.Sprintf("10.0.1.%d:80", i))
			tt.meanwhile()
			s.delete("/weft/services/broken/c")
			for time.Since(begin) < outage() {
				pause(10 * time.Millisecond)
				s, _ := w.sets.Load()
				require.Equal(t, before.Value, s.Value, "the last good answer holds")
			}
			status := n.Watches()
			require.NotEmpty(t, status)
			require.Error(t, status[0].Err)
			tt.heal()
			w.promptly("healed", fmt.Sprintf("/#/io.l5d.etcd/broken: 10.0.0.1:80 10.0.1.%d:80", i))
			assert.Equal(t, warned+1, log.count("cannot be reached"), "said once")
		})
	}

	t.Run("silent connections are replaced", func(t *testing.T) {
		// Old connections stay silent and new ones work, as after a failover of a NAT.
		release := w.guard("10.0.0.1:80")
		defer release()
		p.silence()
		s.put("/weft/services/broken/b", "10.0.2.1:80")
		took := w.comes("/#/io.l5d.etcd/broken: 10.0.0.1:80 10.0.2.1:80")
		t.Logf("noticed and replaced after %v", took.Round(time.Millisecond))
		assert.Less(t, took, 10*time.Second, "keepalives alone need longer")
		p.heal()
	})

	t.Run("killed and started again", func(t *testing.T) {
		release := w.guard("10.0.0.1:80")
		defer release()
		server.Kill()
		eventually(t, "true", func() string { s, _ := w.sets.Load(); return fmt.Sprint(s.Err != nil) })
		pause(outage())
		server.Start()
		w.promptly("back", "/#/io.l5d.etcd/broken: 10.0.0.1:80 10.0.2.1:80")
		s.put("/weft/services/broken/b", "10.0.0.9:80")
		w.promptly("changed", "/#/io.l5d.etcd/broken: 10.0.0.1:80 10.0.0.9:80")
	})

	t.Run("paused", func(t *testing.T) {
		release := w.guard("10.0.0.1:80")
		defer release()
		server.Pause()
		eventually(t, "true", func() string { s, _ := w.sets.Load(); return fmt.Sprint(s.Err != nil) })
		pause(outage())
		server.Resume()
		s.put("/weft/services/broken/b", "10.0.0.8:80")
		w.promptly("back", "/#/io.l5d.etcd/broken: 10.0.0.1:80 10.0.0.8:80")
	})
	assert.LessOrEqual(t, p.connections(), 2)
}

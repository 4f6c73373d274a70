package zk_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/zk"
)

func TestSessionsAreShared(t *testing.T) {
	t.Parallel()
	server := servers.StartZooKeeper(t)
	do := connect(t, server.Addr)
	do.put("/web/member_0000000001", member("10.0.0.1", 80))
	sessions := zk.NewSessions(zk.SessionsOptions{Idle: 100 * time.Millisecond})
	defer sessions.Close()
	o := zk.Options{Sessions: sessions, Linger: -1}
	t.Run("observed", func(t *testing.T) {
		one := newServersets(t, zk.Config{Addrs: []string{server.Addr}}, o)
		two := newServersets(t, zk.Config{Addrs: []string{server.Addr, server.Addr}}, o)
		curator, err := zk.NewCurator(zk.CuratorConfig{Config: zk.Config{Addrs: []string{server.Addr}}}, o)
		require.NoError(t, err)
		defer curator.Close()
		other := newServersets(t, zk.Config{Addrs: []string{server.Addr}, Auth: "a:b"}, o)
		assert.Zero(t, sessions.Len(), "nothing is asked before the first name")
		lookup(t, one, "/web").comes("/#/io.l5d.serversets/web: 10.0.0.1:80")
		lookup(t, two, "/web").comes("/#/io.l5d.serversets/web: 10.0.0.1:80")
		lookup(t, curator, "/none").comes("/#/io.l5d.curator/none: ssl=false")
		assert.Equal(t, 1, sessions.Len())
		lookup(t, other, "/web").comes("/#/io.l5d.serversets/web: 10.0.0.1:80")
		assert.Equal(t, 2, sessions.Len(), "other credentials")
		assert.Len(t, sessions.Watches(), 2)
	})
	eventually(t, "0", func() string { return fmt.Sprint(sessions.Len()) })
	again := newServersets(t, zk.Config{Addrs: []string{server.Addr}}, o)
	web := lookup(t, again, "/web")
	web.comes("/#/io.l5d.serversets/web: 10.0.0.1:80")
	require.NoError(t, sessions.Close())
	require.NoError(t, sessions.Close())
	last := newServersets(t, zk.Config{Addrs: []string{server.Addr}}, o)
	name := lookup(t, last, "/web")
	name.comes("failed")
	s, _ := name.tree.Load()
	require.ErrorIs(t, s.Err, naming.ErrClosed)
}

// TestServersThatKnowLess restores servers to before what their clients have seen,
// which they then refuse to talk to for good.
func TestServersThatKnowLess(t *testing.T) {
	t.Parallel()
	server := servers.StartZooKeeper(t)
	do := connect(t, server.Addr)
	for range 50 {
		do.put("/web/member_0000000001", member("10.0.0.1", 80))
	}
	n := newServersets(t, zk.Config{Addrs: []string{server.Addr}, SessionTimeout: time.Second}, zk.Options{})
	web := lookup(t, n, "/web")
	web.comes("/#/io.l5d.serversets/web: 10.0.0.1:80")
	web.keeps("10.0.0.1:80")
	server.Kill()
	server.Wipe()
	web.comes("/#/io.l5d.serversets/web: 10.0.0.1:80 (stale)")
	web.keeps()
	server.Start()
	web.comes("Neg")
	anew := connect(t, server.Addr)
	anew.put("/web/member_0000000002", member("10.0.0.2", 80))
	web.comes("/#/io.l5d.serversets/web: 10.0.0.2:80")
}

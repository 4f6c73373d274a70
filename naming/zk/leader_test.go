package zk_test

import (
	"testing"
	"time"

	zoo "github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/naming/zk"
)

// TestLeader elects leaders and loses them.
func TestLeader(t *testing.T) {
	t.Parallel()
	server := servers.StartZooKeeper(t)
	do := connect(t, server.Addr)
	log := &lines{}
	n, err := zk.NewLeader(zk.Config{Addrs: []string{server.Addr}, SessionTimeout: time.Second}, zk.Options{Logger: log.logger()})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, n.Close()) })
	const id = "/#/io.l5d.zkLeader/jobs/lead"

	lead := lookup(t, n, "/jobs/lead/a/b")
	lead.comes("Neg")
	do.put("/jobs/lead", "")
	lead.stays("Neg", 50*time.Millisecond) // a group without a leader is no reason to look further up
	join := func(data string) string {
		path, err := do.conn.Create("/jobs/lead/member_", []byte(data), zoo.FlagEphemeral|zoo.FlagSequence, zoo.WorldACL(zoo.PermAll))
		require.NoError(t, err)
		return path
	}
	first := join("10.0.0.1:80")
	assert.Less(t, lead.comes(id+"+/a/b: 10.0.0.1:80"), promptly, "the residual is in order")
	second := join("10.0.0.2:80,10.0.0.2:81")
	third := join("junk")
	lead.stays(id+"+/a/b: 10.0.0.1:80", 50*time.Millisecond)
	require.NoError(t, do.conn.Delete(first, -1))
	assert.Less(t, lead.comes(id+"+/a/b: 10.0.0.2:80 10.0.0.2:81"), promptly)
	do.put(second, "10.0.0.2:90")
	assert.Less(t, lead.comes(id+"+/a/b: 10.0.0.2:90"), promptly)

	require.NoError(t, do.conn.Delete(second, -1))
	lead.comes(id + "+/a/b: 10.0.0.2:90 (stale)") // whoever leads now cannot be understood
	assert.Equal(t, 1, log.count("path="+third))
	assert.Equal(t, uint64(1), n.Malformed())
	do.put(third, "10.0.0.3:80")
	assert.Less(t, lead.comes(id+"+/a/b: 10.0.0.3:80"), promptly)

	server.Kill()
	lead.comes(id + "+/a/b: 10.0.0.3:80 (stale)")
	server.Start()
	assert.Less(t, lead.comes(id+"+/a/b: 10.0.0.3:80"), promptly)
	do.try(func() error { return do.conn.Delete(third, -1) })
	assert.Less(t, lead.comes("Neg"), promptly)
	do.remove("/jobs/lead")
	do.put("/jobs/member_0000000000", "10.0.0.4:80")
	assert.Less(t, lead.comes("/#/io.l5d.zkLeader/jobs+/lead/a/b: 10.0.0.4:80"), promptly)

	t.Run("the servers in the name", func(t *testing.T) {
		n, err := zk.NewLeaderClass(zk.Config{}, zk.Options{})
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, n.Close()) })
		hosts := escaped("/" + server.Addr + "::127.0.0.1:1")
		name := lookup(t, n, hosts+"/jobs/r")
		name.comes("/$/io.buoyant.namer.zk.leader" + hosts + "/jobs+/r: 10.0.0.4:80")
		lookup(t, n, "/").comes("failed")
	})
}

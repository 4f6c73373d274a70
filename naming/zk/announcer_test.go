package zk_test

import (
	"net/netip"
	"testing"
	"time"

	zoo "github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/zk"
)

func addrs(list ...string) []netip.AddrPort {
	var all []netip.AddrPort
	for _, s := range list {
		all = append(all, netip.MustParseAddrPort(s))
	}
	return all
}

// TestAnnouncer announces, and sees it with the namer.
func TestAnnouncer(t *testing.T) {
	t.Parallel()
	server := servers.StartZooKeeper(t)
	do := connect(t, server.Addr)
	p := startProxy(t, server.Addr)
	a, err := zk.NewAnnouncer(zk.AnnouncerConfig{Config: zk.Config{Addrs: []string{p.addr()}, SessionTimeout: time.Second}},
		zk.Options{Logger: (&lines{}).logger()})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, a.Close()) })
	assert.Equal(t, "/#/io.l5d.serversets", a.Prefix().String())
	n := newServersets(t, zk.Config{Addrs: []string{server.Addr}}, zk.Options{RemovalHold: -1})
	const id = "/#/io.l5d.serversets/discovery/prod/web: "
	web := lookup(t, n, "/discovery/prod/web")
	web.comes("Neg")

	one, err := a.Announce(dtab.MustPath("/prod/web"), addrs("10.0.0.1:80", "[fd00::1]:80"))
	require.NoError(t, err)
	web.comes(id + "10.0.0.1:80 [fd00::1]:80")
	two, err := a.Announce(dtab.MustPath("/prod/web"), addrs("10.0.0.2:80"))
	require.NoError(t, err)
	web.comes(id + "10.0.0.1:80 10.0.0.2:80 [fd00::1]:80")
	children := func() []string {
		list, _, err := do.conn.Children("/discovery/prod/web")
		require.NoError(t, err)
		return list
	}
	require.Len(t, children(), 3)
	data, stat, err := do.conn.Get("/discovery/prod/web/member_0000000000")
	require.NoError(t, err)
	assert.Equal(t, `{"serviceEndpoint":{"host":"10.0.0.1","port":80},"additionalEndpoints":{},"status":"ALIVE","shard":0}`, string(data))
	assert.NotZero(t, stat.EphemeralOwner)

	t.Log("withdrawn when it is closed, and before Close returns")
	require.NoError(t, two.Close())
	assert.Len(t, children(), 2)
	web.comes(id + "10.0.0.1:80 [fd00::1]:80")

	t.Log("the connection is reset: the same session, and the same members")
	before := children()
	for range 3 {
		p.reset()
		time.Sleep(100 * time.Millisecond)
	}
	assert.ElementsMatch(t, before, children())

	t.Log("somebody deletes a member")
	require.NoError(t, do.conn.Delete("/discovery/prod/web/"+before[0], -1))
	web.comes(id + "10.0.0.1:80 [fd00::1]:80")

	t.Log("the session expires")
	p.blackHole(true)
	web.comes("Neg")
	p.blackHole(false)
	assert.Less(t, web.comes(id+"10.0.0.1:80 [fd00::1]:80"), promptly)
	assert.Len(t, children(), 2)

	t.Log("the server is killed")
	server.Kill()
	three, err := a.Announce(dtab.MustPath("/prod/web"), addrs("10.0.0.3:80"))
	require.NoError(t, err)
	server.Start()
	web.comes(id + "10.0.0.1:80 10.0.0.3:80 [fd00::1]:80")
	require.NoError(t, three.Close())
	web.comes(id + "10.0.0.1:80 [fd00::1]:80")
	eventually(t, "2", func() string {
		list, _, _ := do.conn.Children("/discovery/prod/web")
		return string(rune('0' + len(list)))
	})

	t.Log("withdrawn while there is no connection: in the background")
	four, err := a.Announce(dtab.MustPath("/prod/web"), addrs("10.0.0.4:80"))
	require.NoError(t, err)
	web.comes(id + "10.0.0.1:80 10.0.0.4:80 [fd00::1]:80")
	p.blackHole(true)
	start := time.Now()
	require.NoError(t, four.Close())
	assert.Less(t, time.Since(start), 4*time.Second)
	p.blackHole(false)
	web.comes(id + "10.0.0.1:80 [fd00::1]:80")

	t.Log("closed for good")
	require.NoError(t, a.Close())
	web.comes("Neg")
	require.NoError(t, one.Close())
	_, err = a.Announce(dtab.MustPath("/prod/web"), addrs("10.0.0.1:80"))
	require.ErrorIs(t, err, naming.ErrClosed)
}

func TestAnnouncerThatMayNotWrite(t *testing.T) {
	t.Parallel()
	server := servers.StartZooKeeper(t)
	do := connect(t, server.Addr)
	do.put("/discovery", "")
	_, err := do.conn.SetACL("/discovery", zoo.WorldACL(zoo.PermRead), -1)
	require.NoError(t, err)
	log := &lines{}
	a, err := zk.NewAnnouncer(zk.AnnouncerConfig{Config: zk.Config{Addrs: []string{server.Addr}, Auth: "u:p"}}, zk.Options{Logger: log.logger()})
	require.NoError(t, err)
	defer a.Close()
	c, err := a.Announce(dtab.MustPath("/web"), addrs("10.0.0.1:80"))
	require.NoError(t, err)
	defer c.Close()
	eventually(t, "1", func() string { return string(rune('0' + log.count("level=WARN"))) })
	time.Sleep(time.Second)
	assert.Equal(t, 1, log.count("level=WARN"), "said once")

	other, err := zk.NewAnnouncer(zk.AnnouncerConfig{Config: zk.Config{Addrs: []string{server.Addr}, Auth: "u:p"}, PathPrefix: dtab.MustPath("/other")}, zk.Options{})
	require.NoError(t, err)
	defer other.Close()
	oc, err := other.Announce(dtab.MustPath("/web"), addrs("10.0.0.1:80"))
	require.NoError(t, err)
	n := newServersets(t, zk.Config{Addrs: []string{server.Addr}}, zk.Options{RemovalHold: -1})
	web := lookup(t, n, "/other/web")
	web.comes("/#/io.l5d.serversets/other/web: 10.0.0.1:80") // who has no credentials may read it
	require.NoError(t, oc.Close())
	web.comes("Neg")
}

func TestAnnouncesThatCannotBe(t *testing.T) {
	a, err := zk.NewAnnouncer(zk.AnnouncerConfig{Config: zk.Config{Addrs: []string{"127.0.0.1:1"}}}, zk.Options{})
	require.NoError(t, err)
	defer a.Close()
	for _, tt := range []struct {
		name, addr, want string
	}{
		{"/", "10.0.0.1:80", "zk: cannot announce /: it is not the path of a serverset, such as /prod/web"},
		{"/a/..", "10.0.0.1:80", "zk: cannot announce /a/..: it is not the path of a serverset, such as /prod/web"},
		{"/a", "0.0.0.0:80", "zk: cannot announce /a at 0.0.0.0:80: want an address that can be connected to"},
		{"/a", "10.0.0.1:0", "zk: cannot announce /a at 10.0.0.1:0: want an address that can be connected to"},
	} {
		_, err := a.Announce(dtab.MustPath(tt.name), addrs(tt.addr))
		require.EqualError(t, err, tt.want)
	}
	_, err = a.Announce(dtab.MustPath("/a"), nil)
	require.EqualError(t, err, "zk: cannot announce /a without addresses")
	c, err := a.Announce(dtab.MustPath("/a"), addrs("10.0.0.1:80"))
	require.NoError(t, err)
	require.NoError(t, a.Close())
	require.NoError(t, c.Close())
	_, err = zk.NewAnnouncer(zk.AnnouncerConfig{Config: zk.Config{Addrs: []string{"127.0.0.1:1"}}, PathPrefix: dtab.MustPath("/..")}, zk.Options{})
	require.EqualError(t, err, "zk: pathPrefix: /.. is not the path of a znode")
}

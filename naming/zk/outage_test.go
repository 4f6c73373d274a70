package zk_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/naming/zk"
)

// outage is how long servers are away for.
func outage() time.Duration {
	if os.Getenv("WEFT_SOAK") != "" {
		return time.Minute
	}
	return 2500 * time.Millisecond // longer than the session of 1 s and what it takes to give up
}

// TestOutages breaks the connection and the server in every way that there is, and
// changes the serverset meanwhile where that can be done. Whatever happens, members
// that stay are never taken away, and once the server can say what is true that is
// in force within two seconds.
func TestOutages(t *testing.T) {
	const id = "/#/io.l5d.serversets/web: "
	for name, timeout := range map[string]time.Duration{"sessions of 1 s": time.Second, "sessions of 10 s": 10 * time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := servers.StartZooKeeper(t)
			do := connect(t, server.Addr)
			do.put("/web/member_0000000001", member("10.0.0.1", 80))
			do.put("/web/member_0000000002", member("10.0.0.2", 80))
			p := startProxy(t, server.Addr)
			sessions := zk.NewSessions(zk.SessionsOptions{Logger: (&lines{}).logger()})
			t.Cleanup(func() { assert.NoError(t, sessions.Close()) })
			n := newServersets(t, zk.Config{Addrs: []string{p.addr()}, SessionTimeout: timeout}, zk.Options{Sessions: sessions})
			web := lookup(t, n, "/web")
			web.comes(id + "10.0.0.1:80 10.0.0.2:80")
			web.keeps("10.0.0.1:80")
			session := func() string {
				w := sessions.Watches()
				require.Len(t, w, 1)
				return w[0].Version
			}
			// next replaces the member with that number by the next one.
			next := func(i int) string {
				do.put(fmt.Sprintf("/web/member_%010d", i+1), member(fmt.Sprintf("10.0.0.%d", i+1), 80))
				do.remove(fmt.Sprintf("/web/member_%010d", i))
				return fmt.Sprintf(id+"10.0.0.1:80 10.0.0.%d:80", i+1)
			}
			is := func(i int) string { return fmt.Sprintf(id+"10.0.0.1:80 10.0.0.%d:80", i) }

			t.Log("connections reset, and the server changes at once")
			before := session()
			for i := 2; i < 6; i++ {
				p.reset()
				want := next(i)
				assert.Less(t, web.comes(want), promptly)
			}
			assert.Equal(t, before, session(), "it is the same session")

			t.Log("a black hole, shorter than the session")
			p.blackHole(true)
			want := next(6)
			time.Sleep(200 * time.Millisecond)
			p.reset()
			p.blackHole(false)
			assert.Less(t, web.comes(want), promptly)

			if timeout == time.Second {
				t.Log("a black hole, longer than the session")
				before := session()
				p.blackHole(true)
				eventually(t, is(7)+" (stale)", web.text)
				want = next(7)
				web.stays(is(7)+" (stale)", outage())
				p.blackHole(false)
				assert.Less(t, web.comes(want), promptly)
				assert.NotEqual(t, before, session(), "the old one expired")

				t.Log("the server stands still for longer than the session")
				server.Pause()
				eventually(t, is(8)+" (stale)", web.text)
				web.stays(is(8)+" (stale)", outage())
				server.Resume()
				assert.Less(t, web.comes(is(8)), promptly)
				want = next(8)
				assert.Less(t, web.comes(want), promptly)
				do.remove("/web/member_0000000009")
				do.put("/web/member_0000000007", member("10.0.0.7", 80))
				web.comes(is(7))
			}

			t.Log("the server is killed and comes back")
			server.Kill()
			eventually(t, is(7)+" (stale)", web.text)
			web.stays(is(7)+" (stale)", outage())
			server.Start()
			assert.Less(t, web.comes(is(7)), promptly)
			want = next(7)
			assert.Less(t, web.comes(want), promptly)

			t.Log("the path goes and comes back")
			web.keeps()
			do.remove("/web")
			assert.Less(t, web.comes("Neg"), promptly)
			do.put("/web/member_0000000001", member("10.0.0.1", 80))
			assert.Less(t, web.comes(id+"10.0.0.1:80"), promptly)
		})
	}
}

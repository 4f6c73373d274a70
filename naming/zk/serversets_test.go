package zk_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	zoo "github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/naming/zk"
)

// lines is a log that can be read while it is written.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if os.Getenv("WEFT_ZK_LOG") != "" {
		os.Stderr.Write(p)
	}
	return l.buf.Write(p)
}

func (l *lines) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.buf.String(), text)
}

func (l *lines) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func newServersets(t *testing.T, c zk.Config, o zk.Options) *zk.Serversets {
	t.Helper()
	if o.Logger == nil {
		o.Logger = (&lines{}).logger()
	}
	n, err := zk.NewServersets(c, o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, n.Close()) })
	return n
}

// TestServersets is what happens to serversets, and what names make of them.
func TestServersets(t *testing.T) {
	t.Parallel()
	server := servers.StartZooKeeper(t)
	do := connect(t, server.Addr)
	log := &lines{}
	n := newServersets(t, zk.Config{Addrs: []string{server.Addr}}, zk.Options{RemovalHold: 200 * time.Millisecond, Logger: log.logger()})
	const pfx = "/#/io.l5d.serversets"

	t.Run("a path comes, scales, is replaced, goes and comes again", func(t *testing.T) {
		web := lookup(t, n, "/discovery/web")
		web.comes("Neg")
		do.put("/discovery/web", "")
		web.stays("Neg", 100*time.Millisecond)
		do.put("/discovery/web/member_0000000001", member("10.0.0.1", 80))
		assert.Less(t, web.comes(pfx+"/discovery/web: 10.0.0.1:80"), promptly)
		web.keeps("10.0.0.1:80")
		do.put("/discovery/web/member_0000000002", member("10.0.0.2", 80))
		do.put("/discovery/web/member_0000000003", member("10.0.0.3", 80))
		do.put("/discovery/web/unrelated", "{}")
		assert.Less(t, web.comes(pfx+"/discovery/web: 10.0.0.1:80 10.0.0.2:80 10.0.0.3:80"), promptly)
		do.remove("/discovery/web/member_0000000002")
		assert.Less(t, web.comes(pfx+"/discovery/web: 10.0.0.1:80 10.0.0.3:80"), promptly)

		web.keeps()
		for i, old := range []int{1, 3} {
			do.put(fmt.Sprintf("/discovery/web/member_000000001%d", i), member("10.0.1.1", 80+i))
			do.remove(fmt.Sprintf("/discovery/web/member_000000000%d", old))
		}
		assert.Less(t, web.comes(pfx+"/discovery/web: 10.0.1.1:80 10.0.1.1:81"), promptly)
		w := n.Watches()
		last := w[len(w)-1] // before it are the shorter names, which were asked for while there was none
		assert.Equal(t, "/discovery/web", last.Watching)
		assert.Equal(t, "2 endpoints", last.Answer)
		assert.Regexp(t, "^0x[0-9a-f]+$", last.Version)

		do.remove("/discovery/web")
		assert.Less(t, web.comes("Neg"), promptly)
		do.put("/discovery/web/member_0000000001", member("10.0.0.1", 80))
		assert.Less(t, web.comes(pfx+"/discovery/web: 10.0.0.1:80"), promptly)
		do.remove("/discovery/web")
		web.comes("Neg")
	})

	t.Run("members change in place", func(t *testing.T) {
		do.put("/place/web/member_0000000001", member("10.0.0.1", 80))
		do.put("/place/web/member_0000000002", strings.Replace(member("10.0.0.2", 80), "ALIVE", "STARTING", 1))
		web := lookup(t, n, "/place/web")
		web.comes(pfx + "/place/web: 10.0.0.1:80")
		do.put("/place/web/member_0000000002", member("10.0.0.2", 80))
		assert.Less(t, web.comes(pfx+"/place/web: 10.0.0.1:80 10.0.0.2:80"), promptly)
		do.put("/place/web/member_0000000001", strings.Replace(member("10.0.0.1", 80), "ALIVE", "STOPPING", 1))
		assert.Less(t, web.comes(pfx+"/place/web: 10.0.0.2:80"), promptly)
	})

	t.Run("a member that is malformed is left out, and said once", func(t *testing.T) {
		before := n.Malformed()
		do.put("/bad/web/member_0000000001", member("10.0.0.1", 80))
		do.put("/bad/web/member_0000000002", `{"serviceEndpoint":{"host":"10.0.0.2"`)
		do.put("/bad/web/member_0000000003", `{"serviceEndpoint":{"host":"10.0.0.2","port":0},"status":"ALIVE"}`)
		web := lookup(t, n, "/bad/web")
		web.comes(pfx + "/bad/web: 10.0.0.1:80")
		do.put("/bad/web/member_0000000004", member("10.0.0.4", 80))
		web.comes(pfx + "/bad/web: 10.0.0.1:80 10.0.0.4:80")
		assert.Equal(t, before+2, n.Malformed())
		assert.Equal(t, 1, log.count("path=/bad/web/member_0000000002"))
		web.keeps("10.0.0.1:80", "10.0.0.4:80")
		do.put("/bad/web/member_0000000001", "junk")
		do.put("/bad/web/member_0000000002", member("10.0.0.2", 80))
		web.comes(pfx + "/bad/web: 10.0.0.1:80 10.0.0.2:80 10.0.0.4:80")
		eventually(t, fmt.Sprint(before+3), func() string { return fmt.Sprint(n.Malformed()) })
	})

	t.Run("endpoints, shards and weights", func(t *testing.T) {
		do.put("/jobs/web/member_0000000001", member("10.0.0.1", 80, `,"shard":1`))
		do.put("/jobs/web/member_0000000002", member("10.0.0.2", 80, `,"shard":2`))
		do.put("/jobs/web/member_0000000003", member("10.0.0.3", 80))
		do.put("/jobs/web/vector_0000000001",
			`{"vector":[{"select":"inet=10.0.0.1:80","weight":0.5,"priority":1},{"select":"member=member_0000000003","weight":0},{"select":"rack=a","weight":3}]}`)
		for name, want := range map[string]string{
			"/jobs/web":         pfx + "/jobs/web: 10.0.0.1:80*0.5 10.0.0.2:80 10.0.0.3:80*0",
			"/jobs/web:admin":   pfx + "/jobs/web:admin: 10.0.0.1:1080 10.0.0.2:1080 10.0.0.3:1080*0",
			"/jobs/web#2":       pfx + "/jobs/web#2: 10.0.0.2:80",
			"/jobs/web:admin#1": pfx + "/jobs/web:admin#1: 10.0.0.1:1080",
			"/jobs/web:admin/x": pfx + "/jobs/web:admin+/x: 10.0.0.1:1080 10.0.0.2:1080 10.0.0.3:1080*0",
			"/jobs/web:none":    "Neg",
			"/jobs/web#3":       "Neg",
			"/jobs/web:a:b":     "failed",
			"/jobs/web#-1":      "failed",
			"/jobs/web#x":       "failed",
			"/jobs/web:#1":      "failed",
			"/jobs/web/..":      pfx + "/jobs/web+/..: 10.0.0.1:80*0.5 10.0.0.2:80 10.0.0.3:80*0",
			"/jobs":             "Neg",
			"/":                 "Neg",
			`/jobs\x2fweb`:      "Neg",
			"/jobs/web/a:b:c":   "failed",
		} {
			lookup(t, n, escaped(name)).comes(want)
		}
		web := lookup(t, n, "/jobs/web")
		web.comes(pfx + "/jobs/web: 10.0.0.1:80*0.5 10.0.0.2:80 10.0.0.3:80*0")
		do.put("/jobs/web/vector_0000000001", `{"vector":[{"select":"shard=2","weight":2}]}`)
		assert.Less(t, web.comes(pfx+"/jobs/web: 10.0.0.1:80 10.0.0.2:80*2 10.0.0.3:80"), promptly)
	})

	t.Run("N24 the longest beginning that is bound", func(t *testing.T) {
		do.put("/x/y/member_0000000001", member("10.0.0.1", 80))
		name := lookup(t, n, "/x/y/z/r")
		name.comes(pfx + "/x/y+/z/r: 10.0.0.1:80")
		do.put("/x/y/z/member_0000000001", member("10.0.0.2", 80))
		assert.Less(t, name.comes(pfx+"/x/y/z+/r: 10.0.0.2:80"), promptly)
		do.remove("/x/y/z")
		assert.Less(t, name.comes(pfx+"/x/y+/z/r: 10.0.0.1:80"), promptly)
		do.put("/member_0000000001", member("10.0.0.9", 80)) // the root is a path like any other
		lookup(t, n, "/w").comes(pfx + "+/w: 10.0.0.9:80")
		do.remove("/member_0000000001")
	})

	t.Run("N25 the id keeps endpoint and shard", func(t *testing.T) {
		do.put("/foo/bar/member_0000000001", strings.Replace(member("10.0.0.1", 80, `,"shard":0`), "admin", "http", 1))
		lookup(t, n, escaped("/foo/bar:http#0")).comes(pfx + "/foo/bar:http#0: 10.0.0.1:1080")
	})

	t.Run("a member that vanishes and comes back is never away", func(t *testing.T) {
		n := newServersets(t, zk.Config{Addrs: []string{server.Addr}}, zk.Options{RemovalHold: 10 * time.Second})
		do.put("/flap/web/member_0000000001", member("10.0.0.1", 80))
		do.put("/flap/web/member_0000000002", member("10.0.0.2", 80))
		web := lookup(t, n, "/flap/web")
		web.comes(pfx + "/flap/web: 10.0.0.1:80 10.0.0.2:80")
		web.keeps("10.0.0.1:80")
		do.remove("/flap/web/member_0000000001")
		do.put("/flap/web/member_0000000002", strings.Replace(member("10.0.0.2", 80), "ALIVE", "DEAD", 1))
		web.comes(pfx + "/flap/web: 10.0.0.1:80") // who says that it is down is gone at once
		do.put("/flap/web/member_0000000003", member("10.0.0.1", 80))
		web.stays(pfx+"/flap/web: 10.0.0.1:80", 100*time.Millisecond)
	})

	t.Run("what may not be read is said once and read once it may", func(t *testing.T) {
		do.put("/secret", "")
		_, err := do.conn.SetACL("/secret", zoo.DigestACL(zoo.PermAll, "user", "password"), -1)
		require.NoError(t, err)
		require.NoError(t, do.conn.AddAuth("digest", []byte("user:password")))
		_, err = do.conn.Create("/secret/member_0000000001", []byte(member("10.0.0.1", 80)), 0, zoo.DigestACL(zoo.PermAll, "user", "password"))
		require.NoError(t, err)
		wrong := newServersets(t, zk.Config{Addrs: []string{server.Addr}, Auth: "user:wrong"}, zk.Options{Logger: log.logger()})
		right := newServersets(t, zk.Config{Addrs: []string{server.Addr}, Auth: "user:password"}, zk.Options{})
		lookup(t, right, "/secret").comes(pfx + "/secret: 10.0.0.1:80")
		w := lookup(t, wrong, "/secret")
		w.comes("failed")
		s, _ := w.tree.Load()
		require.ErrorIs(t, s.Err, zoo.ErrNoAuth)
		w.stays("failed", time.Second)
		assert.Equal(t, 1, log.count("zk: /secret: zk: not authenticated"))
		_, err = do.conn.SetACL("/secret", zoo.WorldACL(zoo.PermAll), -1)
		require.NoError(t, err)
		_, err = do.conn.SetACL("/secret/member_0000000001", zoo.WorldACL(zoo.PermAll), -1)
		require.NoError(t, err)
		w.comes(pfx + "/secret: 10.0.0.1:80")
	})

	t.Run("the servers in the name", func(t *testing.T) {
		sessions := zk.NewSessions(zk.SessionsOptions{Idle: 50 * time.Millisecond})
		defer sessions.Close()
		n, err := zk.NewServersetClass(zk.Config{}, zk.Options{Sessions: sessions, Linger: -1})
		require.NoError(t, err)
		defer n.Close()
		do.put("/class/web/member_0000000001", member("10.0.0.1", 80))
		t.Run("observed", func(t *testing.T) {
			id := "/" + server.Addr + "/class/web"
			lookup(t, n, id).comes("/$/com.twitter.serverset" + id + ": 10.0.0.1:80")
			lookup(t, n, "/localhost:1/class/web").comes("failed")
			lookup(t, n, id+"/more").comes("Neg")
			lookup(t, n, "/").comes("failed")
			lookup(t, n, id).comes("/$/com.twitter.serverset" + id + ": 10.0.0.1:80")
			assert.Equal(t, 2, sessions.Len())
		})
		eventually(t, "0", func() string { return fmt.Sprint(sessions.Len()) })
	})
}

// escaped is a path with elements that have characters a parser does not take.
func escaped(s string) string {
	var b strings.Builder
	for e := range strings.SplitSeq(strings.Trim(s, "/"), "/") {
		if strings.ContainsAny(e, ":#") {
			p, err := dtab.PathOf(e)
			if err != nil {
				panic(err)
			}
			b.WriteString(p.String())
		} else if e != "" {
			b.WriteString("/" + e)
		}
	}
	if b.Len() == 0 {
		return "/"
	}
	return b.String()
}

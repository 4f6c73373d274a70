package zk_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	zoo "github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/internal/storetest"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/zk"
	"github.com/weft-mesh/weft/naming"
)

var (
	one = dtab.MustParse("/svc => /#/io.l5d.fs;/svc/a=>3 * /b & 1 * /c")
	two = dtab.MustParse("/svc=>/two")
)

// TestLayout is what namerd 1.7.5 and its clients find and leave in ZooKeeper.
func TestLayout(t *testing.T) {
	t.Parallel()
	server := servers.StartZooKeeper(t)
	s, do := open(t, zk.Config{Addrs: []string{server.Addr}, PathPrefix: "/some/where"}), connect(t, server.Addr)
	ctx := t.Context()

	list, err := s.List(ctx)
	require.NoError(t, err)
	assert.Empty(t, list, "the prefix is made")
	v, err := s.Create(ctx, "web", one, namerd.Note{Author: "me", Reason: "why"})
	require.NoError(t, err)
	data, stat, err := do.Get("/some/where/web")
	require.NoError(t, err)
	assert.Equal(t, one.String(), string(data))
	assert.Equal(t, []byte{0, 0, 0, 0}, []byte(v[:4]), "as namerd 1.7.5 has it")
	assert.Equal(t, uint64(stat.Czxid), binary.BigEndian.Uint64([]byte(v[4:])))

	// Versions of namerd 1.7.5 are taken.
	short := v[:4]
	_, err = s.Update(ctx, "web", two, "\x00\x00\x00\x01", namerd.Note{})
	require.ErrorIs(t, err, namerd.ErrMismatch)
	v, err = s.Update(ctx, "web", two, short, namerd.Note{})
	require.NoError(t, err)
	_, err = s.Update(ctx, "web", one, short, namerd.Note{})
	require.ErrorIs(t, err, namerd.ErrMismatch)

	// Others write without a history.
	watched := s.Observe(ctx, "web")
	await(t, func() bool { st, _ := watched.Load(); return text(st.Value) == two.String() })
	_, err = do.Set("/some/where/web", []byte("/svc => /three ;"), -1)
	require.NoError(t, err)
	await(t, func() bool { st, _ := watched.Load(); return text(st.Value) == "/svc=>/three" })
	_, err = s.Update(ctx, "web", one, v, namerd.Note{})
	require.ErrorIs(t, err, namerd.ErrMismatch)
	changes, err := s.History(ctx, "web", 10)
	require.NoError(t, err)
	require.Len(t, changes, 2)
	assert.Equal(t, v, changes[0].Version)
	assert.Equal(t, namerd.Note{Author: "me", Reason: "why"}, changes[1].Note)

	// A znode that another client deletes and makes again has its first version again.
	v, err = s.Put(ctx, "again", one, namerd.Note{})
	require.NoError(t, err)
	require.NoError(t, do.Delete("/some/where/again", -1))
	_, err = do.Create("/some/where/again", []byte(two.String()), 0, zoo.WorldACL(zoo.PermAll))
	require.NoError(t, err)
	_, err = s.Update(ctx, "again", one, v, namerd.Note{})
	require.ErrorIs(t, err, namerd.ErrMismatch)
	require.ErrorIs(t, s.Delete(ctx, "again", v, namerd.Note{}), namerd.ErrMismatch)
	got, err := s.Get(ctx, "again")
	require.NoError(t, err)
	assert.Equal(t, text(namerd.Stored{Exists: true, Dtab: two}), text(got))
	assert.Equal(t, v[:4], got.Version[:4])
	assert.NotEqual(t, v, got.Version)
}

// TestMalformed has znodes that hold no dtab and no history.
func TestMalformed(t *testing.T) {
	t.Parallel()
	server := servers.StartZooKeeper(t)
	s, do := open(t, zk.Config{Addrs: []string{server.Addr}}), connect(t, server.Addr)
	ctx := t.Context()
	_, err := s.Create(ctx, "web", one, namerd.Note{})
	require.NoError(t, err)
	_, err = s.Create(ctx, "other", one, namerd.Note{})
	require.NoError(t, err)
	web, other := s.Observe(ctx, "web"), s.Observe(ctx, "other")
	await(t, func() bool { st, _ := web.Load(); return st.Known })
	_, err = do.Set("/dtabs/web", []byte("/svc=>"), -1)
	require.NoError(t, err)
	await(t, func() bool { st, _ := web.Load(); return st.Err != nil })
	st, _ := web.Load()
	assert.Equal(t, one.String(), text(st.Value))
	assert.ErrorContains(t, st.Err, "/dtabs/web: it holds no dtab")
	_, err = s.Get(ctx, "web")
	require.ErrorContains(t, err, "it holds no dtab")
	await(t, func() bool { st, _ := other.Load(); return st.Known && st.Err == nil })
	list, err := s.List(ctx)
	require.NoError(t, err)
	assert.Equal(t, []string{"other", "web"}, list)
	_, err = s.Put(ctx, "web", two, namerd.Note{})
	require.NoError(t, err)
	await(t, func() bool { st, _ := web.Load(); return st.Err == nil && text(st.Value) == two.String() })

	_, err = do.Set("/dtabs-history/web", []byte("{"), -1)
	require.NoError(t, err)
	_, err = s.History(ctx, "web", 1)
	require.ErrorContains(t, err, "/dtabs-history/web: it is not a history")
	_, err = s.Put(ctx, "web", one, namerd.Note{Author: "new"})
	require.NoError(t, err)
	changes, err := s.History(ctx, "web", 10)
	require.NoError(t, err)
	require.Len(t, changes, 1)
	assert.Equal(t, "new", changes[0].Author)
}

// TestPermissions has credentials that may, and some that may not.
func TestPermissions(t *testing.T) {
	t.Parallel()
	server := servers.StartZooKeeper(t)
	acl := zoo.DigestACL(zoo.PermAll, "weft", "secret")[0]
	c := zk.Config{
		Addrs: []string{server.Addr}, PathPrefix: "/private",
		Auth: &zk.AuthInfo{Scheme: "digest", Auth: "weft:secret"},
		ACLs: []zk.ACL{{Scheme: acl.Scheme, ID: acl.ID, Perms: "crwda"}},
	}
	s, ctx := open(t, c), t.Context()
	_, err := s.Create(ctx, "web", one, namerd.Note{})
	require.NoError(t, err)
	c.Auth = &zk.AuthInfo{Scheme: "digest", Auth: "weft:wrong"}
	other := open(t, c)
	_, err = other.List(ctx)
	require.ErrorIs(t, err, namerd.ErrForbidden)
	_, err = other.Get(ctx, "web")
	require.ErrorIs(t, err, namerd.ErrForbidden)
	_, err = other.Put(ctx, "web", one, namerd.Note{})
	require.ErrorIs(t, err, namerd.ErrForbidden)
	require.ErrorIs(t, other.Delete(ctx, "web", "", namerd.Note{}), namerd.ErrForbidden)
	web := other.Observe(ctx, "web")
	await(t, func() bool { st, _ := web.Load(); return errors.Is(st.Err, namerd.ErrForbidden) && !st.Known })

	// Who may read only.
	do := connect(t, server.Addr)
	require.NoError(t, do.AddAuth("digest", []byte("weft:secret")))
	acls := append(zoo.WorldACL(zoo.PermRead), acl)
	for _, path := range []string{"/private", "/private/web", "/private-history", "/private-history/web"} {
		_, err := do.SetACL(path, acls, -1)
		require.NoError(t, err)
	}
	await(t, func() bool { st, _ := web.Load(); return st.Err == nil && text(st.Value) == one.String() })
	got, err := other.Get(ctx, "web")
	require.NoError(t, err)
	_, err = other.Update(ctx, "web", two, got.Version, namerd.Note{})
	require.ErrorIs(t, err, namerd.ErrForbidden)
	_, err = other.Create(ctx, "new", two, namerd.Note{})
	require.ErrorIs(t, err, namerd.ErrForbidden)

	// Nobody may make the prefix.
	c.PathPrefix = "/private/web/below"
	_, err = open(t, c).Create(ctx, "new", two, namerd.Note{})
	require.ErrorIs(t, err, namerd.ErrForbidden)
}

// TestUnknownOutcome cuts connections in the middle of writes: before the server has the
// write, and before the client has the answer.
func TestUnknownOutcome(t *testing.T) {
	t.Parallel()
	server := servers.StartZooKeeper(t)
	p := startProxy(t, server.Addr)
	s, ctx := open(t, zk.Config{Addrs: []string{p.addr()}}), t.Context()
	plain := open(t, zk.Config{Addrs: []string{server.Addr}})
	for _, made := range []bool{true, false} {
		once := func() {
			done := false
			p.onMulti(func() (pass, cut bool) {
				cut, done = !done, true
				return made || !cut, cut
			})
		}
		ns, cuts := fmt.Sprintf("made-%t", made), p.severed()
		once()
		v, err := s.Create(ctx, ns, one, namerd.Note{})
		require.NoError(t, err)
		got, err := plain.Get(ctx, ns)
		require.NoError(t, err)
		require.Equal(t, got.Version, v)
		once()
		v, err = s.Update(ctx, ns, two, v, namerd.Note{})
		require.NoError(t, err)
		got, err = plain.Get(ctx, ns)
		require.NoError(t, err)
		require.Equal(t, got.Version, v)
		require.Equal(t, two.String(), got.Dtab.String())
		changes, err := s.History(ctx, ns, 10)
		require.NoError(t, err)
		require.Len(t, changes, 2, "made once each")
		require.Equal(t, v, changes[0].Version)
		once()
		require.NoError(t, s.Delete(ctx, ns, v, namerd.Note{}))
		changes, err = s.History(ctx, ns, 10)
		require.NoError(t, err)
		require.Len(t, changes, 3)
		require.Equal(t, cuts+3, p.severed())
	}
}

// TestOverwrittenOutcome has others write between a write whose answer is lost and the
// question whether it was made.
func TestOverwrittenOutcome(t *testing.T) {
	t.Parallel()
	server := servers.StartZooKeeper(t)
	p := startProxy(t, server.Addr)
	s, plain, ctx := open(t, zk.Config{Addrs: []string{p.addr()}}), open(t, zk.Config{Addrs: []string{server.Addr}}), t.Context()
	for _, others := range []int{3, 120} {
		ns := fmt.Sprint("others-", others)
		v, err := s.Create(ctx, ns, one, namerd.Note{})
		require.NoError(t, err)
		done, away := false, make(chan struct{})
		p.onMulti(func() (pass, cut bool) {
			if done {
				return true, false
			}
			done, p.hole = true, false
			close(away)
			return true, true
		})
		var result error
		var got namerd.Version
		var wg sync.WaitGroup
		wg.Go(func() { got, result = s.Update(ctx, ns, two, v, namerd.Note{Author: "mine"}) })
		<-away
		p.blackHole(true) // the answer cannot be had
		var mine namerd.Version
		await(t, func() bool {
			st, err := plain.Get(ctx, ns)
			mine = st.Version
			return err == nil && mine != v
		})
		for i := range others {
			_, err = plain.Put(ctx, ns, one, namerd.Note{Author: fmt.Sprint(i)})
			require.NoError(t, err)
		}
		p.blackHole(false)
		p.reset()
		wg.Wait()
		if others < 100 {
			require.NoError(t, result)
			require.Equal(t, mine, got)
			continue
		}
		require.ErrorContains(t, result, "not known whether")
		require.NotErrorIs(t, result, namerd.ErrMismatch)
	}
}

// TestOutage is what observers see of a server that goes away in all ways.
func TestOutage(t *testing.T) {
	t.Parallel()
	server := servers.StartZooKeeper(t)
	p := startProxy(t, server.Addr)
	s, ctx := open(t, zk.Config{Addrs: []string{p.addr()}, SessionTimeout: 2 * time.Second}), t.Context()
	plain := open(t, zk.Config{Addrs: []string{server.Addr}})
	_, err := s.Create(ctx, "web", one, namerd.Note{})
	require.NoError(t, err)
	web, names, none := s.Observe(ctx, "web"), s.Namespaces(ctx), s.Observe(ctx, "none")
	await(t, func() bool {
		a, _ := web.Load()
		b, _ := names.Load()
		c, _ := none.Load()
		return a.Known && b.Known && c.Known
	})
	guard(t, web, func(st naming.State[namerd.Stored]) error {
		if !st.Known || !st.Value.Exists {
			return fmt.Errorf("taken away: %+v", st)
		}
		return nil
	})
	guard(t, names, func(st naming.State[[]string]) error {
		if !st.Known || len(st.Value) == 0 {
			return fmt.Errorf("taken away: %+v", st)
		}
		return nil
	})
	ways := map[string][2]func(){
		"killed":     {server.Kill, server.Start},
		"paused":     {server.Pause, server.Resume},
		"black hole": {func() { p.blackHole(true) }, func() { p.blackHole(false); p.reset() }},
	}
	for name, way := range ways {
		way[0]()
		await(t, func() bool {
			a, _ := web.Load()
			b, _ := names.Load()
			return errors.Is(a.Err, zk.ErrNoSession) && errors.Is(b.Err, zk.ErrNoSession)
		})
		way[1]()
		d := dtab.MustParse("/svc=>/" + strings.ReplaceAll(name, " ", "-"))
		back := time.Now()
		_, err := plain.Put(ctx, "web", d, namerd.Note{})
		require.NoError(t, err)
		await(t, func() bool {
			a, _ := web.Load()
			b, _ := names.Load()
			return a.Err == nil && b.Err == nil && a.Value.Dtab.Equal(d)
		})
		t.Logf("%s: right %v after it was back", name, time.Since(back))
	}
	for range 20 {
		p.reset()
		_, err := plain.Put(ctx, "web", one, namerd.Note{})
		require.NoError(t, err)
		v, err := s.Put(ctx, "web", two, namerd.Note{})
		require.NoError(t, err)
		await(t, func() bool { a, _ := web.Load(); return a.Value.Version == v && a.Err == nil })
	}
	_, err = plain.Create(ctx, "none", one, namerd.Note{})
	require.NoError(t, err)
	await(t, func() bool { c, _ := none.Load(); return c.Value.Exists })
}

// TestNobodyThere has reads and writes end although there is no server.
func TestNobodyThere(t *testing.T) {
	t.Parallel()
	s, err := zk.New(zk.Config{Addrs: []string{"127.0.0.1:1"}}, zk.Options{Patience: 300 * time.Millisecond})
	require.NoError(t, err)
	defer s.Close()
	_, err = s.List(t.Context())
	require.ErrorIs(t, err, zk.ErrNoSession)
	_, err = s.Put(t.Context(), "web", one, namerd.Note{})
	require.ErrorIs(t, err, zk.ErrNoSession)
	require.NotErrorIs(t, err, namerd.ErrMismatch)
	web := s.Observe(t.Context(), "web")
	await(t, func() bool { st, _ := web.Load(); return errors.Is(st.Err, zk.ErrNoSession) })
}

// TestTooLarge has dtabs that a server does not take.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	server := servers.StartZooKeeper(t)
	s, ctx := open(t, zk.Config{Addrs: []string{server.Addr}}), t.Context()
	v, err := s.Create(ctx, "web", one, namerd.Note{})
	require.NoError(t, err)
	large := func(n int) dtab.Dtab { return dtab.MustParse("/svc=>/" + strings.Repeat("a", n)) }
	_, err = s.Update(ctx, "web", large(600_000), v, namerd.Note{})
	require.ErrorIs(t, err, namerd.ErrTooLarge)
	_, err = s.Update(ctx, "web", large(490_000), v, namerd.Note{})
	require.NoError(t, err)
	changes, err := s.History(ctx, "web", 10)
	require.NoError(t, err)
	require.Len(t, changes, 1)
}

// TestConcurrentWithFaults has many write over connections that are cut all the time.
func TestConcurrentWithFaults(t *testing.T) {
	server := servers.StartZooKeeper(t)
	p := startProxy(t, server.Addr)
	cut := 0
	p.onMulti(func() (pass, cutIt bool) {
		cut++
		return cut%14 != 0, cut%7 == 0 // in half of the cases after it was passed on
	})
	storetest.Harness{
		Open: func(t *testing.T) namerd.Store {
			t.Helper()
			return open(t, zk.Config{Addrs: []string{p.addr()}})
		},
	}.Concurrent(t, storetest.Load{Handles: 2, Writers: 40, Writes: 120})
	assert.Greater(t, p.severed(), 10)
}

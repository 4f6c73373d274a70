package etcd_test

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/internal/storetest"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/etcd"
	"github.com/weft-mesh/weft/naming"
)

func host(t *testing.T, rawURL string) string {
	t.Helper()
	u, err := url.Parse(rawURL)
	require.NoError(t, err)
	return u.Host
}

// TestOthers is that the layout in etcd is what it is said to be, and that what others
// write there is as good.
func TestOthers(t *testing.T) {
	t.Parallel()
	server := servers.StartEtcd(t)
	c, ctx := raw(t, server.URL), t.Context()
	log := &journal{}
	s := open(t, etcd.Config{Endpoints: []string{server.URL}}, etcd.Options{Logger: log.logger()})
	list, err := s.List(ctx)
	require.NoError(t, err)
	assert.Equal(t, []string{}, list, "no root is no error")

	// Some writes by others, so that versions and revisions of the key differ.
	for range 5 {
		_, err := c.Put(ctx, "/elsewhere", "x")
		require.NoError(t, err)
	}
	v, err := s.Create(ctx, "default", dtab.MustParse("/a=>/b;/b => /c"), namerd.Note{Author: "me"})
	require.NoError(t, err)
	kv, err := c.Get(ctx, "/namerd/dtabs/default")
	require.NoError(t, err)
	require.Len(t, kv.Kvs, 1)
	assert.Equal(t, "/a=>/b;/b=>/c", string(kv.Kvs[0].Value))
	assert.Equal(t, namerd.Version("7"), v, "decimal digits of the revision at which the key was modified")
	hist, err := c.Get(ctx, "/namerd/history/default/", clientv3.WithPrefix(), clientv3.WithKeysOnly())
	require.NoError(t, err)
	require.Len(t, hist.Kvs, 2)
	assert.Equal(t, "/namerd/history/default/01", string(hist.Kvs[0].Key))
	assert.Equal(t, "/namerd/history/default/head", string(hist.Kvs[1].Key))

	src := s.Observe(ctx, "default")
	comes(t, src, func(st namerd.Stored) bool { return st.Version == v })
	put, err := c.Put(ctx, "/namerd/dtabs/default", "/x => /y ;")
	require.NoError(t, err)
	st := comes(t, src, func(st namerd.Stored) bool { return st.Dtab.String() == "/x=>/y" })
	assert.Equal(t, uint64(put.Header.Revision), st.Revision.N)
	v2, err := s.Update(ctx, "default", nil, st.Version, namerd.Note{})
	require.NoError(t, err)
	comes(t, src, func(st namerd.Stored) bool { return st.Version == v2 })

	t.Run("what is not a dtab", func(t *testing.T) {
		_, err = c.Put(ctx, "/namerd/dtabs/default", "junk")
		require.NoError(t, err)
		bad := state(t, src, func(st naming.State[namerd.Stored]) bool { return st.Err != nil })
		assert.True(t, bad.Known)
		assert.Equal(t, v2, bad.Value.Version, "what was before it holds")
		_, err = s.Get(ctx, "default")
		require.ErrorContains(t, err, "not a dtab")
		fresh := open(t, etcd.Config{Endpoints: []string{server.URL}}, etcd.Options{})
		first := state(t, fresh.Observe(ctx, "default"), func(st naming.State[namerd.Stored]) bool { return st.Err != nil })
		assert.False(t, first.Known)
		var answer *naming.AnswerError
		require.ErrorAs(t, first.Err, &answer, "there is nothing to wait for")
		list, err := s.List(ctx)
		require.NoError(t, err)
		assert.Equal(t, []string{"default"}, list)
		// It does not concern others, and it can be replaced.
		_, err = s.Create(ctx, "other", nil, namerd.Note{})
		require.NoError(t, err)
		comes(t, s.Observe(ctx, "other"), func(st namerd.Stored) bool { return st.Exists })
		v, err := s.Put(ctx, "default", nil, namerd.Note{})
		require.NoError(t, err)
		comes(t, src, func(st namerd.Stored) bool { return st.Version == v })
		assert.Equal(t, 1, log.count("a value is not a dtab"), "said once: %v", log)
	})

	t.Run("deleted by somebody else", func(t *testing.T) {
		_, err := c.Delete(ctx, "/namerd/", clientv3.WithPrefix())
		require.NoError(t, err)
		comes(t, src, func(st namerd.Stored) bool { return !st.Exists })
		changes, err := s.History(ctx, "default", 10)
		require.NoError(t, err)
		assert.Empty(t, changes)
		_, err = s.Create(ctx, "default", nil, namerd.Note{})
		require.NoError(t, err)
	})

	t.Run("another path prefix", func(t *testing.T) {
		o := open(t, etcd.Config{Endpoints: []string{server.URL}, PathPrefix: dtab.MustPath("/weft/prod")}, etcd.Options{})
		_, err := o.Create(ctx, "a/b", nil, namerd.Note{})
		require.NoError(t, err)
		all, err := c.Get(ctx, "/weft/", clientv3.WithPrefix(), clientv3.WithKeysOnly())
		require.NoError(t, err)
		var keys []string
		for _, kv := range all.Kvs {
			keys = append(keys, string(kv.Key))
		}
		assert.Equal(t, []string{"/weft/prod.history/a%2Fb/01", "/weft/prod.history/a%2Fb/head", "/weft/prod/a/b"}, keys)
	})
}

// TestOutages is what observers and callers see while etcd is away, and how soon they
// see that it is back.
func TestOutages(t *testing.T) {
	t.Parallel()
	server := servers.StartEtcd(t)
	p := newProxy(t, host(t, server.URL))
	direct := open(t, etcd.Config{Endpoints: []string{server.URL}}, etcd.Options{})
	log := &journal{}
	s := open(t, etcd.Config{Endpoints: []string{p.addr}}, etcd.Options{Logger: log.logger(), Patience: 700 * time.Millisecond, Timeout: 2 * time.Second})
	ctx := t.Context()
	v, err := direct.Create(ctx, "default", dtab.MustParse("/a=>/b"), namerd.Note{})
	require.NoError(t, err)
	src, list := s.Observe(ctx, "default"), s.Namespaces(ctx)
	comes(t, src, func(st namerd.Stored) bool { return st.Version == v })
	for _, tt := range []struct {
		name      string
		breakIt   func()
		meanwhile func()
	}{
		{"refused", p.refuseAll, func() {}},
		{"black hole", p.blackHole, func() {}},
		{"compaction meanwhile", p.refuseAll, func() {
			c := raw(t, server.URL)
			r, err := c.Get(ctx, "x")
			require.NoError(t, err)
			_, err = c.Compact(ctx, r.Header.Revision, clientv3.WithCompactPhysical())
			require.NoError(t, err)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			warned := log.count("cannot be reached")
			tt.breakIt()
			begin := time.Now()
			stale := state(t, src, func(st naming.State[namerd.Stored]) bool { return st.Err != nil })
			t.Logf("noticed after %v", time.Since(begin).Round(time.Millisecond))
			assert.Equal(t, v, stale.Value.Version)
			names := state(t, list, func(st naming.State[[]string]) bool { return st.Err != nil })
			assert.Equal(t, []string{"default"}, names.Value)
			assert.True(t, slices.ContainsFunc(s.Watches(), func(w naming.WatchStatus) bool { return w.Err != nil }))
			_, err := s.Get(ctx, "default")
			require.ErrorContains(t, err, "no success within 700ms")
			_, err = s.Update(ctx, "default", nil, v, namerd.Note{})
			require.Error(t, err)
			v, err = direct.Update(ctx, "default", nil, v, namerd.Note{})
			require.NoError(t, err, "the write that has failed was not made")
			_, err = direct.Create(ctx, "b", nil, namerd.Note{})
			require.NoError(t, err)
			require.NoError(t, direct.Delete(ctx, "b", "", namerd.Note{}))
			tt.meanwhile()
			p.heal()
			begin = time.Now()
			comes(t, src, func(st namerd.Stored) bool { return st.Version == v })
			t.Logf("back after %v", time.Since(begin).Round(time.Millisecond))
			assert.Equal(t, warned+1, log.count("cannot be reached"), "said once: %v", log)
		})
	}
}

// TestConnectionsAreCut resets all connections time and again, so that answers are lost:
// every write is made once, and no call fails.
func TestConnectionsAreCut(t *testing.T) {
	t.Parallel()
	server := servers.StartEtcd(t)
	p := newProxy(t, host(t, server.URL))
	h := storetest.Harness{Open: func(t *testing.T) namerd.Store {
		t.Helper()
		return &strict{Store: open(t, etcd.Config{Endpoints: []string{p.addr}}, etcd.Options{Patience: 60 * time.Second}), t: t}
	}}
	h.Concurrent(t, storetest.Load{Namespaces: 3, Writers: 30, Writes: 200, Faults: func(ctx context.Context) {
		for ctx.Err() == nil {
			pause(ctx, 150*time.Millisecond)
			p.reset()
		}
	}})
}

// TestAwayAtTheStart is that New needs no etcd, and that one that comes later is found.
func TestAwayAtTheStart(t *testing.T) {
	t.Parallel()
	server := servers.StartEtcd(t)
	server.Kill()
	for _, c := range []etcd.Config{{Endpoints: []string{server.URL}}, {Endpoints: []string{server.URL}, Username: "u", Password: "p"}} {
		s := open(t, c, etcd.Options{Patience: 300 * time.Millisecond})
		src, list := s.Observe(t.Context(), "default"), s.Namespaces(t.Context())
		st := state(t, src, func(st naming.State[namerd.Stored]) bool { return st.Err != nil })
		assert.False(t, st.Known)
		_, err := s.List(t.Context())
		require.Error(t, err)
		names, _ := list.Load()
		assert.False(t, names.Known, "no list is not an empty list")
		if c.Username != "" {
			continue
		}
		server.Start()
		comes(t, src, func(st namerd.Stored) bool { return !st.Exists })
		server.Kill()
	}
}

// TestAnotherCluster leads the store to an etcd with other data, whose revisions are
// lower than those that were seen.
func TestAnotherCluster(t *testing.T) {
	t.Parallel()
	one, two := servers.StartEtcd(t), servers.StartEtcd(t)
	first, second := open(t, etcd.Config{Endpoints: []string{one.URL}}, etcd.Options{}), open(t, etcd.Config{Endpoints: []string{two.URL}}, etcd.Options{})
	ctx := t.Context()
	for range 20 {
		_, err := first.Put(ctx, "default", dtab.MustParse("/a=>/1"), namerd.Note{})
		require.NoError(t, err)
	}
	_, err := second.Put(ctx, "default", dtab.MustParse("/a=>/2"), namerd.Note{})
	require.NoError(t, err)
	p := newProxy(t, host(t, one.URL))
	log := &journal{}
	s := open(t, etcd.Config{Endpoints: []string{"http://" + p.addr}}, etcd.Options{Logger: log.logger()})
	src := s.Observe(ctx, "default")
	before := comes(t, src, func(st namerd.Stored) bool { return st.Dtab.String() == "/a=>/1" })
	p.lead(host(t, two.URL))
	p.reset()
	after := comes(t, src, func(st namerd.Stored) bool { return st.Dtab.String() == "/a=>/2" })
	assert.False(t, after.Revision.Before(before.Revision), "they cannot be compared")
	assert.Positive(t, log.count("not the data"), "%v", log)
}

// TestPermissions has an etcd with users.
func TestPermissions(t *testing.T) {
	t.Parallel()
	server := servers.StartEtcd(t, "--auth-token-ttl", "2")
	c, ctx := raw(t, server.URL), t.Context()
	must := func(_ any, err error) {
		t.Helper()
		require.NoError(t, err)
	}
	grant := func(role, prefix string, p clientv3.PermissionType) {
		t.Helper()
		must(c.RoleGrantPermission(ctx, role, prefix, clientv3.GetPrefixRangeEnd(prefix), p))
	}
	must(c.UserAdd(ctx, "root", "root"))
	must(c.UserGrantRole(ctx, "root", "root"))
	for _, user := range []string{"writer", "reader", "nobody"} {
		must(c.RoleAdd(ctx, user))
		must(c.UserAdd(ctx, user, "pw"))
		must(c.UserGrantRole(ctx, user, user))
	}
	for _, prefix := range []string{"/namerd/dtabs/", "/namerd/history/"} {
		grant("writer", prefix, clientv3.PermissionType(clientv3.PermReadWrite))
		grant("reader", prefix, clientv3.PermissionType(clientv3.PermRead))
	}
	must(c.AuthEnable(ctx))
	as := func(user, password string) *etcd.Store {
		t.Helper()
		return open(t, etcd.Config{Endpoints: []string{server.URL}, Username: user, Password: password}, etcd.Options{})
	}
	writer, reader := as("writer", "pw"), as("reader", "pw")
	v, err := writer.Create(ctx, "default", nil, namerd.Note{})
	require.NoError(t, err)
	st, err := reader.Get(ctx, "default")
	require.NoError(t, err)
	assert.Equal(t, v, st.Version)
	_, err = reader.Update(ctx, "default", nil, v, namerd.Note{})
	require.ErrorIs(t, err, namerd.ErrForbidden)
	require.ErrorIs(t, reader.Delete(ctx, "default", "", namerd.Note{}), namerd.ErrForbidden)
	src := reader.Observe(ctx, "default")
	comes(t, src, func(st namerd.Stored) bool { return st.Version == v })

	for _, s := range []*etcd.Store{as("nobody", "pw"), as("writer", "wrong"), open(t, etcd.Config{Endpoints: []string{server.URL}}, etcd.Options{})} {
		_, err = s.List(ctx)
		require.ErrorIs(t, err, namerd.ErrForbidden)
		_, err = s.Get(ctx, "default")
		require.ErrorIs(t, err, namerd.ErrForbidden)
		_, err = s.Put(ctx, "default", nil, namerd.Note{})
		require.ErrorIs(t, err, namerd.ErrForbidden)
		bad := state(t, s.Observe(ctx, "default"), func(st naming.State[namerd.Stored]) bool { return st.Err != nil })
		require.ErrorIs(t, bad.Err, namerd.ErrForbidden)
		assert.False(t, bad.Known)
	}

	// Tokens that have expired, and those that an etcd that was started again never knew.
	pause(ctx, 4*time.Second)
	v, err = writer.Put(ctx, "default", nil, namerd.Note{})
	require.NoError(t, err)
	comes(t, src, func(st namerd.Stored) bool { return st.Version == v })
	server.Kill()
	server.Start()
	v, err = writer.Put(ctx, "default", nil, namerd.Note{})
	require.NoError(t, err)
	comes(t, src, func(st namerd.Stored) bool { return st.Version == v })
}

func TestConfigurations(t *testing.T) {
	for text, c := range map[string]etcd.Config{
		`endpoints: "nowhere": must be host:port`:               {Endpoints: []string{"nowhere"}},
		`endpoints: "ftp://a:1": must be host:port`:             {Endpoints: []string{"localhost:2379", "ftp://a:1"}},
		`endpoints: "a:0": port "0": want 1 to 65535`:           {Endpoints: []string{"a:0"}},
		`endpoints: "http://a:1/x": must be host:port`:          {Endpoints: []string{"http://a:1/x"}},
		`username and password: one of them is missing`:         {Username: "u"},
		`endpoints: ":2379": must be host:port, http://host:po`: {Endpoints: []string{":2379"}},
	} {
		_, err := etcd.New(c, etcd.Options{})
		require.ErrorContains(t, err, text)
		assert.True(t, strings.HasPrefix(err.Error(), "etcd: "))
	}
	s, err := etcd.New(etcd.Config{}, etcd.Options{})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	assert.Empty(t, s.Watches())
}

package consul_test

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/internal/storetest"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/consul"
	"github.com/weft-mesh/weft/naming"
)

// TestOthers is that the layout in Consul is what it is said to be, and that what others
// write there is as good.
func TestOthers(t *testing.T) {
	t.Parallel()
	server := servers.StartConsul(t, servers.ConsulOptions{})
	ctx := t.Context()
	kv := server.URL + "/v1/kv/"
	log := &journal{}
	s := open(t, at(t, server.Addr, consul.Config{}), consul.Options{Logger: log.logger()})
	list, err := s.List(ctx)
	require.NoError(t, err)
	assert.Equal(t, []string{}, list, "no root is no error")
	v, err := s.Create(ctx, "default", dtab.MustParse("/a=>/b;/b => /c"), namerd.Note{Author: "me"})
	require.NoError(t, err)
	assert.Equal(t, "/a=>/b;/b=>/c", raw(t, "GET", kv+"namerd/dtabs/default?raw=true", ""))
	var meta []struct{ ModifyIndex json.Number }
	require.NoError(t, json.Unmarshal([]byte(raw(t, "GET", kv+"namerd/dtabs/default", "")), &meta))
	assert.Equal(t, namerd.Version(meta[0].ModifyIndex), v)
	assert.Equal(t, `["namerd/history/default/01","namerd/history/default/head"]`, raw(t, "GET", kv+"namerd/history/default?keys=true", ""))

	// Row 121 of the specification, and updates of what is not there.
	_, err = s.Create(ctx, "default", nil, namerd.Note{})
	require.ErrorIs(t, err, namerd.ErrExists)
	_, err = s.Update(ctx, "absent", nil, v, namerd.Note{})
	require.ErrorIs(t, err, namerd.ErrMissing)

	src := s.Observe(ctx, "default")
	comes(t, src, func(st namerd.Stored) bool { return st.Version == v })
	// Linkerd's namerd writes so.
	assert.Equal(t, "true", raw(t, "PUT", kv+"namerd/dtabs/default?cas="+string(v), "/x=>/y"))
	st := comes(t, src, func(st namerd.Stored) bool { return st.Dtab.String() == "/x=>/y" })
	assert.Equal(t, "false", raw(t, "PUT", kv+"namerd/dtabs/default?cas="+string(v), "/x=>/y"))
	v, err = s.Update(ctx, "default", nil, st.Version, namerd.Note{})
	require.NoError(t, err)
	comes(t, src, func(st namerd.Stored) bool { return st.Version == v })
	for _, key := range []string{"", "sub/dir", "odd.name"} {
		assert.Equal(t, "true", raw(t, "PUT", kv+"namerd/dtabs/"+key, "/o=>/d"))
	}
	list, err = s.List(ctx)
	require.NoError(t, err)
	assert.Equal(t, []string{"default", "odd.name"}, list)
	names := state(t, s.Namespaces(ctx), func(st naming.State[[]string]) bool { return len(st.Value) == 2 })
	assert.Equal(t, list, names.Value)
	got, err := s.Get(ctx, "odd.name")
	require.NoError(t, err)
	assert.Equal(t, "/o=>/d", got.Dtab.String())

	t.Run("what is not a dtab", func(t *testing.T) {
		raw(t, "PUT", kv+"namerd/dtabs/default", "junk")
		bad := state(t, src, func(st naming.State[namerd.Stored]) bool { return st.Err != nil })
		assert.Equal(t, v, bad.Value.Version, "what was before it holds")
		_, err = s.Get(ctx, "default")
		require.ErrorContains(t, err, "not a dtab")
		fresh := open(t, at(t, server.Addr, consul.Config{}), consul.Options{})
		first := state(t, fresh.Observe(ctx, "default"), func(st naming.State[namerd.Stored]) bool { return st.Err != nil })
		assert.False(t, first.Known)
		v, err := s.Put(ctx, "default", nil, namerd.Note{})
		require.NoError(t, err)
		comes(t, src, func(st namerd.Stored) bool { return st.Version == v })
		assert.Equal(t, 1, log.count("a value is not a dtab"), "said once: %v", log)
	})

	t.Run("two stores count in the same sequence", func(t *testing.T) {
		other := open(t, at(t, server.Addr, consul.Config{}), consul.Options{})
		before, err := s.Get(ctx, "default")
		require.NoError(t, err)
		_, err = other.Put(ctx, "default", nil, namerd.Note{})
		require.NoError(t, err)
		after, err := other.Get(ctx, "default")
		require.NoError(t, err)
		assert.True(t, before.Revision.Before(after.Revision), "%v, %v", before.Revision, after.Revision)
	})
}

// TestOutages is what observers and callers see while the agent is away, and how soon
// they see that it is back.
func TestOutages(t *testing.T) {
	t.Parallel()
	server := servers.StartConsul(t, servers.ConsulOptions{})
	p := newProxy(t, server.Addr)
	direct := open(t, at(t, server.Addr, consul.Config{}), consul.Options{})
	log := &journal{}
	s := open(t, at(t, p.addr, consul.Config{}), consul.Options{Logger: log.logger(), Patience: 700 * time.Millisecond, Timeout: 2 * time.Second, Wait: 2 * time.Second})
	ctx := t.Context()
	v, err := direct.Create(ctx, "default", dtab.MustParse("/a=>/b"), namerd.Note{})
	require.NoError(t, err)
	src, list := s.Observe(ctx, "default"), s.Namespaces(ctx)
	comes(t, src, func(st namerd.Stored) bool { return st.Version == v })
	for _, tt := range []struct {
		name    string
		breakIt func()
	}{{"refused", p.refuseAll}, {"black hole", p.blackHole}} {
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
			p.heal()
			begin = time.Now()
			comes(t, src, func(st namerd.Stored) bool { return st.Version == v })
			t.Logf("back after %v", time.Since(begin).Round(time.Millisecond))
			assert.Equal(t, warned+1, log.count("cannot be reached"), "said once: %v", log)
		})
	}
	t.Run("fail fast", func(t *testing.T) {
		p.refuseAll()
		fast := open(t, at(t, p.addr, consul.Config{FailFast: true}), consul.Options{})
		begin := time.Now()
		_, err := fast.List(ctx)
		require.Error(t, err)
		assert.Less(t, time.Since(begin), 10*time.Second)
		p.heal()
	})
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

// TestConnectionsAreCut resets all connections time and again, and kills the server
// once, so that answers are lost: every write is made once, and no call fails.
func TestConnectionsAreCut(t *testing.T) {
	t.Parallel()
	server := servers.StartConsul(t, servers.ConsulOptions{})
	p := newProxy(t, server.Addr)
	h := storetest.Harness{Open: func(t *testing.T) namerd.Store {
		t.Helper()
		return &strict{Store: open(t, at(t, p.addr, consul.Config{}), consul.Options{Patience: 90 * time.Second}), t: t}
	}}
	h.Concurrent(t, storetest.Load{Namespaces: 3, Writers: 20, Writes: 120, Faults: func(ctx context.Context) {
		for i := 0; ctx.Err() == nil; i++ {
			pause(ctx, 150*time.Millisecond)
			p.reset()
			if i == 4 {
				server.Kill()
				server.Start()
			}
		}
	}})
}

// TestSetBack is that of a server which has lost what it knew, as after the restoration
// of a snapshot, what there is now is taken, in another sequence.
func TestSetBack(t *testing.T) {
	t.Parallel()
	server := servers.StartConsul(t, servers.ConsulOptions{})
	s := open(t, at(t, server.Addr, consul.Config{}), consul.Options{})
	ctx := t.Context()
	for range 40 {
		_, err := s.Put(ctx, "default", nil, namerd.Note{})
		require.NoError(t, err)
	}
	src := s.Observe(ctx, "default")
	before := comes(t, src, func(st namerd.Stored) bool { return st.Exists })
	server.Kill()
	server.Wipe()
	server.Start()
	gone := comes(t, src, func(st namerd.Stored) bool { return !st.Exists })
	assert.False(t, gone.Revision.Before(before.Revision), "%v after %v", gone.Revision, before.Revision)
	v, err := s.Create(ctx, "default", nil, namerd.Note{})
	require.NoError(t, err)
	after := comes(t, src, func(st namerd.Stored) bool { return st.Version == v })
	assert.False(t, after.Revision.Before(before.Revision), "%v after %v", after.Revision, before.Revision)
}

// TestPermissions has a Consul with ACLs.
func TestPermissions(t *testing.T) {
	t.Parallel()
	server := servers.StartConsul(t, servers.ConsulOptions{ACL: true})
	ctx := t.Context()
	token := func(rules string) string {
		t.Helper()
		quoted, err := json.Marshal(rules)
		require.NoError(t, err)
		var policy, tok struct{ ID, SecretID string }
		name := "p" + time.Now().Format("150405.000000000")[7:]
		require.NoError(t, json.Unmarshal([]byte(raw(t, "PUT", server.URL+"/v1/acl/policy", `{"Name":"`+name+`","Rules":`+string(quoted)+`}`)), &policy))
		require.NoError(t, json.Unmarshal([]byte(raw(t, "PUT", server.URL+"/v1/acl/token", `{"Policies":[{"ID":"`+policy.ID+`"}]}`)), &tok))
		return tok.SecretID
	}
	as := func(tok string) *consul.Store {
		t.Helper()
		return open(t, at(t, server.Addr, consul.Config{Token: tok}), consul.Options{})
	}
	losing := token(`key_prefix "namerd/" { policy = "write" }`)
	writer := as(token(`key_prefix "namerd/" { policy = "write" }`))
	reader := as(token(`key_prefix "namerd/" { policy = "read" }`))
	src := reader.Observe(ctx, "default")
	comes(t, src, func(st namerd.Stored) bool { return !st.Exists })
	v, err := writer.Create(ctx, "default", nil, namerd.Note{})
	require.NoError(t, err)
	comes(t, src, func(st namerd.Stored) bool { return st.Version == v })
	_, err = reader.Update(ctx, "default", nil, v, namerd.Note{})
	require.ErrorIs(t, err, namerd.ErrForbidden)
	require.ErrorIs(t, reader.Delete(ctx, "default", "", namerd.Note{}), namerd.ErrForbidden)
	for name, tok := range map[string]string{"anonymous": "", "unknown": "00000000-0000-4000-8000-000000000000", "of something else": token(`key_prefix "other/" { policy = "write" }`)} {
		s := as(tok)
		_, err = s.Get(ctx, "default")
		require.ErrorIs(t, err, namerd.ErrForbidden, name)
		_, err = s.List(ctx)
		require.ErrorIs(t, err, namerd.ErrForbidden, name)
		_, err = s.Put(ctx, "default", nil, namerd.Note{})
		require.ErrorIs(t, err, namerd.ErrForbidden, name)
		st := state(t, s.Namespaces(ctx), func(st naming.State[[]string]) bool { return !st.Pending() })
		require.ErrorIs(t, st.Err, namerd.ErrForbidden, name)
		assert.False(t, st.Known, "no permission is not an empty list")
	}

	// A token that is taken away does not take namespaces away.
	loser := as(losing)
	lost := loser.Namespaces(ctx)
	state(t, lost, func(st naming.State[[]string]) bool { return st.Known })
	var all []struct{ AccessorID, SecretID string }
	require.NoError(t, json.Unmarshal([]byte(raw(t, "GET", server.URL+"/v1/acl/tokens", "")), &all))
	self := all[slices.IndexFunc(all, func(a struct{ AccessorID, SecretID string }) bool { return a.SecretID == losing })]
	assert.NotContains(t, raw(t, "PUT", server.URL+"/v1/acl/token/"+self.AccessorID, `{"AccessorID":"`+self.AccessorID+`","Policies":[]}`), "rror")
	st := state(t, lost, func(st naming.State[[]string]) bool { return st.Err != nil })
	require.ErrorIs(t, st.Err, namerd.ErrForbidden)
	assert.Equal(t, []string{"default"}, st.Value)
}

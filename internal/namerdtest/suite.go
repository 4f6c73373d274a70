package namerdtest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/interpreter/remote"
)

// Interpreter is what is tested.
type Interpreter interface {
	naming.Interpreter
	naming.Delegator
	naming.Reporter
	io.Closer
	Stored() dtab.Dtab
}

// Settings are those of an Interpreter under test.
type Settings struct {
	Base                 dtab.Dtab
	RetryBase, RetryMax  time.Duration
	PingEvery, PingLimit time.Duration
	TLS                  *tls.Config
	Cache                remote.CacheOptions
}

// Harness is how a package serves a World and asks it.
type Harness struct {
	// Serve serves w on ln until it is stopped, which cuts all connections.
	Serve func(t *testing.T, ln net.Listener, w *World) (stop func())
	New   func(Settings, remote.Options) (Interpreter, error)
}

// eventually is the limit for what must happen but has no time of its own.
const eventually = 15 * time.Second

// back is how soon after namerd is back the state must be right.
const back = 2 * time.Second

// server is a namerd that can be stopped and started again at the same place.
type server struct {
	h    Harness
	w    *World
	addr string
	stop func()
}

func (s *server) start(t *testing.T) {
	t.Helper()
	var lc net.ListenConfig
	var ln net.Listener
	require.Eventually(t, func() (ok bool) {
		var err error
		ln, err = lc.Listen(t.Context(), "tcp", s.addr)
		return err == nil
	}, eventually, 10*time.Millisecond)
	s.addr = ln.Addr().String()
	s.stop = s.h.Serve(t, ln, s.w)
}

func (h Harness) server(t *testing.T) *server {
	t.Helper()
	s := &server{h: h, w: NewWorld(), addr: "127.0.0.1:0"}
	s.start(t)
	t.Cleanup(func() { s.stop() })
	return s
}

func fixed(addrs ...string) weft.Source[Addr] { return weft.Const[Addr]{V: Set(addrs...)} }

func (h Harness) client(t *testing.T, s Settings, endpoints weft.Source[Addr]) Interpreter {
	t.Helper()
	if s.RetryBase == 0 {
		s.RetryBase, s.RetryMax = 20*time.Millisecond, time.Second
	}
	in, err := h.New(s, remote.Options{
		Endpoints: func(context.Context) weft.Source[Addr] { return endpoints },
		Linger:    100 * time.Millisecond,
		Cache:     s.Cache,
		Logger:    slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, in.Close()) })
	return in
}

// await waits until ok holds for src, within the limit.
func await[T any](t *testing.T, src weft.Source[T], limit time.Duration, what string, ok func(T) bool) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	v, err := weft.Until(ctx, src, ok)
	require.NoError(t, err, "%s: it is %+v", what, v)
	return v
}

// awaitTree waits until src is known, well and shown as text.
func awaitTree(t *testing.T, src weft.Source[Tree], limit time.Duration, text string) Tree {
	t.Helper()
	return await(t, src, limit, "wanted "+text, func(st Tree) bool { return st.Known && st.Err == nil && show(st.Value) == text })
}

func awaitAddrs(t *testing.T, src weft.Source[Addr], limit time.Duration, want string) Addr {
	t.Helper()
	return await(t, src, limit, "wanted "+want, func(st Addr) bool { return st.Known && st.Err == nil && addrs(st.Value) == want })
}

func show(t dtab.Tree[*naming.Bound]) string {
	text := func(b *naming.Bound) dtab.Path {
		if b.Residual.IsEmpty() {
			return b.ID
		}
		return b.ID.Concat(dtab.MustPath("/:")).Concat(b.Residual)
	}
	return dtab.ShowTree(dtab.Map(t, text))
}

func addrs(set weft.EndpointSet) string {
	if set.Neg {
		return "neg"
	}
	all := make([]string, len(set.Endpoints))
	for i, e := range set.Endpoints {
		all[i] = e.Addr
	}
	return strings.Join(all, " ")
}

// Run runs the tests.
func (h Harness) Run(t *testing.T) {
	t.Helper()
	t.Run("names and endpoints are followed", h.follows)
	t.Run("namerd is down at the start", h.downAtStart)
	t.Run("namerd is restarted", h.restarted)
	t.Run("what was known outlives the process", h.cached)
	t.Run("connections are cut", h.cut)
	t.Run("a black hole is noticed", h.blackHole)
	t.Run("a peer that accepts and says nothing", h.silent)
	t.Run("endpoints of namerd come and go", h.moves)
	t.Run("a slow namerd", h.slow)
	t.Run("errors are answers", h.failures)
	t.Run("a new connection ends back-off", h.patient)
	t.Run("what nobody uses is not asked", h.lingers)
	t.Run("many names share what there is", h.many)
	t.Run("the dtab of the namespace", h.stored)
	t.Run("explanations", h.explains)
	t.Run("TLS", h.tls)
	t.Run("nobody waits after Close", h.closes)
}

func (h Harness) follows(t *testing.T) {
	s := h.server(t)
	in := h.client(t, Settings{Base: dtab.MustParse("/base=>/b")}, fixed(s.addr))
	src := in.Bind(t.Context(), dtab.MustParse("/svc=>0.25*/x & 0.75*/y"), dtab.MustPath("/svc/web"))
	st, _ := src.Load()
	assert.True(t, st.Pending())
	require.Eventually(t, func() bool { n, _ := s.w.Open("/svc/web"); return n == 1 }, eventually, time.Millisecond)
	_, rules := s.w.Open("/svc/web")
	assert.Equal(t, "/base=>/b;/svc=>0.25*/x & 0.75*/y", rules, "the router's rules, then those of the request")

	s.w.Tree("/svc/web").Store(Leaf("/#/io.l5d.fs/web", "/r"))
	awaitTree(t, src, eventually, "/#/io.l5d.fs/web/:/r")
	s.w.Tree("/svc/web").Store(Leaf("/#/io.l5d.fs/web", "/r2"))
	awaitTree(t, src, eventually, "/#/io.l5d.fs/web/:/r2") // only the residual changed
	s.w.Tree("/svc/web").Store(naming.Ok(dtab.UnionOf(
		dtab.LeafOf(Bound("/#/a", "/")).Weighing(0.123456789), dtab.LeafOf(Bound("/#/b", "/")).Weighing(2))))
	union := awaitTree(t, src, eventually, "0.12*/#/a & 2.00*/#/b")
	assert.InDelta(t, 0.123456789, union.Value.Kids[0].Weight, 1e-12)
	s.w.Tree("/svc/web").Store(naming.Ok(dtab.Tree[*naming.Bound]{}))
	awaitTree(t, src, eventually, "~")
	s.w.Tree("/svc/web").Store(naming.Ok(dtab.Tree[*naming.Bound]{Op: dtab.Empty}))
	awaitTree(t, src, eventually, "$")
	s.w.Tree("/svc/web").Store(naming.Ok(dtab.Tree[*naming.Bound]{Op: dtab.Fail}))
	awaitTree(t, src, eventually, "!")

	s.w.Tree("/svc/web").Store(Leaf("/%/io.l5d.port/80/#/io.l5d.fs/web", "/"))
	leaf := awaitTree(t, src, eventually, "/%/io.l5d.port/80/#/io.l5d.fs/web").Value.Value
	ends := leaf.Addrs(t.Context())
	pending, _ := ends.Load()
	assert.True(t, pending.Pending())
	w := s.w.Addr("/%/io.l5d.port/80/#/io.l5d.fs/web") // whether the prefix goes is namerd's business
	w.Store(naming.Ok(weft.EndpointSet{Meta: map[string]string{"authority": "web.example"}, Endpoints: []weft.Endpoint{
		{Addr: "10.0.0.1:80", Meta: map[string]string{"nodeName": "n1"}},
		{Addr: "10.0.0.2:80", Weight: 0.5, Meta: map[string]string{"nodeName": "n2"}},
		{Addr: "10.0.0.3:80", Weight: -1},
		{Addr: "[2001:db8::1]:8080"},
	}}))
	set := awaitAddrs(t, ends, eventually, "10.0.0.1:80 10.0.0.2:80 10.0.0.3:80 [2001:db8::1]:8080").Value
	assert.Equal(t, "web.example", set.Meta["authority"])
	assert.Equal(t, "n1", set.Endpoints[0].Meta["nodeName"])
	assert.Zero(t, set.Endpoints[0].Weight)
	assert.InDelta(t, 0.5, set.Endpoints[1].Weight, 0)
	assert.InDelta(t, 0, set.Endpoints[2].Share(), 0, "no traffic")
	w.Store(Set("10.0.0.9:80"))
	awaitAddrs(t, ends, eventually, "10.0.0.9:80")
	w.Store(Set())
	awaitAddrs(t, ends, eventually, "")
	w.Store(naming.Ok(weft.EndpointSet{Neg: true}))
	awaitAddrs(t, ends, eventually, "neg")
	w.Store(Set("10.0.0.1:80"))
	awaitAddrs(t, ends, eventually, "10.0.0.1:80")
}

// trouble returns the error of the watch whose name begins so.
func trouble(in Interpreter, watching string) error {
	for _, w := range in.Watches() {
		if strings.HasPrefix(w.Watching, watching) && w.Err != nil {
			return w.Err
		}
	}
	return nil
}

func (h Harness) downAtStart(t *testing.T) {
	s := h.server(t)
	s.stop()
	in := h.client(t, Settings{RetryBase: 5 * time.Second, RetryMax: 600 * time.Second}, fixed(s.addr))
	src := in.Bind(t.Context(), nil, dtab.MustPath("/svc/web"))
	require.Eventually(t, func() bool { return trouble(in, "bind /svc/web") != nil }, eventually, 10*time.Millisecond)
	st, _ := src.Load()
	var unanswered *naming.UnansweredError
	assert.False(t, st.Known)
	require.ErrorAs(t, st.Err, &unanswered, "the binding timeout of the router applies")
	assert.ErrorContains(t, trouble(in, "bind /svc/web"), "namerd cannot be asked: "+s.addr+": ")
	assert.ErrorContains(t, trouble(in, "bind /svc/web"), "connection refused")

	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := in.Delegate(ctx, nil, dtab.MustPath("/svc/web"))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.ErrorContains(t, err, "connection refused")

	time.Sleep(time.Second) // so that back-offs have grown
	s.w.Tree("/svc/web").Store(Leaf("/#/web", "/"))
	s.start(t)
	awaitTree(t, src, back, "/#/web")
}

func (h Harness) restarted(t *testing.T) {
	s := h.server(t)
	s.w.Tree("/svc/web").Store(Leaf("/#/web", "/"))
	s.w.Addr("/#/web").Store(Set("10.0.0.1:80"))
	in := h.client(t, Settings{RetryBase: 5 * time.Second, RetryMax: 600 * time.Second}, fixed(s.addr))
	src := in.Bind(t.Context(), nil, dtab.MustPath("/svc/web"))
	ends := awaitTree(t, src, eventually, "/#/web").Value.Value.Addrs(t.Context())
	awaitAddrs(t, ends, eventually, "10.0.0.1:80")
	for range 2 {
		s.stop()
		stale := await(t, src, eventually, "stale", func(st Tree) bool { return st.Err != nil })
		assert.Equal(t, "/#/web", show(stale.Value), "the last good answer stays")
		old := await(t, ends, eventually, "stale", func(st Addr) bool { return st.Err != nil })
		assert.Equal(t, "10.0.0.1:80", addrs(old.Value))
		time.Sleep(time.Second)
		s.w.Addr("/#/web").Store(Set("10.0.0.2:80"))
		s.start(t)
		begun := time.Now()
		awaitAddrs(t, ends, back, "10.0.0.2:80")
		awaitTree(t, src, back, "/#/web")
		t.Logf("right %s after the restart", time.Since(begun).Round(time.Millisecond))
		s.w.Addr("/#/web").Store(Set("10.0.0.1:80"))
		awaitAddrs(t, ends, eventually, "10.0.0.1:80")
	}
}

func (h Harness) cut(t *testing.T) {
	s := h.server(t)
	p := NewPipe(t, s.addr)
	s.w.Tree("/svc/web").Store(Leaf("/#/web", "/"))
	in := h.client(t, Settings{RetryBase: 5 * time.Second, RetryMax: 600 * time.Second}, fixed(p.Addr()))
	src := in.Bind(t.Context(), nil, dtab.MustPath("/svc/web"))
	awaitTree(t, src, eventually, "/#/web")
	for i := range 5 {
		p.Cut()
		id := fmt.Sprintf("/#/web%d", i)
		s.w.Tree("/svc/web").Store(Leaf(id, "/"))
		awaitTree(t, src, back, id)
	}
}

func (h Harness) blackHole(t *testing.T) {
	s := h.server(t)
	p := NewPipe(t, s.addr)
	s.w.Tree("/svc/web").Store(Leaf("/#/web", "/"))
	in := h.client(t, Settings{PingEvery: 200 * time.Millisecond, PingLimit: 500 * time.Millisecond}, fixed(p.Addr()))
	src := in.Bind(t.Context(), nil, dtab.MustPath("/svc/web"))
	awaitTree(t, src, eventually, "/#/web")
	p.Hole(true)
	s.w.Tree("/svc/web").Store(Leaf("/#/web2", "/"))
	begun := time.Now()
	stale := await(t, src, eventually, "noticed", func(st Tree) bool { return st.Err != nil })
	t.Logf("noticed after %s", time.Since(begun).Round(time.Millisecond))
	assert.ErrorContains(t, stale.Err, "no answer to a ping within 500ms")
	assert.Equal(t, "/#/web", show(stale.Value))
	time.Sleep(1500 * time.Millisecond) // attempts to connect hang by now
	p.Hole(false)
	awaitTree(t, src, back, "/#/web2")
}

func (h Harness) silent(t *testing.T) {
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = ln.Close() }() // accepts in the kernel, and that is all
	s := h.server(t)
	s.w.Tree("/svc/web").Store(Leaf("/#/web", "/"))
	in := h.client(t, Settings{}, fixed(ln.Addr().String(), s.addr))
	awaitTree(t, in.Bind(t.Context(), nil, dtab.MustPath("/svc/web")), eventually, "/#/web")
}

func (h Harness) moves(t *testing.T) {
	one, two := h.server(t), h.server(t)
	one.w.Tree("/svc/web").Store(Leaf("/#/one", "/"))
	two.w.Tree("/svc/web").Store(Leaf("/#/two", "/"))
	endpoints := &weft.Var[Addr]{}
	in := h.client(t, Settings{}, endpoints)
	src := in.Bind(t.Context(), nil, dtab.MustPath("/svc/web"))
	require.Eventually(t, func() bool { return trouble(in, "bind /svc/web") != nil }, eventually, time.Millisecond)
	require.ErrorContains(t, trouble(in, "bind /svc/web"), "dst is not bound yet")
	endpoints.Store(naming.Failed[weft.EndpointSet](errors.New("boom")))
	require.Eventually(t, func() bool {
		return strings.HasSuffix(trouble(in, "bind /svc/web").Error(), "dst is not bound: boom")
	}, eventually, time.Millisecond)
	endpoints.Store(Set(one.addr))
	awaitTree(t, src, eventually, "/#/one")
	endpoints.Store(naming.Ok(weft.EndpointSet{Neg: true})) // no reason to leave
	endpoints.Store(Set())
	endpoints.Store(Set(two.addr))
	awaitTree(t, src, eventually, "/#/two")
	endpoints.Store(Set(one.addr, two.addr))
	two.stop()
	awaitTree(t, src, eventually, "/#/one")
	two.start(t)
	one.stop()
	awaitTree(t, src, eventually, "/#/two")
	one.start(t)
}

func (h Harness) slow(t *testing.T) {
	s := h.server(t)
	p := NewPipe(t, s.addr)
	p.Slow(2 * time.Millisecond)
	s.w.Tree("/svc/web").Store(Leaf("/#/web", "/"))
	s.w.Addr("/#/web").Store(Set("10.0.0.1:80"))
	in := h.client(t, Settings{}, fixed(p.Addr()))
	src := in.Bind(t.Context(), nil, dtab.MustPath("/svc/web"))
	ends := awaitTree(t, src, eventually, "/#/web").Value.Value.Addrs(t.Context())
	awaitAddrs(t, ends, eventually, "10.0.0.1:80")
}

func (h Harness) failures(t *testing.T) {
	s := h.server(t)
	tree := s.w.Tree("/svc/web")
	tree.Store(naming.Failed[dtab.Tree[*naming.Bound]](errors.New("too many look-ups")))
	in := h.client(t, Settings{}, fixed(s.addr))
	src := in.Bind(t.Context(), nil, dtab.MustPath("/svc/web"))
	failed := await(t, src, eventually, "failed", func(st Tree) bool { return st.Err != nil })
	assert.False(t, failed.Known)
	assert.ErrorContains(t, failed.Err, "too many look-ups")
	tree.Store(Leaf("/#/web", "/"))
	ends := awaitTree(t, src, eventually, "/#/web").Value.Value.Addrs(t.Context())
	tree.Store(naming.Failed[dtab.Tree[*naming.Bound]](errors.New("boom")))
	stale := await(t, src, eventually, "stale", func(st Tree) bool { return st.Err != nil })
	assert.Equal(t, "/#/web", show(stale.Value))
	tree.Store(Leaf("/#/web", "/"))
	awaitTree(t, src, eventually, "/#/web")

	s.w.Addr("/#/web").Store(naming.Failed[weft.EndpointSet](errors.New("name tree failed")))
	none := await(t, ends, eventually, "failed", func(st Addr) bool { return st.Err != nil })
	assert.False(t, none.Known)
	assert.ErrorContains(t, none.Err, "name tree failed")
	s.w.Addr("/#/web").Store(Set("10.0.0.1:80"))
	awaitAddrs(t, ends, eventually, "10.0.0.1:80")
}

// patient: a new connection ends the wait after an answer that is an error.
func (h Harness) patient(t *testing.T) {
	s := h.server(t)
	s.w.Tree("/svc/web").Store(naming.Failed[dtab.Tree[*naming.Bound]](errors.New("storage is not there yet")))
	in := h.client(t, Settings{RetryBase: time.Hour, RetryMax: time.Hour}, fixed(s.addr))
	src := in.Bind(t.Context(), nil, dtab.MustPath("/svc/web"))
	await(t, src, eventually, "failed", func(st Tree) bool { return st.Err != nil })
	s.stop()
	s.w.Tree("/svc/web").Store(Leaf("/#/web", "/"))
	s.start(t)
	awaitTree(t, src, back, "/#/web")
}

func (h Harness) lingers(t *testing.T) {
	s := h.server(t)
	s.w.Tree("/svc/web").Store(Leaf("/#/web", "/"))
	in := h.client(t, Settings{}, fixed(s.addr))
	ctx, cancel := context.WithCancel(t.Context())
	a := in.Bind(ctx, nil, dtab.MustPath("/svc/web"))
	b := in.Bind(ctx, nil, dtab.MustPath("/svc/web"))
	awaitTree(t, a, eventually, "/#/web")
	awaitTree(t, b, eventually, "/#/web")
	require.Eventually(t, func() bool { n, _ := s.w.Open("/svc/web"); return n == 1 }, eventually, time.Millisecond)
	assert.Equal(t, 1, s.w.Most("/svc/web"), "one watch for all who ask the same")
	for _, w := range in.Watches() {
		assert.NotContains(t, w.Watching, "addr", "endpoints are followed by who uses them")
	}
	cancel()
	require.Eventually(t, func() bool { n, _ := s.w.Open("/svc/web"); return n == 0 }, eventually, time.Millisecond,
		"namerd is told that nobody waits any more")
	require.Eventually(t, func() bool { return len(in.Watches()) == 1 }, eventually, time.Millisecond, "%s", in.Watches())
}

func (h Harness) many(t *testing.T) {
	const names = 200
	s := h.server(t)
	in := h.client(t, Settings{}, fixed(s.addr))
	var all []weft.Source[Tree]
	for i := range names {
		name := fmt.Sprintf("/svc/%d", i)
		all = append(all, in.Bind(t.Context(), nil, dtab.MustPath(name)))
		s.w.Tree(name).Store(Leaf("/#"+name, "/"))
	}
	for round := range 3 {
		for i := range names {
			awaitTree(t, all[i], eventually, dtab.MustPath(fmt.Sprintf("/#/svc/%d", i)).String()+strings.Repeat("/:/r", min(round, 1))+strings.Repeat("/r", max(round-1, 0)))
		}
		for i := range names {
			s.w.Tree(fmt.Sprintf("/svc/%d", i)).Store(Leaf(fmt.Sprintf("/#/svc/%d", i), strings.Repeat("/r", round+1)))
		}
	}
}

func (h Harness) stored(t *testing.T) {
	s := h.server(t)
	s.w.Dtab().Store(naming.Ok(dtab.MustParse(`/svc/*=>/a/\x2a\x78 | 0.3*/b & 0.7*/c;/x=>$`)))
	in := h.client(t, Settings{}, fixed(s.addr))
	require.Eventually(t, func() bool { return in.Stored().String() == `/svc/*=>/a/\x2a\x78 | 0.30*/b & 0.70*/c;/x=>$` }, eventually, time.Millisecond,
		"%s", in.Stored())
	s.w.Dtab().Store(naming.Ok(dtab.MustParse("/y=>/z")))
	require.Eventually(t, func() bool { return in.Stored().String() == "/y=>/z" }, eventually, time.Millisecond)
}

func (h Harness) explains(t *testing.T) {
	s := h.server(t)
	s.w.Addr("/$/inet/127.1/8080").Store(Set("127.0.0.1:8080"))
	rule := dtab.MustParse("/boo=>/foo;/foo=>/bah | /$/fail;/bah/humbug=>/$/inet/127.1/8080")
	leaf := naming.Delegation{Kind: naming.KindLeaf, Path: dtab.MustPath("/$/inet/127.1/8080/ya"), Dentry: &rule[2], Bound: Bound("/$/inet/127.1/8080", "/ya")}
	want := naming.Delegation{Kind: naming.KindDelegate, Path: dtab.MustPath("/boo/humbug/ya"), Kids: []naming.Delegation{
		{Kind: naming.KindAlt, Path: dtab.MustPath("/foo/humbug/ya"), Dentry: &rule[0], Kids: []naming.Delegation{
			{Kind: naming.KindNeg, Path: dtab.MustPath("/bar/humbug/ya"), Dentry: &rule[1]},
			{Kind: naming.KindDelegate, Path: dtab.MustPath("/bah/humbug/ya"), Dentry: &rule[1], Kids: []naming.Delegation{leaf}},
			{Kind: naming.KindFail, Path: dtab.MustPath("/$/fail/humbug/ya"), Dentry: &rule[1]},
			{Kind: naming.KindException, Path: dtab.MustPath("/#/error"), Dentry: &rule[1], Err: errors.New("boom")},
			{Kind: naming.KindNeg, Dentry: &rule[1]},
			{Kind: naming.KindUnion, Path: dtab.MustPath("/u"), Dentry: &rule[1], Kids: []naming.Delegation{
				{Kind: naming.KindEmpty, Path: dtab.MustPath("/$/nil"), Dentry: &rule[1], Weight: 0.25},
				{
					Kind: naming.KindTransformation, Path: dtab.MustPath("/#/web"), Name: "transformer", Weight: 0.75, Dentry: &rule[1],
					Bound: Bound("/$/inet/127.1/8080", "/"), Kids: []naming.Delegation{leaf},
				},
			}},
		}},
	}}
	s.w.Explain("/boo/humbug/ya", want)
	in := h.client(t, Settings{}, fixed(s.addr))
	got, err := in.Delegate(t.Context(), nil, dtab.MustPath("/boo/humbug/ya"))
	require.NoError(t, err)
	wantText := want.MapLeaves(func(d naming.Delegation) naming.Delegation {
		d.Addr = Set("127.0.0.1:8080")
		return d
	})
	wantText.Kids[0].Kids[5].Kids[1].Addr = Set("127.0.0.1:8080")
	a, err := wantText.MarshalJSON()
	require.NoError(t, err)
	b, err := got.MarshalJSON()
	require.NoError(t, err)
	assert.JSONEq(t, string(a), string(b)) //nolint:testifylint // the order of fields is naming's
	way := got.WayTo(dtab.MustPath("/$/inet/127.1/8080"))
	require.NotEmpty(t, way)
	ends, err := weft.Until(t.Context(), way[len(way)-1].Bound.Addrs(t.Context()), func(st Addr) bool { return !st.Pending() })
	require.NoError(t, err)
	assert.Equal(t, "127.0.0.1:8080", addrs(ends.Value))

	_, err = in.Delegate(t.Context(), nil, dtab.MustPath("/no/explanation"))
	assert.ErrorContains(t, err, "no explanation")
}

func (h Harness) closes(t *testing.T) {
	s := h.server(t)
	s.w.Tree("/svc/web").Store(Leaf("/#/web", "/"))
	in := h.client(t, Settings{}, fixed(s.addr))
	awaitTree(t, in.Bind(t.Context(), nil, dtab.MustPath("/svc/web")), eventually, "/#/web")
	in.Bind(t.Context(), nil, dtab.MustPath("/svc/pending"))
	require.NoError(t, in.Close())
	require.NoError(t, in.Close())
	st, _ := in.Bind(t.Context(), nil, dtab.MustPath("/svc/web")).Load()
	require.ErrorIs(t, st.Err, naming.ErrClosed)
	_, err := in.Delegate(t.Context(), nil, dtab.MustPath("/svc/web"))
	require.ErrorIs(t, err, naming.ErrClosed)
	_ = in.Stored()
}

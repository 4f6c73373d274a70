package naming_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

type bound = naming.State[dtab.Tree[*naming.Bound]]

// chain is a dtab that leads to /#/n/web in n look-ups, the last one of which is
// the namer's.
func chain(n int) dtab.Dtab {
	var b strings.Builder
	for i := range n - 2 {
		fmt.Fprintf(&b, "/h%d=>/h%d;", i, i+1)
	}
	fmt.Fprintf(&b, "/h%d=>/#/n/web", n-2)
	return dtab.MustParse(b.String())
}

// B50: 100 successive look-ups succeed and the 101st fails.
func TestDepthLimit(t *testing.T) {
	in := naming.NewInterpreter(naming.Options{Namers: naming.Namers{{Prefix: path("/#/n"), Namer: naming.NamerFunc(stubN)}}})
	defer func() { require.NoError(t, in.Close()) }()
	s, _ := in.Bind(t.Context(), chain(100), path("/h0")).Load()
	require.Equal(t, "L(/#/n/web)", showState(s))
	s, _ = in.Bind(t.Context(), chain(101), path("/h0")).Load()
	require.Equal(t, "Failed(Max recursion level: 100 reached in Namer lookup)", showState(s))
	require.ErrorIs(t, s.Err, naming.ErrTooDeep)
}

// B58: namers listed later are asked first, whatever the length of the prefix.
func TestNamersListedLaterAreAskedFirst(t *testing.T) {
	bindTo := func(id string) naming.Namer {
		return naming.NamerFunc(func(_ context.Context, p dtab.Path) weft.Source[answer] {
			return naming.Answer(dtab.LeafOf(naming.Fixed(path(id), p, endpoints())))
		})
	}
	a := naming.Prefixed{Prefix: path("/#/boo/urns"), Namer: bindTo("/#/boo/urns")}
	b := naming.Prefixed{Prefix: path("/#/boo"), Namer: bindTo("/#/boo")}
	for want, namers := range map[string]naming.Namers{
		"L(/#/boo + /urns)": {a, b},
		"L(/#/boo/urns)":    {b, a},
	} {
		in := naming.NewInterpreter(naming.Options{Namers: namers})
		s, _ := in.Bind(t.Context(), nil, path("/#/boo/urns")).Load()
		require.Equal(t, want, showState(s))
		require.NoError(t, in.Close())
	}
	x, y, overlap := naming.Namers{a, {Prefix: path("/#/boot")}, b}.Overlap()
	require.True(t, overlap)
	require.Equal(t, []dtab.Path{a.Prefix, b.Prefix}, []dtab.Path{x, y})
	_, _, overlap = naming.Namers{b, {Prefix: path("/#/boot")}}.Overlap()
	require.False(t, overlap)
}

// The request's rules win over Base, and those over the stored ones.
func TestOrderOfDtabs(t *testing.T) {
	rules := func(to string) dtab.Dtab { return dtab.MustParse("/svc=>/#/n/" + to) }
	var stored weft.Var[naming.State[dtab.Dtab]]
	stored.Store(naming.Ok(rules("stored").Concat(dtab.MustParse("/s=>/#/n/s;/b=>/#/n/s;/l=>/#/n/s"))))
	in := naming.NewInterpreter(naming.Options{
		Namers: naming.Namers{{Prefix: path("/#/n"), Namer: naming.NamerFunc(stubN)}},
		Stored: &stored, Base: rules("base").Concat(dtab.MustParse("/b=>/#/n/b;/l=>/#/n/b")),
	})
	defer func() { require.NoError(t, in.Close()) }()
	for p, want := range map[string]string{"/svc": "local", "/s": "s", "/b": "b", "/l": "l"} {
		s, _ := in.Bind(t.Context(), rules("local").Concat(dtab.MustParse("/l=>/#/n/l")), path(p)).Load()
		require.Equal(t, "L(/#/n/"+want+")", showState(s))
	}
}

func TestConstantNamesNeedNoGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ctxs []context.Context
		in := naming.NewInterpreter(naming.Options{Namers: naming.Namers{{
			Prefix: path("/#/n"), Namer: naming.NamerFunc(func(ctx context.Context, p dtab.Path) weft.Source[answer] {
				ctxs = append(ctxs, ctx)
				return stubN(ctx, p)
			}),
		}}})
		_, stale := in.Bind(t.Context(), dtab.MustParse("/svc=>/#/n/neg | /#/n/a & /#/n/b"), path("/svc")).Load()
		require.Nil(t, stale)
		require.Len(t, ctxs, 3)
		for _, ctx := range ctxs {
			require.Error(t, ctx.Err(), "a constant has nothing to be kept up to date")
		}
		// The bubble fails if a goroutine is left here, before Close.
	})
}

// Beside a look-up that is kept up to date, a constant one is not.
func TestConstantLookupsAreLetGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		ctxs := map[string]context.Context{}
		note := func(n naming.Namer) naming.Namer {
			return naming.NamerFunc(func(ctx context.Context, p dtab.Path) weft.Source[answer] {
				ctxs[p.String()] = ctx
				return n.Lookup(ctx, p)
			})
		}
		in := naming.NewInterpreter(naming.Options{Namers: naming.Namers{
			{Prefix: path("/#/n"), Namer: note(naming.NamerFunc(stubN))}, {Prefix: path("/#/a"), Namer: note(w.board)},
		}})
		defer func() { require.NoError(t, in.Close()) }()
		in.Bind(t.Context(), dtab.MustParse("/svc=>/#/n/x & /#/a/y"), path("/svc"))
		require.Error(t, ctxs["/x"].Err())
		require.NoError(t, ctxs["/y"].Err())
	})
}

// Close returns only when no reading is going on.
func TestCloseWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := slow{weft.NewVar(naming.Ok(tree{})), &atomic.Bool{}}
		in := naming.NewInterpreter(naming.Options{Namers: naming.Namers{{
			Prefix: path("/#/s"), Namer: naming.NamerFunc(func(context.Context, dtab.Path) weft.Source[answer] { return src }),
		}}})
		in.Bind(t.Context(), nil, path("/#/s"))
		src.Store(naming.Ok(tree{}))
		time.Sleep(100 * time.Millisecond)
		require.True(t, src.loading.Load())
		require.NoError(t, in.Close())
		require.False(t, src.loading.Load())
	})
}

// slow is a Source that takes a second to read.
type slow struct {
	*weft.Var[answer]
	loading *atomic.Bool
}

func (s slow) Load() (answer, <-chan struct{}) {
	s.loading.Store(true)
	defer s.loading.Store(false)
	time.Sleep(time.Second)
	return s.Var.Load()
}

func TestLookupsEndWithTheBinding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		ctx, cancel := context.WithCancel(t.Context())
		rules := dtab.MustParse("/svc=>/#/a/x & /#/a/y")
		w.in.Bind(ctx, rules, path("/svc"))
		w.in.Bind(t.Context(), rules, path("/svc"))
		synctest.Wait()
		require.Equal(t, []string{"/#/a/x x2", "/#/a/y x2"}, w.board.looking(), "two bindings share nothing")
		cancel()
		synctest.Wait()
		require.Equal(t, []string{"/#/a/x x1", "/#/a/y x1"}, w.board.looking())
		require.NoError(t, w.in.Close())
		synctest.Wait()
		require.Empty(t, w.board.looking(), "Close ends what its users have not")
		s, stale := w.in.Bind(t.Context(), rules, path("/svc")).Load()
		require.Equal(t, naming.ErrClosed, s.Err)
		require.Nil(t, stale)
		_, err := w.in.Delegate(t.Context(), rules, path("/svc"))
		require.ErrorIs(t, err, naming.ErrClosed)
	})
}

// The first change is seen at once, and a storm costs few readings of which the
// last one sees the last change.
func TestSettle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var loads atomic.Int64
		var src weft.Var[answer]
		put := func(i int) {
			id := path(fmt.Sprintf("/#/s/%d", i))
			src.Store(naming.Ok(dtab.LeafOf(naming.Fixed(id, dtab.Path{}, endpoints()))))
		}
		put(0)
		in := naming.NewInterpreter(naming.Options{
			Namers: naming.Namers{{Prefix: path("/#/s"), Namer: naming.NamerFunc(func(context.Context, dtab.Path) weft.Source[answer] {
				return counting[answer]{&src, &loads}
			})}},
			Settle: 10 * time.Millisecond,
		})
		defer func() { require.NoError(t, in.Close()) }()
		out := in.Bind(t.Context(), dtab.MustParse("/svc=>/#/s | /#/s"), path("/svc"))
		both := in.Bind(t.Context(), dtab.MustParse("/svc=>/#/s & /#/s"), path("/svc"))
		time.Sleep(time.Second)
		synctest.Wait()

		before := time.Now()
		put(1)
		_, stale := out.Load()
		<-stale
		require.Zero(t, time.Since(before), "the first change after a quiet time is immediate")
		s, _ := out.Load()
		require.Equal(t, "L(/#/s/1)", showState(s))

		loads.Store(0)
		for i := range 1000 { // 100 ms
			put(i)
			time.Sleep(100 * time.Microsecond)
		}
		time.Sleep(10 * time.Millisecond)
		synctest.Wait()
		require.LessOrEqual(t, loads.Load(), int64(2*12), "one for each of the bindings in 10 ms, though one has the name twice")
		s, _ = out.Load()
		require.Equal(t, "L(/#/s/999)", showState(s))
		s, _ = both.Load()
		require.Equal(t, "Union(1*L(/#/s/999){1}, 1*L(/#/s/999){1})", showState(s))
	})
}

// counting counts the readings of a Source.
type counting[T any] struct {
	weft.Source[T]
	n *atomic.Int64
}

func (c counting[T]) Load() (T, <-chan struct{}) {
	c.n.Add(1)
	return c.Source.Load()
}

// A leaf that a change does not concern stays the same object, so that who uses
// its endpoints does not have to begin anew.
func TestUnchangedLeavesStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		w.board.put(path("/#/a/y"), naming.Ok(tree{}))
		src := w.in.Bind(t.Context(), dtab.MustParse("/svc=>2*/#/n/x & 3*/#/a/y & 4*/#/n/z"), path("/svc"))
		before, _ := src.Load()
		require.Len(t, before.Value.Kids, 2)
		w.board.put(path("/#/a/y"), naming.Ok(dtab.LeafOf(naming.Fixed(path("/#/a/y"), dtab.Path{}, endpoints()))))
		settle()
		after, _ := src.Load()
		require.Len(t, after.Value.Kids, 3)
		require.Same(t, before.Value.Kids[0].Value, after.Value.Kids[0].Value)
		require.Same(t, before.Value.Kids[1].Value, after.Value.Kids[2].Value)
	})
}

// The weight is noted while there is a set, and the set's own metadata is kept.
func TestWeightMetadataFollowsTheSet(t *testing.T) {
	var set weft.Var[naming.State[weft.EndpointSet]]
	in := naming.NewInterpreter(naming.Options{Namers: naming.Namers{{
		Prefix: path("/#/s"), Namer: naming.NamerFunc(func(_ context.Context, p dtab.Path) weft.Source[answer] {
			return naming.Answer(dtab.LeafOf(naming.Following(path("/#/s"), p, &set)))
		}),
	}}})
	defer func() { require.NoError(t, in.Close()) }()
	s, _ := in.Bind(t.Context(), dtab.MustParse("/svc=>0.25*/#/s & 0.75*~"), path("/svc")).Load()
	src := s.Value.Value.Addrs(t.Context())
	load := func() naming.State[weft.EndpointSet] {
		v, _ := src.Load()
		return v
	}
	require.Equal(t, naming.State[weft.EndpointSet]{}, load())
	set.Store(naming.Ok(weft.EndpointSet{Neg: true}))
	require.Nil(t, load().Value.Meta)
	original := weft.EndpointSet{Meta: map[string]string{"authority": "web"}}
	set.Store(naming.Ok(original))
	require.Equal(t, map[string]string{"authority": "web", naming.MetaTreeWeight: "0.25"}, load().Value.Meta)
	require.Len(t, original.Meta, 1, "what was published is not written to")
	set.Store(naming.Failed[weft.EndpointSet](errLost))
	require.Equal(t, errLost, load().Err)
}

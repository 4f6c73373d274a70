package naming_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// unionOf is a rule that splits over n names of /#/s.
func unionOf(n int) dtab.Dtab {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("/#/s/%d", i))
	}
	return dtab.MustParse("/svc=>" + strings.Join(names, " & "))
}

// BenchmarkReread is one change of an answer until the readers see it, which
// costs one reading of the whole tree.
func BenchmarkReread(b *testing.B) {
	for _, n := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("lookups=%d", n), func(b *testing.B) {
			vars := map[dtab.Path]*weft.Var[answer]{}
			put := func(p dtab.Path, residual string) {
				id := path("/#/s").Concat(p)
				vars[p].Store(naming.Ok(dtab.LeafOf(naming.Fixed(id, path(residual), endpoints()))))
			}
			in := naming.NewInterpreter(naming.Options{Namers: naming.Namers{{
				Prefix: path("/#/s"), Namer: naming.NamerFunc(func(_ context.Context, p dtab.Path) weft.Source[answer] {
					vars[p] = &weft.Var[answer]{}
					put(p, "/a")
					return vars[p]
				}),
			}}, Settle: -1})
			defer func() { require.NoError(b, in.Close()) }()
			src := in.Bind(b.Context(), unionOf(n), path("/svc"))
			b.ReportAllocs()
			residual := []string{"/b", "/a"}
			i := 0
			for b.Loop() {
				_, stale := src.Load()
				put(path("/0"), residual[i%2])
				<-stale
				i++
			}
		})
	}
}

// BenchmarkBind is the first binding of a name whose answers are known.
func BenchmarkBind(b *testing.B) {
	for _, n := range []int{1, 10} {
		b.Run(fmt.Sprintf("lookups=%d", n), func(b *testing.B) {
			a := naming.Answer(dtab.LeafOf(naming.Fixed(path("/#/s/0"), dtab.Path{}, endpoints())))
			in := naming.NewInterpreter(naming.Options{Base: unionOf(n), Namers: naming.Namers{{
				Prefix: path("/#/s"), Namer: naming.NamerFunc(func(context.Context, dtab.Path) weft.Source[answer] { return a }),
			}}})
			defer func() { require.NoError(b, in.Close()) }()
			p := path("/svc")
			b.ReportAllocs()
			for b.Loop() {
				in.Bind(b.Context(), nil, p)
			}
		})
	}
}

// BenchmarkLoad is what a request pays to see what its name is bound to.
func BenchmarkLoad(b *testing.B) {
	var src weft.Var[bound]
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			src.Load()
		}
	})
}

// BenchmarkObserve is one more observer of a running watch, coming and going.
func BenchmarkObserve(b *testing.B) {
	s := naming.NewShared(naming.WatchFunc[string, int](func(ctx context.Context, _ string, set func(naming.State[int])) error {
		set(naming.Ok(1))
		<-ctx.Done()
		return nil
	}), naming.SharedOptions{})
	defer func() { require.NoError(b, s.Close()) }()
	s.Observe(b.Context(), "a")
	b.ReportAllocs()
	for b.Loop() {
		ctx, cancel := context.WithCancel(b.Context())
		s.Observe(ctx, "a").Load()
		cancel()
	}
}

func TestLoadDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	w := newWorld(t)
	defer func() { require.NoError(t, w.in.Close()) }()
	src := w.in.Bind(t.Context(), dtab.MustParse("/svc=>/#/a/x & /#/n/y"), path("/svc"))
	require.Zero(t, testing.AllocsPerRun(100, func() { src.Load() }))

	s, _ := w.in.Bind(t.Context(), dtab.MustParse("/svc=>/#/n/x & /#/n/y"), path("/svc")).Load()
	addrs := s.Value.Kids[0].Value.Addrs(t.Context())
	require.Zero(t, testing.AllocsPerRun(100, func() { addrs.Load() }))
}

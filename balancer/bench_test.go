package balancer

import (
	"context"
	"fmt"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
)

// set returns n endpoints 10.0.x.y:80 without weights.
func set(n int) weft.EndpointSet {
	var s weft.EndpointSet
	for i := range n {
		s.Endpoints = append(s.Endpoints, weft.Endpoint{Addr: fmt.Sprintf("10.0.%d.%d:80", i/256, i%256)})
	}
	return s
}

func policies() map[string]Policy {
	return map[string]Policy{
		"p2c": P2C{}, "ewma": EWMA{}, "ewmaOriginal": EWMA{OriginalCost: true},
		"aperture": Aperture{MinAperture: 16}, "apertureEWMA": Aperture{MinAperture: 16, Cost: &EWMA{}},
		"apertureRing": Aperture{Coordinate: weft.Const[Coordinate]{V: Coordinate{ID: 1, Total: 4}}},
		"heap":         Heap{}, "roundRobin": RoundRobin{},
	}
}

func BenchmarkPick(b *testing.B) {
	ctx := context.Background()
	for name, policy := range policies() {
		for _, n := range []int{2, 10, 100, 1000} {
			b.Run(fmt.Sprintf("%s/n=%d", name, n), func(b *testing.B) {
				x := New(Options{Policy: policy})
				x.Update(set(n))
				b.ReportAllocs()
				for b.Loop() {
					p, _ := x.Pick(ctx, weft.Call{})
					p.Done(weft.Result{})
				}
			})
		}
	}
	b.Run("p2cWeights=4/n=100", func(b *testing.B) {
		x := New(Options{})
		s := set(100)
		for i := range s.Endpoints {
			s.Endpoints[i].Weight = float64(i%4 + 1)
		}
		x.Update(s)
		b.ReportAllocs()
		for b.Loop() {
			p, _ := x.Pick(ctx, weft.Call{})
			p.Done(weft.Result{})
		}
	})
}

func BenchmarkPickParallel(b *testing.B) {
	ctx := context.Background()
	for name, policy := range policies() {
		for _, n := range []int{10, 1000} {
			b.Run(fmt.Sprintf("%s/n=%d", name, n), func(b *testing.B) {
				x := New(Options{Policy: policy})
				x.Update(set(n))
				b.ReportAllocs()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						p, _ := x.Pick(ctx, weft.Call{})
						p.Done(weft.Result{})
					}
				})
			})
		}
	}
}

func BenchmarkUpdate(b *testing.B) {
	x := New(Options{})
	s, t := set(1000), set(999)
	for b.Loop() {
		x.Update(s)
		x.Update(t)
	}
}

// Two candidates must cost two cache misses.
func TestHotFieldsShareACacheLine(t *testing.T) {
	var e Endpoint
	require.EqualValues(t, 64, unsafe.Offsetof(e.addr))
	require.Zero(t, unsafe.Sizeof(e)%64)
}

func TestPickAndDoneDoNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for name, policy := range policies() {
		for _, avoid := range []string{"", "10.0.0.1:80"} {
			x := New(Options{Policy: policy})
			s := set(20)
			s.Endpoints[3].Weight = 2
			x.Update(s)
			require.Zero(t, testing.AllocsPerRun(1000, func() {
				p, _ := x.Pick(t.Context(), weft.Call{Avoid: avoid})
				p.Done(weft.Result{Class: weft.Failure})
			}), name)
		}
	}
}

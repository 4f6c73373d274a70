package balancer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/weft-mesh/weft"
)

// Vectors 109 and 111.
func TestPermutationDoesNotRebuild(t *testing.T) {
	b, _ := made(t, 5, Options{})
	p := mustPick(t, b)
	before := b.snap.Load()
	s := set(5)
	s.Endpoints[0], s.Endpoints[4] = s.Endpoints[4], s.Endpoints[0]
	b.Update(s)
	st := b.Stats()
	assert.EqualValues(t, 2, st.Updates)
	assert.EqualValues(t, 1, st.Rebuilds)
	assert.Same(t, before, b.snap.Load())

	b.Update(set(6))
	st = b.Stats()
	assert.EqualValues(t, 2, st.Rebuilds)
	assert.EqualValues(t, 6, st.Adds)
	assert.Contains(t, b.Endpoints(), p.Endpoint, "the handle survives")
	assert.EqualValues(t, 1, p.Endpoint.Pending())
	assert.InDelta(t, 1, st.Load, 0)

	b.Update(set(3))
	assert.EqualValues(t, 3, b.Stats().Removes)
	assert.Equal(t, 3, b.Stats().Size)
}

func TestDuplicateAddressesAreOneEndpoint(t *testing.T) {
	b, _ := made(t, 0, Options{})
	s := set(2)
	s.Endpoints = append(s.Endpoints, s.Endpoints[0])
	b.Update(s)
	assert.Len(t, b.Endpoints(), 2)
}

// Vector 110.
func TestEmpty(t *testing.T) {
	for name, policy := range policies() {
		for _, f := range []Fallback{PickAnyway, FailFast, WaitHealthy} {
			b := New(Options{Policy: policy, OnAllUnhealthy: f})
			_, err := b.Pick(t.Context(), weft.Call{})
			require.ErrorIs(t, err, ErrEmpty, name)
			b.Update(set(3))
			b.Update(weft.EndpointSet{Neg: true})
			_, err = b.Pick(t.Context(), weft.Call{})
			require.ErrorIs(t, err, ErrEmpty)
			assert.Zero(t, b.Stats().Panicked)
			assert.Equal(t, weft.Closed, b.Status())
		}
	}
}

func TestStatus(t *testing.T) {
	b, _ := made(t, 3, Options{})
	eps := b.Endpoints()
	assert.Equal(t, weft.Open, b.Status())
	eps[0].SetStatus(weft.Closed)
	eps[1].SetStatus(weft.Busy)
	assert.Equal(t, weft.Open, b.Status())
	eps[2].SetStatus(weft.Closed)
	assert.Equal(t, weft.Busy, b.Status())
	st := b.Stats()
	assert.Equal(t, []int{0, 1, 2}, []int{st.Available, st.Busy, st.Closed})
}

func TestAllUnhealthy(t *testing.T) {
	for name, policy := range policies() {
		t.Run(name, func(t *testing.T) {
			for _, n := range []int{1, 5} {
				b, _ := made(t, n, Options{Policy: policy})
				for _, e := range b.Endpoints() {
					e.SetStatus(weft.Busy)
				}
				mustPick(t, b).Done(weft.Result{})
				assert.EqualValues(t, 1, b.Stats().Panicked)

				b, _ = made(t, n, Options{Policy: policy, OnAllUnhealthy: FailFast})
				for _, e := range b.Endpoints() {
					e.SetStatus(weft.Busy)
				}
				_, err := b.Pick(t.Context(), weft.Call{})
				require.ErrorIs(t, err, ErrUnhealthy)
				// One healthy endpoint is found, however hard it is to draw.
				b.Endpoints()[n-1].SetStatus(weft.Open)
				for range 100 {
					require.Equal(t, b.Endpoints()[n-1], mustPick(t, b).Endpoint)
				}
			}
		})
	}
}

func TestWaitHealthy(t *testing.T) {
	type action func(b *Balancer, cancel context.CancelCauseFunc)
	boom := errors.New("boom")
	for _, v := range []struct {
		name string
		do   action
		err  error
		took time.Duration
	}{
		{"revived", func(b *Balancer, _ context.CancelCauseFunc) { b.Endpoints()[1].SetStatus(weft.Open) }, nil, time.Second},
		{"new endpoint", func(b *Balancer, _ context.CancelCauseFunc) { b.Update(set(4)) }, nil, time.Second},
		{"nothing", func(*Balancer, context.CancelCauseFunc) {}, ErrUnhealthy, 3 * time.Second},
		{"no help", func(b *Balancer, _ context.CancelCauseFunc) { b.Endpoints()[1].SetStatus(weft.Closed) }, ErrUnhealthy, 3 * time.Second},
		{"cancelled", func(_ *Balancer, cancel context.CancelCauseFunc) { cancel(boom) }, boom, time.Second},
		{"closed", func(b *Balancer, _ context.CancelCauseFunc) { b.Close() }, ErrClosed, time.Second},
		{"empty", func(b *Balancer, _ context.CancelCauseFunc) { b.Update(set(0)) }, ErrEmpty, time.Second},
	} {
		t.Run(v.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := New(Options{OnAllUnhealthy: WaitHealthy})
				b.Update(set(3))
				for _, e := range b.Endpoints() {
					e.SetStatus(weft.Busy)
				}
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				start := time.Now()
				time.AfterFunc(time.Second, func() { v.do(b, cancel) })
				p, err := b.Pick(ctx, weft.Call{})
				require.ErrorIs(t, err, v.err)
				assert.Equal(t, v.took, time.Since(start))
				if err == nil {
					assert.Equal(t, weft.Open, p.Endpoint.Status())
				}
			})
		})
	}
}

func TestDetachWaitsForTheWork(t *testing.T) {
	var gone []string
	b, _ := made(t, 2, Options{
		Attach: func(e *Endpoint) any { return "of " + e.Addr() },
		Detach: func(e *Endpoint) { gone = append(gone, e.Addr()) },
	})
	eps := b.Endpoints()
	assert.Equal(t, "of 10.0.0.1:80", eps[1].Attachment)
	p, q := Pick{Endpoint: eps[1]}, Pick{Endpoint: eps[1]}
	require.True(t, eps[1].acquire(0))
	require.True(t, eps[1].acquire(0))
	b.Update(set(1))
	p.Done(weft.Result{})
	require.Empty(t, gone)

	// Back before the work has ended: the same handle.
	b.Update(set(2))
	require.Same(t, eps[1], b.Endpoints()[1])
	q.Done(weft.Result{})
	require.Empty(t, gone)

	b.Update(set(1))
	require.Equal(t, []string{"10.0.0.1:80"}, gone)
	require.False(t, eps[1].acquire(0), "an old picker cannot use it any more")
	assert.Zero(t, eps[1].Pending())

	// Back after: another one.
	b.Update(set(2))
	require.NotSame(t, eps[1], b.Endpoints()[1])
}

func TestClose(t *testing.T) {
	gone := 0
	b, _ := made(t, 3, Options{Detach: func(*Endpoint) { gone++ }})
	p := mustPick(t, b)
	b.Close()
	b.Close()
	b.Update(set(5))
	assert.Equal(t, 2, gone)
	assert.EqualValues(t, 3, b.Stats().Removes)
	_, err := b.Pick(t.Context(), weft.Call{})
	require.ErrorIs(t, err, ErrClosed)
	p.Done(weft.Result{})
	assert.Equal(t, 3, gone)
	Pick{}.Done(weft.Result{})
}

func TestProbation(t *testing.T) {
	b, _ := made(t, 3, Options{Probation: true})
	eps := b.Endpoints()
	eps[2].SetStatus(weft.Busy)
	b.Update(set(0))
	assert.Len(t, b.Endpoints(), 2, "what works stays, what does not goes")
	spread(t, b, 10, true)
	eps[0].SetStatus(weft.Busy)
	assert.Equal(t, []*Endpoint{eps[1]}, b.Endpoints(), "until it does not")
	assert.EqualValues(t, 2, b.Stats().Removes)
	b.Update(set(2))
	assert.Same(t, eps[1], b.Endpoints()[1])
	eps[1].SetStatus(weft.Busy)
	assert.Len(t, b.Endpoints(), 2, "back in the set, its status does not matter")
	b.Update(weft.EndpointSet{Neg: true})
	assert.Empty(t, b.Endpoints(), "a name that does not exist has no endpoints")
}

// Vector 123, without the timer, which is the owner's.
func TestIdle(t *testing.T) {
	b, now := made(t, 3, Options{})
	eps := b.Endpoints()
	require.True(t, eps[0].acquire(0))
	*now = 100
	require.True(t, eps[1].acquire(*now))
	eps[1].release()
	*now = 150
	assert.Equal(t, []*Endpoint{eps[2]}, b.Idle(150), "not the one with work, nor the one used since")
	assert.Empty(t, b.Idle(150), "once")
	*now = 250
	assert.Equal(t, []*Endpoint{eps[1]}, b.Idle(150))
	eps[0].release()
	assert.Equal(t, []*Endpoint{eps[0]}, b.Idle(150))
	assert.EqualValues(t, 3, b.Stats().Expired)
}

func TestStatusMayBeSetInAttach(t *testing.T) {
	b, _ := made(t, 3, Options{
		Policy: RoundRobin{}, OnAllUnhealthy: FailFast,
		Attach: func(e *Endpoint) any {
			if e.Addr() != "10.0.0.1:80" {
				e.SetStatus(weft.Busy)
			}
			return nil
		},
	})
	assert.Equal(t, map[string]int{"10.0.0.1:80": 9}, spread(t, b, 9, true))
	assert.Zero(t, b.Stats().Panicked)
}

type picky struct{ eps []*Endpoint }

func (picky) Build(s Set) Picker { return picky{s.Endpoints} }

func (p picky) Pick(c weft.Call, _ int64) *Endpoint {
	for _, e := range p.eps {
		if e.Status() == weft.Open && e.Addr() != c.Avoid {
			return e
		}
	}
	return nil
}

func TestPickerThatFindsNothing(t *testing.T) {
	b, _ := made(t, 3, Options{Policy: picky{}})
	b.Endpoints()[0].SetStatus(weft.Busy)
	b.Endpoints()[1].SetStatus(weft.Busy)
	p, err := b.Pick(t.Context(), weft.Call{Avoid: b.Endpoints()[2].Addr()})
	require.NoError(t, err)
	assert.Same(t, b.Endpoints()[2], p.Endpoint)
	b.Endpoints()[2].SetStatus(weft.Busy)
	assert.Len(t, spread(t, b, 100, true), 3)
}

// A picker that returns an endpoint which has left must not hang the pick.
func TestPickerThatHoldsOnToAnEndpoint(t *testing.T) {
	b, _ := made(t, 2, Options{Policy: stubborn{new(atomic.Pointer[Endpoint])}})
	mustPick(t, b).Done(weft.Result{})
	s := set(2)
	s.Endpoints = s.Endpoints[1:]
	b.Update(s)
	_, err := b.Pick(t.Context(), weft.Call{})
	require.ErrorIs(t, err, ErrEmpty)
}

type stubborn struct{ first *atomic.Pointer[Endpoint] }

func (p stubborn) Build(s Set) Picker {
	p.first.CompareAndSwap(nil, s.Endpoints[0])
	return p
}
func (p stubborn) Pick(weft.Call, int64) *Endpoint { return p.first.Load() }

func TestPicksStayInTheSet(t *testing.T) {
	all := policies()
	names := []string{"p2c", "ewma", "aperture", "apertureEWMA", "apertureRing", "heap", "roundRobin"}
	rapid.Check(t, func(rt *rapid.T) {
		attached, detached := map[*Endpoint]int{}, map[*Endpoint]int{}
		b := New(Options{
			Policy:    all[rapid.SampledFrom(names).Draw(rt, "policy")],
			Rand:      NewRand(rapid.Uint64().Draw(rt, "seed")),
			Probation: rapid.Bool().Draw(rt, "probation"),
			Attach:    func(e *Endpoint) any { attached[e]++; return nil },
			Detach:    func(e *Endpoint) { detached[e]++ },
		})
		var held []Pick
		rt.Repeat(map[string]func(*rapid.T){
			"": func(rt *rapid.T) {
				work := map[*Endpoint]int64{}
				for _, p := range held {
					work[p.Endpoint]++
				}
				current := map[*Endpoint]bool{}
				for _, e := range b.Endpoints() {
					current[e] = true
				}
				for e := range attached {
					if e.Pending() != work[e] {
						rt.Fatalf("pending %d, want %d", e.Pending(), work[e])
					}
					want := 1
					if current[e] || work[e] > 0 {
						want = 0
					}
					if detached[e] != want || attached[e] != 1 {
						rt.Fatalf("detached %d times, want %d", detached[e], want)
					}
				}
				st := b.Stats()
				if st.Adds-st.Removes != uint64(st.Size) || st.Size != len(current) {
					rt.Fatalf("adds %d removes %d size %d", st.Adds, st.Removes, st.Size)
				}
			},
			"update": func(rt *rapid.T) {
				var s weft.EndpointSet
				for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(0, 9), 0, 8, rapid.ID).Draw(rt, "set") {
					w := rapid.SampledFrom([]float64{0, 0, 0, 2, -1}).Draw(rt, "weight")
					s.Endpoints = append(s.Endpoints, weft.Endpoint{Addr: fmt.Sprint("h", i), Weight: w})
				}
				b.Update(s)
			},
			"pick": func(rt *rapid.T) {
				p, err := b.Pick(context.Background(), weft.Call{})
				eps := b.Endpoints()
				if len(eps) == 0 {
					if !errors.Is(err, ErrEmpty) {
						rt.Fatal(err)
					}
					return
				}
				if err != nil {
					rt.Fatal(err)
				}
				found, weighted := false, false
				for _, e := range eps {
					found = found || e == p.Endpoint
					weighted = weighted || e.Info().Share() > 0
				}
				if !found || weighted && p.Endpoint.Info().Share() == 0 {
					rt.Fatal("outside the set, or without a share")
				}
				held = append(held, p)
			},
			"done": func(rt *rapid.T) {
				if len(held) == 0 {
					rt.Skip()
				}
				i := rapid.IntRange(0, len(held)-1).Draw(rt, "i")
				held[i].Done(weft.Result{Class: weft.Class(rapid.IntRange(0, 3).Draw(rt, "class"))})
				held = append(held[:i], held[i+1:]...)
			},
			"status": func(rt *rapid.T) {
				if eps := b.Endpoints(); len(eps) > 0 {
					e := eps[rapid.IntRange(0, len(eps)-1).Draw(rt, "e")]
					e.SetStatus(weft.Status(rapid.IntRange(0, 2).Draw(rt, "s")))
				}
			},
		})
	})
}

func TestConcurrently(t *testing.T) {
	for name, policy := range policies() {
		t.Run(name, func(t *testing.T) {
			var attached, detached, twice, busy, late atomic.Int64
			coord := weft.NewVar(Coordinate{0, 3})
			if name == "apertureRing" {
				policy = Aperture{Coordinate: coord}
			}
			b := New(Options{
				Policy: policy, OnAllUnhealthy: WaitHealthy, MaxWait: time.Microsecond, Probation: name == "p2c",
				Attach: func(*Endpoint) any { attached.Add(1); return new(atomic.Bool) },
				Detach: func(e *Endpoint) {
					detached.Add(1)
					if e.Attachment.(*atomic.Bool).Swap(true) {
						twice.Add(1)
					}
					if e.Pending() != 0 {
						busy.Add(1)
					}
				},
			})
			b.Update(set(20))
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					for i := range 3000 {
						p, err := b.Pick(context.Background(), weft.Call{Avoid: "10.0.0.3:80"})
						if err != nil {
							continue
						}
						if p.Endpoint.Attachment.(*atomic.Bool).Load() {
							late.Add(1)
						}
						p.Done(weft.Result{Class: weft.Class(i % 4)})
					}
				})
			}
			wg.Go(func() {
				for i := range 500 {
					s := set(30)
					for j := range s.Endpoints {
						s.Endpoints[j].Weight = float64(i / 100 * j % 3)
					}
					s.Endpoints = s.Endpoints[i%7 : 10+i%20]
					b.Update(s)
					coord.Store(Coordinate{i, 3})
				}
			})
			wg.Go(func() {
				for i := range 1500 {
					for _, e := range b.Endpoints()[:3] {
						e.SetStatus(weft.Status(i % 3))
					}
					b.Stats()
					b.Idle(time.Microsecond)
				}
			})
			wg.Wait()
			for _, cl := range b.snap.Load().classes {
				open := 0
				for _, e := range cl.eps {
					if e.Status() == weft.Open {
						open++
					}
				}
				assert.EqualValues(t, open, cl.available.Load())
			}
			b.Close()
			assert.Equal(t, attached.Load(), detached.Load())
			assert.Zero(t, twice.Load(), "detached twice")
			assert.Zero(t, late.Load(), "picked after it was detached")
			assert.Zero(t, busy.Load(), "detached with work")
			assert.Empty(t, b.draining)
		})
	}
}

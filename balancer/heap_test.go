package balancer

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/weft-mesh/weft"
)

// Vector 108.
func TestHeapTakesTheLeastLoaded(t *testing.T) {
	b, _ := made(t, 2, Options{Policy: Heap{}})
	eps := b.Endpoints()
	for range 502 {
		spread(t, b, 2, false)
		require.Equal(t, eps[0].Pending(), eps[1].Pending())
	}
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(rt, "n")
		b, _ := made(t, n, Options{Policy: Heap{}})
		eps := b.Endpoints()
		var held []Pick
		rt.Repeat(map[string]func(*rapid.T){
			"pick": func(rt *rapid.T) {
				least, open := int64(1<<60), false
				for _, e := range eps {
					if e.Status() == weft.Open {
						least, open = min(least, e.Pending()), true
					}
				}
				p := mustPick(t, b)
				if open && (p.Endpoint.Pending()-1 != least || p.Endpoint.Status() != weft.Open) {
					rt.Fatalf("picked %s with %d, least %d", p.Endpoint.Addr(), p.Endpoint.Pending()-1, least)
				}
				held = append(held, p)
			},
			"done": func(rt *rapid.T) {
				if len(held) == 0 {
					rt.Skip()
				}
				i := rapid.IntRange(0, len(held)-1).Draw(rt, "i")
				held[i].Done(weft.Result{})
				held = append(held[:i], held[i+1:]...)
			},
			"status": func(rt *rapid.T) {
				eps[rapid.IntRange(0, n-1).Draw(rt, "e")].SetStatus(weft.Status(rapid.IntRange(0, 2).Draw(rt, "s")))
			},
		})
	})
}

func TestHeapSpreadsSequentialTraffic(t *testing.T) {
	b, _ := made(t, 10, Options{Policy: Heap{}})
	for addr, k := range spread(t, b, 1000, true) {
		assert.Equal(t, 100, k, addr)
	}
}

func TestHeapDoesNotStampedeOntoANewEndpoint(t *testing.T) {
	b, _ := made(t, 4, Options{Policy: Heap{}})
	spread(t, b, 400, false)
	b.Update(set(5))
	fresh := b.Endpoints()[4]
	got := spread(t, b, 50, false)
	assert.InDelta(t, 10, got[fresh.Addr()], 2)
	// Each answer is worth one more request, not all that the others are ahead.
	Pick{Endpoint: fresh}.Done(weft.Result{})
	got = spread(t, b, 50, false)
	assert.InDelta(t, 12, got[fresh.Addr()], 2)
}

func TestHeapAvoids(t *testing.T) {
	b, _ := made(t, 3, Options{Policy: Heap{}})
	eps := b.Endpoints()
	for range 100 {
		_, err := b.Pick(t.Context(), weft.Call{Avoid: eps[0].Addr()})
		require.NoError(t, err)
	}
	assert.Equal(t, []int64{0, 50, 50}, []int64{eps[0].Pending(), eps[1].Pending(), eps[2].Pending()})
	assert.Equal(t, map[string]int{eps[0].Addr(): 50}, spread(t, b, 50, false), "not counted as picked")
}

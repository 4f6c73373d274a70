package balancer

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
)

// Vector 107.
func TestRoundRobin(t *testing.T) {
	b, _ := made(t, 10, Options{Policy: RoundRobin{}})
	for addr, k := range spread(t, b, 50, true) {
		require.Equal(t, 5, k, addr)
	}
	sick := b.Endpoints()[4]
	sick.SetStatus(weft.Busy)
	got := spread(t, b, 45, true)
	require.Len(t, got, 9)
	for addr, k := range got {
		require.Equal(t, 5, k, addr)
	}
	sick.SetStatus(weft.Open)
	for addr, k := range spread(t, b, 50, true) {
		require.Equal(t, 5, k, addr)
	}
}

func TestRoundRobinUsesUnhealthyOnesInTurnWhenAllAre(t *testing.T) {
	b, _ := made(t, 3, Options{Policy: RoundRobin{}})
	for _, e := range b.Endpoints() {
		e.SetStatus(weft.Busy)
	}
	for addr, k := range spread(t, b, 30, true) {
		assert.Equal(t, 10, k, addr)
	}
}

func TestRoundRobinStartsAnywhereAndGoesOnAfterARebuild(t *testing.T) {
	first := map[string]bool{}
	for seed := range uint64(50) {
		b, _ := made(t, 10, Options{Policy: RoundRobin{}, Rand: NewRand(seed)})
		first[mustPick(t, b).Endpoint.Addr()] = true
	}
	assert.Greater(t, len(first), 5, "clients start at different endpoints")

	b, _ := made(t, 10, Options{Policy: RoundRobin{}})
	got := map[string]int{}
	for i := range 1000 {
		got[mustPick(t, b).Endpoint.Addr()]++
		b.Update(set(10 + i%2)) // the eleventh comes and goes
	}
	for _, e := range b.Endpoints()[:10] {
		assert.InDelta(t, 95, got[e.Addr()], 25, "the head of the list gets no more than the rest")
	}
}

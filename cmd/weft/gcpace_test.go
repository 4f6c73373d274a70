package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestPaceOfCollections(t *testing.T) {
	const mb = 1 << 20
	for live, want := range map[uint64]int{
		0: 400, 2 * mb: 400, 4 * mb: 400, 8 * mb: 200, 16 * mb: 100, 32 * mb: 100, 64 * mb: 50, 128 * mb: 25, 160 * mb: 20, 256 * mb: 15, 1000 * mb: 15,
	} {
		assert.Equal(t, want, percentOf(live, false), "%d MB, busy", live/mb)
		if live <= 160*mb {
			assert.Equal(t, want, percentOf(live, true), "%d MB, quiet", live/mb)
		}
	}
	assert.Equal(t, 12, percentOf(161*mb, true))
	assert.Equal(t, 10, percentOf(200*mb, true))
	assert.Equal(t, 7, percentOf(1000*mb, true))
}

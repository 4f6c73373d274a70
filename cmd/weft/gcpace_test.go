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
		assert.Equal(t, want, percentOf(live), "%d MB", live/mb)
	}
}

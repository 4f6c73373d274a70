package prom

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestMemoryIsForgotten: a while after its last use, and not before.
func TestMemoryIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m Memory
		x := m.take()
		y := m.take()
		assert.NotSame(t, x, y, "it is that of one")
		m.give(x)
		time.Sleep(keep - time.Second)
		assert.Same(t, x, m.take())
		m.give(x)
		time.Sleep(keep - time.Second)
		assert.Same(t, x, m.take())
		m.give(x)
		time.Sleep(keep + time.Second)
		assert.NotSame(t, x, m.take())
	})
	(*Memory)(nil).give((*Memory)(nil).take())
}

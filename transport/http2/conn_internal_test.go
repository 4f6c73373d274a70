package http2

import (
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2/hpack"

	"github.com/weft-mesh/weft/internal/memhttp"
)

// TestIDsUsedUp: after the last stream id a connection drains.
func TestIDsUsedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memhttp.Pipe(&net.TCPAddr{Port: 1}, &net.TCPAddr{Port: 2})
		left := 0
		c := NewClientConn(a, Options{Leaving: func(*Conn) { left++ }}, nil)
		c.nextID = 1<<31 - 1
		go func() { _ = c.Serve() }()
		_, err := c.Open(nobody{}, []hpack.HeaderField{{Name: ":method", Value: "GET"}}, true)
		require.NoError(t, err)
		assert.Equal(t, 1, left)
		_, err = c.Open(nobody{}, nil, true)
		require.ErrorIs(t, err, ErrDraining)
		_ = b.Close()
		_ = c.Close()
		synctest.Wait()
	})
}

func TestBucket(t *testing.T) {
	var at time.Duration
	now := func() time.Duration { return at }
	b := newBucket(10)
	for range 10 {
		assert.True(t, b.spend(now))
	}
	assert.False(t, b.spend(now))
	at += time.Second
	assert.True(t, b.spend(now))
	assert.False(t, b.spend(now))
	b.earn(2)
	assert.True(t, b.spend(now))
	assert.True(t, b.spend(now))
	assert.False(t, b.spend(now))
	b.earn(100)
	assert.Equal(t, int64(10), b.left)
	b.left = 0
	at += time.Hour
	for range 10 {
		assert.True(t, b.spend(now))
	}
	assert.False(t, b.spend(now), "never more than the burst")
}

func TestIDRing(t *testing.T) {
	r := idRing{limit: 3}
	for i := range uint32(5) {
		r.add(i)
	}
	assert.False(t, r.has(1))
	assert.True(t, r.has(2))
	assert.True(t, r.has(4))
}

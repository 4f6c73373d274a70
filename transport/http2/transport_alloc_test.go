//go:build !race && unix

package http2_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/transport/http2"
)

// TestAllocs bounds what client and server allocate together for a call; the race
// detector would count its own.
func TestAllocs(t *testing.T) {
	addr, _ := startServer(t, http2.ServerOptions{Handler: http.HandlerFunc(sayHello)})
	c := http2.NewClient(http2.ClientOptions{Dial: dialTo(addr)})
	defer func() { require.NoError(t, c.Close()) }()
	call(t, c, "http://web/", "")
	assert.Zero(t, testing.AllocsPerRun(1000, func() {
		if c.Pick() == nil {
			t.Error("no connection")
		}
	}), "Pick")
	n := testing.AllocsPerRun(1000, func() { call(t, c, "http://web/", "") })
	t.Logf("%.0f allocations", n)
	assert.LessOrEqual(t, n, 30.0, "client, server and the making of the request")
}

package meshhttp_test

import (
	"context"
	"net"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"

	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// TestContextOfDialOutlivesTheRequest: what connects may have a timer, such as that of the
// connect timeout, which looks at the request's context after the connection was made, and
// even after the response. No other request has that context then.
func TestContextOfDialOutlivesTheRequest(t *testing.T) {
	var w *world
	var dialled []context.Context
	s := setup{engine: recycled, client: func(string) (transport.ClientOptions, meshhttp.ClientSettings) {
		return transport.ClientOptions{}, meshhttp.ClientSettings{Dial: func(ctx context.Context, addr string) (net.Conn, error) {
			dialled = append(dialled, ctx)
			return w.net.Dial(ctx, addr)
		}}
	}}
	inWorld(t, s, func(in *world) {
		w = in
		w.serve("ds", nil)
		w.serve("other", nil)
		for _, host := range []string{"ds", "ds", "other", "ds"} {
			assert.Equal(w.t, 200, proxied(w.t, w, call{host: host}).StatusCode)
			synctest.Wait()
		}
		assert.Len(w.t, dialled, 2)
		for _, ctx := range dialled {
			assert.NotPanics(w.t, func() { assert.Nil(w.t, ctx.Value("none of its keys")) })
		}
	})
}

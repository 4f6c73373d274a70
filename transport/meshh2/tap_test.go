package meshh2_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/tap"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshh2"
)

// TestTap: who watches sees a request when its response has ended, with its attempts.
func TestTap(t *testing.T) {
	var hub tap.Hub
	s := setup{
		mesh:    meshh2.Options{Tap: &hub},
		service: services(transport.ServiceOptions{}, meshh2.ServiceSettings{Classifier: meshh2.All}),
	}
	inWorld(t, s, func(w *world) {
		watcher, err := hub.Watch(tap.WatchOptions{})
		require.NoError(t, err)
		defer watcher.Close()
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, true, "GET", "dog")
		ds.peer().respond(1, true, "500")
		ds.peer().respond(3, true, "200")
		c.got()
		e := <-watcher.Events()
		assert.Equal(t, "/svc/dog /#/w/dog GET dog HTTP/2", e.Service+" "+e.Client+" "+e.Method+" "+e.Host+" "+e.Protocol)
		assert.Equal(t, 2, e.Attempts)
		assert.Equal(t, 200, e.Status)
		assert.Equal(t, "success", e.Class)
		assert.NotEmpty(t, e.Endpoint)
		assert.NotEmpty(t, e.Trace)

		c.request(3, true, "GET", "neg")
		c.got()
		e = <-watcher.Events()
		assert.Equal(t, "failure", e.Class)
		assert.Equal(t, 502, e.Status)
		assert.NotEmpty(t, e.Error)
	})
}

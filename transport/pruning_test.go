package transport_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/weft-mesh/weft/transport"
)

// TestIdleMetricsGo: what is idle for long enough leaves nothing in the tree, and what a
// caller invents leaves nothing from the beginning.
func TestIdleMetricsGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, single, transport.Options{Cache: transport.CacheOptions{IdleTTL: time.Minute}})
		empty := len(w.scopes())
		for i := range 20 {
			name := fmt.Sprintf("s%d", i)
			w.put(name, known("a:1"))
			w.mustRequest(t, "/svc/"+name)
		}
		for i := range 500 {
			_, _ = w.request(t.Context(), fmt.Sprintf("/no/such%d", i))
		}
		assert.Len(t, w.scopes("service"), 20)
		assert.Len(t, w.scopes("client"), 20)
		time.Sleep(4 * time.Minute)
		synctest.Wait()
		assert.Empty(t, w.scopes("service"))
		assert.Empty(t, w.scopes("client"))
		assert.LessOrEqual(t, len(w.scopes()), empty+1)
		requireMetric(t, w, 20, "bindcache", "tree", "misses")
		requireMetric(t, w, 20, "bindcache", "tree", "expires")
		requireMetric(t, w, 20, "bindcache", "bound", "misses")
		requireMetric(t, w, 20, "bindcache", "bound", "expires")
	})
}

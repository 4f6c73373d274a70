package meshhttp_test

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/circuit"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// TestTimeouts is V71 and V74.
func TestTimeouts(t *testing.T) {
	s := setup{
		service: func(p string) (o transport.ServiceOptions, set meshhttp.ServiceSettings) {
			if p == "/svc/total" {
				o.TotalTimeout = 2500 * time.Millisecond
			}
			if p == "/svc/retried" || p == "/svc/total" {
				set.Classifier = meshhttp.Read
			}
			return o, set
		},
		client: func(string) (transport.ClientOptions, meshhttp.ClientSettings) {
			return transport.ClientOptions{AttemptTimeout: time.Second, Accrual: circuit.None{}}, meshhttp.ClientSettings{}
		},
	}
	onAllFaces(t, s, func(w *world, do func(call) reply) {
		t := w.t
		slow := w.serve("slow", func(http.ResponseWriter, *http.Request) { time.Sleep(2 * time.Second) })
		begun := time.Now()
		resp := do(call{host: "slow"})
		assert.Equal(t, time.Second, time.Since(begun), "V71")
		assert.Equal(t, 503, resp.StatusCode, "V71")
		assert.Equal(t, "exceeded 1.seconds to /#/w/slow while waiting for a response for an individual request, excluding retries. Remote Info: "+slow.addr, resp.body)
		assert.NotEmpty(t, resp.Header.Get("l5d-err"))

		var later atomic.Bool
		w.serve("retried", func(http.ResponseWriter, *http.Request) {
			if !later.Swap(true) {
				time.Sleep(2 * time.Second)
			}
		})
		begun = time.Now()
		assert.Equal(t, 200, do(call{host: "retried"}).StatusCode, "V74")
		assert.Equal(t, time.Second, time.Since(begun), "V74")
		assert.Equal(t, 2, w.client("retried", "requests"), "V74")

		w.serve("total", func(http.ResponseWriter, *http.Request) { time.Sleep(2 * time.Second) })
		begun = time.Now()
		resp = do(call{host: "total"})
		assert.Equal(t, 2500*time.Millisecond, time.Since(begun), "V71: it covers the retries")
		assert.Equal(t, 503, resp.StatusCode, "V71")
		assert.Equal(t, "exceeded 2.seconds+500.milliseconds to r1 while waiting for a response for the request, including retries (if applicable). Remote Info: Not Available", resp.body)
		time.Sleep(3 * time.Second)
		assert.Equal(t, 3, w.client("total", "requests"), "nothing is sent after the time is up")
	})
}

// TestListenerTimeout: timeoutMs is like the total timeout.
func TestListenerTimeout(t *testing.T) {
	inWorld(t, setup{server: meshhttp.ServerOptions{Timeout: time.Second}}, func(w *world) {
		t := w.t
		ds := w.serve("slow", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		begun := time.Now()
		resp := proxied(t, w, call{host: "slow"})
		assert.Equal(t, time.Second, time.Since(begun))
		assert.Equal(t, 503, resp.StatusCode)
		assert.Contains(t, resp.body, "exceeded 1.seconds to r1 while waiting for a response for the request")
		assert.NotEmpty(t, ds.last(t).Header.Get("l5d-ctx-deadline"), "the downstream is told")
	})
}

// TestTimeoutsEndWithTheHead: a stream may take as long as it likes, whoever set
// the limit.
func TestTimeoutsEndWithTheHead(t *testing.T) {
	s := setup{
		service: func(string) (transport.ServiceOptions, meshhttp.ServiceSettings) {
			return transport.ServiceOptions{TotalTimeout: time.Second}, meshhttp.ServiceSettings{}
		},
		client: func(string) (transport.ClientOptions, meshhttp.ClientSettings) {
			return transport.ClientOptions{AttemptTimeout: time.Second}, meshhttp.ClientSettings{}
		},
		server: meshhttp.ServerOptions{Timeout: time.Second},
	}
	onAllFaces(t, s, func(w *world, do func(call) reply) {
		t := w.t
		w.serve("stream", func(rw http.ResponseWriter, _ *http.Request) {
			for range 5 {
				_, _ = io.WriteString(rw, "x")
				_ = http.NewResponseController(rw).Flush()
				time.Sleep(time.Second)
			}
		})
		resp := do(call{host: "stream", header: []string{deadlineIn(time.Second)}})
		require.NoError(t, resp.err)
		assert.Equal(t, "xxxxx", resp.body)
	})
}

// TestExpiredDeadline: nobody is contacted for a request that is of no use any
// more, unless deadlines are advisory.
func TestExpiredDeadline(t *testing.T) {
	onAllFaces(t, withClassifier(meshhttp.Read), func(w *world, do func(call) reply) {
		t := w.t
		ds := w.serve("h", nil)
		resp := do(call{host: "h", header: []string{deadlineIn(-time.Second)}})
		assert.Equal(t, 503, resp.StatusCode)
		assert.Contains(t, resp.body, "deadline")
		assert.NotEmpty(t, resp.Header.Get("l5d-err"))
		assert.Empty(t, ds.requests())
		assert.Zero(t, w.net.Dials(ds.addr))

		w.serve("slow", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		begun := time.Now()
		assert.Equal(t, 503, do(call{host: "slow", header: []string{deadlineIn(2 * time.Second)}}).StatusCode)
		assert.Equal(t, 2*time.Second, time.Since(begun))
	})
	onAllFaces(t, setup{mesh: meshhttp.Options{AdvisoryDeadline: true}}, func(w *world, do func(call) reply) {
		t := w.t
		ds := w.serve("h", nil)
		late := deadlineIn(-time.Second)
		assert.Equal(t, 200, do(call{host: "h", header: []string{late}}).StatusCode, "5.6: as Linkerd does")
		assert.Equal(t, strings.TrimPrefix(late, "l5d-ctx-deadline: "), ds.last(t).Header.Get("l5d-ctx-deadline"))
	})
}

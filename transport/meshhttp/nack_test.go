package meshhttp_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/weft-mesh/weft/circuit"
	"github.com/weft-mesh/weft/retry"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// TestNacks is V92 and 2.11.
func TestNacks(t *testing.T) {
	rows := []struct {
		id, header string
		call       call
		status     int
		attempts   int
	}{
		{"V92", "Retry-After: 0", call{}, 200, 2},
		{"a Finagle peer", "Finagle-Http-Nack: ", call{}, 200, 2},
		{"with a body", "Finagle-Http-Nack: true", call{method: "POST", body: "hello"}, 200, 2},
		{"with a chunked body, which is kept (differs)", "Finagle-Http-Nack: true", call{method: "POST", body: "hello", chunked: true}, 200, 2},
		{"with a body that is too long to keep", "Finagle-Http-Nack: true", call{method: "POST", body: strings.Repeat("x", 70000)}, 502, 1},
		{"not to be sent again", "Finagle-Http-Nonretryable-Nack: true", call{}, 502, 1},
		{"Retry-After: 1 is an answer", "Retry-After: 1", call{}, 503, 1},
	}
	for _, r := range rows {
		t.Run(r.id, func(t *testing.T) {
			onAllFaces(t, setup{client: noBreaker}, func(w *world, do func(call) reply) {
				t := w.t
				ds := w.serve("ds", alternate(r.header, 503, 200))
				r.call.host = "ds"
				r.call.header = []string{"Finagle-Http-Retryable-Request: mine"}
				resp := do(r.call)
				assert.Equal(t, r.status, resp.StatusCode, resp.body)
				assert.Len(t, ds.requests(), r.attempts)
				assert.Equal(t, r.attempts-1, w.client("ds", "retries", "requeues"))
				assert.Equal(t, 0, w.service("ds", "retries", "total"))
				if r.status == 502 {
					assert.Contains(t, resp.body, "The request was Nacked by the server")
					assert.Empty(t, resp.Header.Get("l5d-retryable"))
				}
				assert.NotContains(t, ds.last(t).Header["Finagle-Http-Retryable-Request"], "mine", "is between two hops")
			})
		})
	}
}

// TestNacksExhaustRequeues: D9, a nack that stays becomes a 502.
func TestNacksExhaustRequeues(t *testing.T) {
	s := setup{client: func(string) (transport.ClientOptions, meshhttp.ClientSettings) {
		b := retry.BudgetOptions{TTL: 10 * time.Second, MinPerSecond: 1, Ratio: retry.None}
		return transport.ClientOptions{RequeueBudget: b, Accrual: circuit.None{}}, meshhttp.ClientSettings{}
	}}
	onAllFaces(t, s, func(w *world, do func(call) reply) {
		t := w.t
		ds := w.serve("ds", alternate("Finagle-Http-Nack: true", 503))
		resp := do(call{host: "ds"})
		assert.Equal(t, 502, resp.StatusCode)
		assert.Equal(t, "The request was Nacked by the server", resp.body)
		assert.Len(t, ds.requests(), 3, "a fifth of ten")
		assert.Equal(t, 1, w.client("ds", "retries", "request_limit"))
	})
}

// TestNackAdmission is 5.5: a cluster that refuses most of what it gets gets less.
func TestNackAdmission(t *testing.T) {
	s := setup{client: func(string) (transport.ClientOptions, meshhttp.ClientSettings) {
		b := retry.BudgetOptions{TTL: 10 * time.Second, MinPerSecond: retry.None, Ratio: retry.None}
		return transport.ClientOptions{RequeueBudget: b, Accrual: circuit.None{}},
			meshhttp.ClientSettings{Nack: circuit.NackOptions{Window: time.Second, Rand: func() float64 { return 0 }}}
	}}
	inWorld(t, s, func(w *world) {
		t := w.t
		ds := w.serve("ds", alternate("Finagle-Http-Nack: true", 503))
		dropped := 0
		for range 100 {
			resp := inProcess(t, w, call{host: "ds"})
			assert.Equal(t, 502, resp.StatusCode)
			if resp.body == "Request not issued to the backend due to observed overload." {
				dropped++
			}
			time.Sleep(100 * time.Millisecond)
		}
		assert.Greater(t, dropped, 20)
		assert.Len(t, ds.requests(), 100-dropped)
	})
}

// TestSlowDrain: an answer that is not wanted and does not end holds nobody up.
func TestSlowDrain(t *testing.T) {
	onAllFaces(t, withClassifier(meshhttp.Read), func(w *world, do func(call) reply) {
		t := w.t
		first := make(chan struct{}, 1)
		first <- struct{}{}
		w.serve("ds", func(rw http.ResponseWriter, r *http.Request) {
			select {
			case <-first:
				rw.WriteHeader(http.StatusInternalServerError)
				_ = http.NewResponseController(rw).Flush()
				<-r.Context().Done()
			default:
				_, _ = io.WriteString(rw, "good")
			}
		})
		begun := time.Now()
		assert.Equal(t, "good", do(call{host: "ds"}).body)
		assert.Less(t, time.Since(begun), time.Second)
	})
}

// TestRetryAfter: an endpoint's wish is heeded between retries.
func TestRetryAfter(t *testing.T) {
	onAllFaces(t, withClassifier(meshhttp.Read), func(w *world, do func(call) reply) {
		t := w.t
		w.serve("ds", alternate("Retry-After: 3", 500, 200))
		begun := time.Now()
		assert.Equal(t, 200, do(call{host: "ds"}).StatusCode)
		assert.Equal(t, 3*time.Second, time.Since(begun))
	})
}

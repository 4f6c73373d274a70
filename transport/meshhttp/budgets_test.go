package meshhttp_test

import (
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/weft-mesh/weft/circuit"
	"github.com/weft-mesh/weft/retry"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// TestBudgetPerService is V76.
func TestBudgetPerService(t *testing.T) {
	onAllFaces(t, setup{}, func(w *world, do func(call) reply) {
		t := w.t
		w.serve("a", nil)
		w.serve("b", nil)
		do(call{host: "b"})
		before := w.service("b", "retries", "budget")
		for range 10 {
			do(call{host: "a"})
		}
		assert.Equal(t, 102, w.service("a", "retries", "budget"))
		assert.Equal(t, 102, w.client("a", "retries", "budget"))
		assert.Equal(t, before, w.service("b", "retries", "budget"))
	})
}

// TestDefaultBudgetExhausts is the last row of 5.2: 101 attempts on one connection.
func TestDefaultBudgetExhausts(t *testing.T) {
	onAllFaces(t, withClassifier(meshhttp.Read), func(w *world, do func(call) reply) {
		t := w.t
		ds := w.serve("ds", func(rw http.ResponseWriter, _ *http.Request) {
			rw.WriteHeader(http.StatusInternalServerError)
			_ = http.NewResponseController(rw).Flush()
			_, _ = io.WriteString(rw, "chunked")
		})
		resp := do(call{host: "ds"})
		assert.Equal(t, 500, resp.StatusCode)
		assert.Equal(t, "chunked", resp.body)
		assert.Equal(t, 101, w.client("ds", "requests"))
		assert.Equal(t, 1, ds.connections())
		assert.Equal(t, 1, w.service("ds", "retries", "budget_exhausted"))
	})
}

// TestBudgetSequences is V75: the sequences of 5.2 against servers that refuse to
// process a request (nacks, which are requeued) or answer 500 (which is retried).
func TestBudgetSequences(t *testing.T) {
	budget := func(ratio float64) retry.BudgetOptions {
		return retry.BudgetOptions{TTL: 10 * time.Second, MinPerSecond: retry.None, Ratio: ratio}
	}
	rows := []struct {
		id       string
		requeue  float64
		retry    float64
		attempts string // S, or F for a failure
		statuses []int
	}{
		{"requeue 0.5", 0.5, 0, "SSFSF", []int{200, 200, 200, 502}},
		{"requeue 1.0, every 2nd fails", 1, 0, "SFSFSFSFS", []int{200, 200, 200, 200, 200}},
		{"requeue 0.5, every 2nd fails", 0.5, 0, "SFSFSFSFS", []int{200, 502, 200, 200, 502, 200, 200}},
		{"retry 0.5", 0, 0.5, "SFSF", []int{200, 200, 500}},
		{"retry 1.0, every 2nd fails", 0, 1, "FSFSFSFSFSFSFSFSFSFS", []int{200, 200, 200, 200, 200, 200, 200, 200, 200, 200}},
		{"retry 0.5, every 2nd fails", 0, 0.5, "FSFSFSF", []int{500, 200, 200, 200, 500}},
	}
	for _, r := range rows {
		t.Run(r.id, func(t *testing.T) {
			s := setup{
				service: func(string) (transport.ServiceOptions, meshhttp.ServiceSettings) {
					return transport.ServiceOptions{Budget: budget(max(r.retry, 0.001))}, meshhttp.ServiceSettings{Classifier: meshhttp.Read}
				},
				client: func(string) (transport.ClientOptions, meshhttp.ClientSettings) {
					return transport.ClientOptions{RequeueBudget: budget(max(r.requeue, 0.001)), Accrual: circuit.None{}}, meshhttp.ClientSettings{}
				},
			}
			onAllFaces(t, s, func(w *world, do func(call) reply) {
				t := w.t
				var n atomic.Int32
				w.serve("ds", func(rw http.ResponseWriter, _ *http.Request) {
					fail := r.attempts[min(int(n.Add(1)), len(r.attempts))-1] == 'F'
					switch {
					case fail && r.requeue > 0:
						rw.Header().Set("finagle-http-nack", "true")
						rw.WriteHeader(http.StatusServiceUnavailable)
					case fail:
						rw.WriteHeader(http.StatusInternalServerError)
					}
				})
				var got []int
				for range r.statuses {
					got = append(got, do(call{host: "ds"}).StatusCode)
				}
				assert.Equal(t, r.statuses, got)
				assert.Equal(t, len(r.attempts), int(n.Load()), "attempts")
			})
		})
	}
}

package meshhttp_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestTrace is 2.8 with V85 to V87 and H05.
func TestTrace(t *testing.T) {
	rows := []struct {
		id, hops, add string
		status        int
		forwarded     string // Max-Forwards as the downstream gets it, "-" if it gets no request
		context       bool
	}{
		{"V87", "31qe", "", 400, "-", false},
		{"0, no", "0", "", 200, "-", false},
		{"0, yes", "0", "true", 200, "-", true},
		{"n, no", "5", "", 200, "4", false},
		{"n, yes", "5", "T", 200, "4", true},
		{"absent, yes", "", "1", 200, "", true},
		{"absent, no", "", "", 200, "", false},
		{"negative", "-1", "1", 200, "-1", false},
		{"no is no", "", "no", 200, "", false},
	}
	s := setup{rules: "/srv=>/$/inet/127.1/8001; /svc=>/srv"}
	for _, r := range rows {
		t.Run(r.id, func(t *testing.T) {
			onAllFaces(t, s, func(w *world, do func(call) reply) {
				t := w.t
				ds := w.listen("127.0.0.1:8001", " body \n", nil)
				c := call{method: http.MethodTrace, host: "dog"}
				if r.hops != "" {
					c.header = append(c.header, "Max-Forwards: "+r.hops)
				}
				if r.add != "" {
					c.header = append(c.header, "l5d-add-context: "+r.add)
				}
				resp := do(c)
				assert.Equal(t, r.status, resp.StatusCode)
				assert.Empty(t, resp.Header.Get("l5d-err"))
				assert.Equal(t, "1.1 linkerd", resp.Header.Get("Via"))
				if r.forwarded == "-" {
					assert.Empty(t, ds.requests())
				} else {
					assert.Equal(t, r.forwarded, ds.last(t).Header.Get("Max-Forwards"))
				}
				const context = "--- Router: r1 ---\nrequest duration: 0 ms\nservice name: /svc/dog\nclient name: /$/inet/127.1/8001\n" +
					"addresses: [127.0.0.1:8001]\nselected address: 127.0.0.1:8001\ndtab resolution:\n" +
					"  /svc/dog\n  /srv/dog (/svc=>/srv)\n  /$/inet/127.1/8001/dog (/srv=>/$/inet/127.1/8001)\n"
				switch {
				case r.context && r.forwarded == "-":
					assert.Equal(t, "\n\n"+context, resp.body)
				case r.context:
					assert.Equal(t, "body\n\n"+context, resp.body, "V85, H05")
				case r.status == 400:
					assert.Equal(t, "Invalid value for Max-Forwards header", resp.body)
				case r.forwarded != "-":
					assert.Equal(t, " body \n", resp.body)
				}
				assert.Equal(t, int64(len(resp.body)), resp.ContentLength)
			})
		})
	}
	t.Run("V86", func(t *testing.T) {
		onAllFaces(t, s, func(w *world, do func(call) reply) {
			t := w.t
			w.listen("127.0.0.1:8001", "", func(rw http.ResponseWriter, _ *http.Request) {
				rw.Header().Set("X-Thing", "7")
				_ = http.NewResponseController(rw).Flush()
				_, _ = io.WriteString(rw, "secret")
			})
			resp := do(call{method: http.MethodTrace, host: "dog", header: []string{"l5d-add-context: 1"}})
			assert.Contains(t, resp.body, "X-Thing: 7\nHTTP 200 - OK\nDiagnostic trace encountered chunked response. Response content discarded.\n\n--- Router: r1 ---")
			assert.NotContains(t, resp.body, "secret")
		})
	})
}

// TestTraceCountsAHopOnce, however many attempts it takes.
func TestTraceCountsAHopOnce(t *testing.T) {
	onAllFaces(t, setup{client: noBreaker}, func(w *world, do func(call) reply) {
		ds := w.serve("ds", alternate("Finagle-Http-Nack: 1", 503, 200))
		do(call{method: http.MethodTrace, host: "ds", header: []string{"Max-Forwards: 5"}})
		for _, got := range ds.requests() {
			assert.Equal(w.t, "4", got.Header.Get("Max-Forwards"))
		}
		assert.Len(w.t, ds.requests(), 2)
	})
}

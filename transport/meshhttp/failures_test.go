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

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/circuit"
	"github.com/weft-mesh/weft/retry"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// withClassifier gives every service the classifier, and no client a breaker.
func withClassifier(c meshhttp.Classifier) setup {
	return setup{
		service: func(string) (transport.ServiceOptions, meshhttp.ServiceSettings) {
			return transport.ServiceOptions{}, meshhttp.ServiceSettings{Classifier: c}
		},
		client: noBreaker,
	}
}

func noBreaker(string) (transport.ClientOptions, meshhttp.ClientSettings) {
	return transport.ClientOptions{Accrual: circuit.None{}}, meshhttp.ClientSettings{}
}

// TestConnectFailure is V58.
func TestConnectFailure(t *testing.T) {
	onAllFaces(t, setup{client: noBreaker}, func(w *world, do func(call) reply) {
		t := w.t
		addr := w.address()
		w.put("dog", addr)
		resp := do(call{host: "dog"})
		assert.Equal(t, 502, resp.StatusCode)
		assert.True(t, strings.HasPrefix(resp.body, "Unable to establish connection to "+addr+".\n\nservice name: /svc/dog\nclient name: /#/w/dog\naddresses: ["+addr+"]\nselected address: "+addr+"\n"), resp.body)
		assert.Empty(t, resp.Header.Get("l5d-retryable"), "nothing was sent")
		assert.Equal(t, 1, w.service("dog", "failures"))
		assert.Equal(t, 26, w.net.Dials(addr), "25 tries more, at once")
	})
	inWorld(t, setup{client: noBreaker}, func(w *world) {
		w.put("dog", w.address())
		proxied(w.t, w, call{host: "dog"})
		assert.Equal(w.t, 1, w.count("server", "10.9.9.9/4140", "failures"), "V58")
		assert.Equal(w.t, 1, w.count("server", "10.9.9.9/4140", "status", "502"))
		assert.Equal(w.t, 0, w.count("server", "10.9.9.9/4140", "pending"))
	})
}

// TestFailuresPass is V59: an endpoint's own answer reaches the caller.
func TestFailuresPass(t *testing.T) {
	onAllFaces(t, setup{}, func(w *world, do func(call) reply) {
		t := w.t
		w.serve("dog", func(rw http.ResponseWriter, _ *http.Request) {
			rw.WriteHeader(500)
			_, _ = io.WriteString(rw, "mine")
		})
		resp := do(call{host: "dog"})
		assert.Equal(t, 500, resp.StatusCode)
		assert.Equal(t, "mine", resp.body)
		assert.Equal(t, "0.0", resp.Header.Get("l5d-success-class"))
		assert.Empty(t, resp.Header.Get("l5d-err"))
		assert.Equal(t, 1, w.client("dog", "failures"))
		assert.Equal(t, 1, w.service("dog", "failures"))
	})
}

// TestRetriedMethods is V60 to V66: which answers of 500 are tried again.
func TestRetriedMethods(t *testing.T) {
	read := []string{"GET", "HEAD", "OPTIONS", "TRACE"}
	idempotent := append([]string{"PUT", "DELETE"}, read...)
	all := append([]string{"POST", "PATCH"}, idempotent...)
	rows := []struct {
		id      string
		c       meshhttp.Classifier
		header  string // of the 500
		retried []string
	}{
		{"V59 default", nil, "", nil},
		{"V60, V61 read", meshhttp.Read, "", read},
		{"V62 idempotent", meshhttp.Idempotent, "", idempotent},
		{"V64 all", meshhttp.All, "", all},
		{"V65 default with l5d-retryable", nil, "L5d-Retryable: true", append([]string{"BREW"}, all...)},
		{"V66 read with l5d-retryable", meshhttp.Read, "L5d-Retryable: TRUE", append([]string{"BREW"}, all...)},
		{"l5d-retryable: 1 is not true", nil, "L5d-Retryable: 1", nil},
	}
	for _, r := range rows {
		t.Run(r.id, func(t *testing.T) {
			onAllFaces(t, withClassifier(r.c), func(w *world, do func(call) reply) {
				t := w.t
				for _, method := range append([]string{"BREW"}, all...) {
					name := strings.ToLower(method)
					ds := w.serve(name, alternate(r.header, 500, 200))
					resp := do(call{method: method, host: name})
					want, n := 500, 1
					for _, m := range r.retried {
						if m == method {
							want, n = 200, 2
						}
					}
					assert.Equal(t, want, resp.StatusCode, method)
					assert.Len(t, ds.requests(), n, method)
					assert.Equal(t, n, w.client(name, "requests"), method)
					assert.Equal(t, 1, w.client(name, "failures"), method)
					assert.Equal(t, n-1, w.service(name, "retries", "total"), method)
					assert.Equal(t, 1, w.service(name, "requests"), method)
					assert.Equal(t, 1, ds.connections(), method+": the given-up response has freed its connection")
				}
			})
		})
	}
}

// TestClassifierPerService is V67.
func TestClassifierPerService(t *testing.T) {
	s := setup{rules: "/svc/a => /#/w/ds; /svc/b => /#/w/ds", service: func(p string) (o transport.ServiceOptions, set meshhttp.ServiceSettings) {
		if p == "/svc/a" {
			set.Classifier = meshhttp.Read
		}
		return o, set
	}}
	onAllFaces(t, s, func(w *world, do func(call) reply) {
		t := w.t
		w.serve("ds", alternate("", 500, 200, 500, 200))
		assert.Equal(t, 200, do(call{host: "a"}).StatusCode)
		assert.Equal(t, 1, w.client("ds", "success"))
		assert.Equal(t, 1, w.client("ds", "failures"))
		assert.Equal(t, 500, do(call{host: "b"}).StatusCode)
	})
}

// TestAllSuccessful is V68.
func TestAllSuccessful(t *testing.T) {
	onAllFaces(t, withClassifier(meshhttp.AllSuccessful{}), func(w *world, do func(call) reply) {
		t := w.t
		w.serve("ds", alternate("", 500))
		resp := do(call{method: "POST", host: "ds", body: "x"})
		assert.Equal(t, 500, resp.StatusCode)
		assert.Equal(t, "1.0", resp.Header.Get("l5d-success-class"))
		assert.Equal(t, 1, w.client("ds", "success"))
		assert.Equal(t, 1, w.service("ds", "success"))
		w.put("closed", w.address())
		assert.Equal(t, 502, do(call{host: "closed"}).StatusCode)
		assert.Equal(t, 1, w.service("closed", "failures"))
	})
}

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

// TestBadFraming is V72 and the rows of 2.9 about it.
func TestBadFraming(t *testing.T) {
	rows := map[string]string{
		"V72 conflicting lengths": "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhey",
		"malformed":               "what?\r\n\r\n",
		"closed before the head":  "",
		"closed in a short body":  "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
		"head too large":          "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 2<<20) + "\r\n\r\n",
		"switch unasked":          "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n",
	}
	for id, answer := range rows {
		t.Run(id, func(t *testing.T) {
			onAllFaces(t, setup{}, func(w *world, do func(call) reply) {
				t := w.t
				w.raw("ds", true, answer)
				resp := do(call{host: "ds"})
				assert.Equal(t, 502, resp.StatusCode, resp.body)
				assert.NotEmpty(t, resp.Header.Get("l5d-err"))
				assert.Empty(t, resp.Header.Get("l5d-retryable"), "the request was sent")
				assert.Equal(t, 1, w.client("ds", "failures"))
			})
		})
	}
	t.Run("repeated lengths that agree pass", func(t *testing.T) {
		onAllFaces(t, setup{}, func(w *world, do func(call) reply) {
			w.raw("ds", true, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi")
			assert.Equal(w.t, "hi", do(call{host: "ds"}).body)
		})
	})
	t.Run("conflicting lengths of a request", func(t *testing.T) {
		inWorld(t, setup{}, func(w *world) {
			t := w.t
			ds := w.serve("ds", nil)
			resp := inProcess(t, w, call{host: "ds", header: []string{"Content-Length: 2", "Content-Length: 3"}})
			assert.Equal(t, 400, resp.StatusCode)
			assert.Equal(t, "conflicting `Content-Length` headers", resp.body)
			assert.Equal(t, "1.1 linkerd", resp.Header.Get("Via"), "made inside of the client")
			assert.Equal(t, 400, proxied(t, w, call{host: "ds", header: []string{"Content-Length: 2", "Content-Length: 3"}}).StatusCode)
			assert.Empty(t, ds.requests())
		})
	})
	t.Run("both Content-Length and chunked", func(t *testing.T) {
		inWorld(t, setup{}, func(w *world) {
			ds := w.serve("ds", nil)
			proxied(w.t, w, call{method: "POST", host: "ds", header: []string{"Content-Length: 3"}, body: "hello", chunked: true})
			for _, got := range ds.requests() {
				assert.NotContains(w.t, got.Header, "Content-Length")
			}
		})
	})
}

// TestErrText is V73, and what the limits cut.
func TestErrText(t *testing.T) {
	req, err := http.NewRequest(http.MethodGet, "http://x/", http.NoBody)
	require.NoError(t, err)
	of := func(text string, limit int) *http.Response {
		return meshhttp.Respond(req, &weft.Error{Stage: weft.StageReceive, Err: textError(text)}, limit)
	}
	assert.Equal(t, "foo%0Abar", of("foo\nbar", 0).Header.Get("l5d-err"), "V73")
	assert.Equal(t, "a+b%2F%FC%3F*", of("a b/\u00fc\u20ac*", 0).Header.Get("l5d-err"))
	assert.Equal(t, "aa", of("aa\nb", 4).Header.Get("l5d-err"), "no half escapes")
	assert.Len(t, of(strings.Repeat("x", 10000), 0).Header.Get("l5d-err"), 8<<10)

	s := setup{server: meshhttp.ServerOptions{MaxErrBytes: 10}}
	inWorld(t, s, func(w *world) {
		resp := proxied(w.t, w, call{host: "unknown"})
		assert.Equal(w.t, "Unable to ", resp.body)
		assert.Equal(w.t, "10", resp.Header.Get("Content-Length"))
		assert.Greater(w.t, len(resp.Header.Get("l5d-err")), 10)
	})
}

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
			rw.WriteHeader(500)
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
						rw.WriteHeader(503)
					case fail:
						rw.WriteHeader(500)
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

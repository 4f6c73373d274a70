package meshhttp_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/circuit"
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
		assert.Equal(t, 26, w.net.Dials(addr), "V75: 25 tries more, at once")
		assert.Equal(t, 25, w.client("dog", "retries", "requeues"), "V75")
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
			rw.WriteHeader(http.StatusInternalServerError)
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

package meshhttp_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

func TestRouting(t *testing.T) {
	t.Run("V1", func(t *testing.T) {
		s := setup{rules: "/svc/felix => /$/inet/127.1/8001"}
		onAllFaces(t, s, func(w *world, do func(call) reply) {
			t := w.t
			ds := w.listen("127.0.0.1:8001", "meow", nil)
			resp := do(call{host: "felix"})
			assert.Equal(t, 200, resp.StatusCode)
			assert.Equal(t, "meow", resp.body)
			h := ds.last(t).Header
			assert.Equal(t, "/svc/felix", h.Get("l5d-dst-service"))
			assert.Equal(t, "/$/inet/127.1/8001", h.Get("l5d-dst-client"))
			assert.Empty(t, h.Get("l5d-dst-residual"))
			assert.Equal(t, "1.0", resp.Header.Get("l5d-success-class"))
		})
	})
	onAllFaces(t, setup{}, func(w *world, do func(call) reply) {
		t := w.t
		ds := w.serve("clifford", nil)
		resp := do(call{host: "clifford", uri: "/the/big/red/dog"})
		assert.Equal(t, 200, resp.StatusCode, "V2")
		assert.Equal(t, "clifford", resp.body, "V2")
		assert.Equal(t, "/the/big/red/dog", ds.last(t).RequestURI, "V2")
		assert.Equal(t, "clifford", ds.last(t).Host, "V2")

		resp = do(call{host: "ralph-machio"})
		assert.Equal(t, 502, resp.StatusCode, "V3, H01")
		assert.NotEmpty(t, resp.Header.Get("l5d-err"), "V3, H01")
		assert.Equal(t, "text/plain", resp.Header.Get("Content-Type"))
		assert.Equal(t, itoa(len(resp.body)), resp.Header.Get("Content-Length"))
		assert.Equal(t, "Unable to route request!\n\nservice name: /svc/ralph-machio\ndtab:\n\nbase dtab:\n  /svc => /#/w\noverride dtab:\n\n", resp.body, "naming 4.11")
		assert.Empty(t, resp.Header.Get("Via"), "responses of the mesh have none")
		assert.Empty(t, resp.Header.Get("l5d-success-class"))

		resp = do(call{uri: "/x"})
		assert.Equal(t, 400, resp.StatusCode, "V4, H01")
		assert.NotEmpty(t, resp.Header.Get("l5d-err"), "V4, H01")
		assert.Regexp(t, `^Unknown destination: Request\("GET /x", from /.*\) / Host header is absent$`, resp.body)
	})
}

// TestNamesWithoutEndpoints: sets that are empty or negative answer like names that
// nobody knows.
func TestNamesWithoutEndpoints(t *testing.T) {
	onAllFaces(t, setup{}, func(w *world, do func(call) reply) {
		t := w.t
		w.put("empty")
		w.putSet("gone", weft.EndpointSet{Neg: true})
		for _, host := range []string{"empty", "gone", "unknown"} {
			resp := do(call{host: host, header: []string{"l5d-dtab: /x => /y"}})
			assert.Equal(t, 502, resp.StatusCode, host)
			assert.True(t, strings.HasPrefix(resp.body, "Unable to route request!\n\nservice name: /svc/"+host+"\n"), resp.body)
			assert.Contains(t, resp.body, "override dtab:\n  /x => /y\n", host)
		}
	})
}

func TestLocalAnswers(t *testing.T) {
	onAllFaces(t, setup{rules: "/svc/teapot => /$/io.buoyant.http.status/418; /svc/bad => /$/io.buoyant.http.status/999"}, func(w *world, do func(call) reply) {
		t := w.t
		resp := do(call{host: "teapot"})
		assert.Equal(t, 418, resp.StatusCode)
		assert.Empty(t, resp.body)
		assert.Equal(t, "1.1 linkerd", resp.Header.Get("Via"))
		assert.Equal(t, "1.0", resp.Header.Get("l5d-success-class"))
		assert.Equal(t, 502, do(call{host: "bad"}).StatusCode)
	})
}

// TestBindingTimeout is V93 and H04.
func TestBindingTimeout(t *testing.T) {
	s := setup{}
	s.mesh.Mesh.BindingTimeout = 10 * time.Second
	onAllFaces(t, s, func(w *world, do func(call) reply) {
		t := w.t
		begun := time.Now()
		resp := do(call{host: "pending"})
		assert.Equal(t, 10*time.Second, time.Since(begun))
		assert.Equal(t, 502, resp.StatusCode)
		assert.Equal(t, "Exceeded 10.seconds binding timeout while resolving name: /svc/pending", resp.body)
	})
}

// TestInventedNames: names that callers invent cost nothing that stays.
func TestInventedNames(t *testing.T) {
	s := setup{}
	s.mesh.Mesh.Cache.Paths, s.mesh.Mesh.Cache.Clients = 10, 10
	inWorld(t, s, func(w *world) {
		t := w.t
		w.serve("real", nil)
		for i := range 500 {
			assert.Equal(t, 502, inProcess(t, w, call{host: "invented" + itoa(i)}).StatusCode)
			assert.Equal(t, 200, inProcess(t, w, call{host: "real", header: []string{"l5d-dtab: /x" + itoa(i) + "=>/y"}}).StatusCode)
		}
		assert.LessOrEqual(t, len(w.mesh.Router().Clients()), 10)
		services := 0
		for at := range w.tree.Scope("rt", "r1").All() {
			if len(at) == 3 && at[0] == "service" && at[2] == "requests" {
				services++
			}
		}
		assert.Equal(t, 1, services, "unbound names share their metrics")
		assert.Equal(t, 200, inProcess(t, w, call{host: "real"}).StatusCode)
	})
}

// TestIdentify is what the proxy explains names with.
func TestIdentify(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		t := w.t
		req := call{host: "web", header: []string{"l5d-dtab: /a=>/b"}}.request(t)
		path, local, err := w.mesh.Identify(req)
		require.NoError(t, err)
		assert.Equal(t, "/svc/web", path.String())
		assert.Equal(t, "/a=>/b", local.String())
		assert.Equal(t, "/a=>/b", req.Header.Get("l5d-dtab"), "the request is not changed")

		req.Header.Set("l5d-dtab", "nonsense")
		_, _, err = w.mesh.Identify(req)
		require.Error(t, err)
	})
}

// TestClientForm: a request may lack what http.RoundTripper lets it lack, and may
// carry the RequestURI of another one.
func TestClientForm(t *testing.T) {
	inWorld(t, setup{mesh: meshhttp.Options{}}, func(w *world) {
		t := w.t
		ds := w.serve("web", nil)
		req := call{host: "web", uri: "/new"}.request(t)
		req.Host, req.Method, req.ProtoMajor, req.ProtoMinor, req.Header = "", "", 0, 0, nil
		req.RequestURI = "http://other/old"
		resp, err := w.mesh.RoundTrip(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, "/new", ds.last(t).RequestURI)
		assert.Equal(t, http.MethodGet, ds.last(t).Method)
		assert.Equal(t, "1.1 linkerd", ds.last(t).Header.Get("Via"))
		assert.Same(t, req, resp.Request)
	})
}

// TestUnboundNamesAreNotRetried: naming would say the same again, as often as the
// budget allows.
func TestUnboundNamesAreNotRetried(t *testing.T) {
	onAllFaces(t, withClassifier(meshhttp.All), func(w *world, do func(call) reply) {
		assert.Equal(w.t, 502, do(call{host: "unknown"}).StatusCode)
		assert.Equal(w.t, 1, w.count("unbound", "requests"))
		assert.Equal(w.t, 0, w.count("unbound", "retries", "total"))
	})
}

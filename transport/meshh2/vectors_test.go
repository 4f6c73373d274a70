package meshh2_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	xhttp2 "golang.org/x/net/http2"

	"github.com/weft-mesh/weft/circuit"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/http2"
	"github.com/weft-mesh/weft/transport/meshh2"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// services gives all services the same settings.
func services(o transport.ServiceOptions, s meshh2.ServiceSettings) func(string) (transport.ServiceOptions, meshh2.ServiceSettings) {
	return func(string) (transport.ServiceOptions, meshh2.ServiceSettings) { return o, s }
}

func clients(o transport.ClientOptions, s meshh2.ClientSettings) func(string) (transport.ClientOptions, meshh2.ClientSettings) {
	return func(string) (transport.ClientOptions, meshh2.ClientSettings) { return o, s }
}

func TestV104RoutesByAuthority(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		w.serve("dog", func(rw http.ResponseWriter, r *http.Request) {
			assert.Equal(t, "dog", r.Host)
			_, _ = io.WriteString(rw, "woof")
		})
		c := w.http()
		for range 3 {
			resp, body := w.get(c, "dog")
			assert.Equal(t, 200, resp.StatusCode)
			assert.Equal(t, "woof", body)
			assert.Equal(t, "h2 linkerd", resp.Header.Get("Via"))
		}
		assert.Equal(t, 1, w.client("dog", "connections"))
		assert.Equal(t, 1, w.client("dog", "connects"))
		assert.Equal(t, 3, w.client("dog", "requests"))
		assert.Equal(t, 3, w.client("dog", "success"))
		assert.Equal(t, 0, w.client("dog", "pending"))
		assert.Equal(t, 0, w.client("dog", "open_streams"))
		assert.Equal(t, 3, w.client("dog", "service", "svc/dog", "success"))
		assert.Equal(t, 3, w.service("dog", "requests"))
		assert.Equal(t, 3, w.service("dog", "success"))
		assert.Equal(t, 0, w.service("dog", "pending"))
		assert.Equal(t, 3, w.server("requests"))
		assert.Equal(t, 3, w.server("success"))
		assert.Equal(t, 3, w.server("status", "200"))
		assert.Equal(t, 0, w.server("pending"))
		assert.Equal(t, 0, w.server("open_streams"))
		assert.Equal(t, 3, w.server("stream", "local", "data", "frames"))
	})
}

func TestV106CallerCancels(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, true, "GET", "dog")
		ds.peer().respond(1, false, "200")
		ds.peer().data(1, false, "woof")
		assert.Equal(t, []string{"HEADERS 1 :status=200", `DATA 1 "woof"`}, c.got())
		ds.peer().got()
		c.reset(1, xhttp2.ErrCodeCancel)
		assert.Equal(t, []string{"RST 1 CANCEL"}, ds.peer().got())
		assert.Equal(t, 1, w.service("dog", "requests"))
		assert.Equal(t, 0, w.service("dog", "failures"))
		assert.Equal(t, 0, w.client("dog", "failures"))
		assert.Equal(t, 0, w.client("dog", "pending"))
	})
}

func TestV107DownstreamResets(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, true, "GET", "dog")
		ds.peer().reset(1, xhttp2.ErrCodeCancel)
		assert.Equal(t, []string{"RST 1 CANCEL"}, c.got())
		assert.Equal(t, 1, w.service("dog", "failures"))

		// Also after the head.
		c.request(3, true, "GET", "dog")
		ds.peer().respond(3, false, "200")
		ds.peer().reset(3, xhttp2.ErrCodeEnhanceYourCalm)
		assert.Equal(t, []string{"HEADERS 3 :status=200", "RST 3 ENHANCE_YOUR_CALM"}, c.got())
		assert.Equal(t, 2, w.client("dog", "failures"))
	})
}

func TestV108ContextFields(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, true, "GET", "dog", "l5d-dtab", "/foo=>/bar", "l5d-ctx-thing", "x")
		got := ds.peer().head()
		assert.Equal(t, "/foo=>/bar", got["l5d-ctx-dtab"])
		assert.NotContains(t, got, "l5d-dtab")
		assert.Equal(t, "x", got["l5d-ctx-thing"])
		assert.NotEmpty(t, got["l5d-ctx-trace"])
		assert.Len(t, got["l5d-reqid"], 16)
		assert.Equal(t, "/svc/dog", got["l5d-dst-service"])
		assert.Equal(t, "/#/w/dog", got["l5d-dst-client"])
		assert.Equal(t, "h2 linkerd", got["via"])
	})
}

func TestV109ConnectionFields(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, true, "GET", "dog", "connection", "close")
		assert.Equal(t, []string{"RST 1 PROTOCOL_ERROR"}, c.got())
		c.request(3, true, "GET", "dog", "te", "chunked, trailers")
		assert.Equal(t, []string{"RST 3 PROTOCOL_ERROR"}, c.got(), "V110")
		assert.Equal(t, 0, ds.connections())
		c.request(5, true, "GET", "dog", "te", "trailers")
		assert.Equal(t, "trailers", ds.peer().head()["te"], "V110")
		ds.peer().respond(1, true, "200", "connection", "close")
		assert.Equal(t, []string{"RST 5 PROTOCOL_ERROR"}, c.got(), "a response too")
	})
}

func TestV111Refused(t *testing.T) {
	s := setup{client: clients(transport.ClientOptions{Accrual: circuit.None{}}, meshh2.ClientSettings{})}
	inWorld(t, s, func(w *world) {
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, true, "GET", "dog")
		tries := uint32(0)
		for len(ds.peer().got()) > 0 {
			ds.peer().reset(1+2*tries, xhttp2.ErrCodeRefusedStream)
			tries++
		}
		assert.Equal(t, []string{"RST 1 REFUSED_STREAM"}, c.got())
		assert.EqualValues(t, 21, tries)
		assert.Equal(t, 20, w.client("dog", "retries", "requeues"), "a fifth of the budget")
		assert.Equal(t, 1, w.client("dog", "retries", "request_limit"))
		assert.Equal(t, 0, w.service("dog", "retries", "total"))
	})
}

func TestV113Unidentified(t *testing.T) {
	inWorld(t, setup{mesh: meshh2.Options{Identifier: meshh2.HeaderToken{Header: "x-name"}}}, func(w *world) {
		c := w.caller()
		c.request(1, true, "GET", "dog")
		assert.Equal(t, []string{"RST 1 REFUSED_STREAM"}, c.got())
		assert.Equal(t, 1, w.server("failures"))
	})
}

func TestV114NoEndpoints(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		resp, body := w.get(w.http(), "neg")
		assert.Equal(t, 502, resp.StatusCode)
		assert.Contains(t, body, "Unable to route request!")
		assert.NotEmpty(t, resp.Header.Get("L5d-Err"))
		assert.Empty(t, resp.Header.Get("Via"))
		assert.Empty(t, resp.Header.Get("L5d-Success-Class"))
		assert.Equal(t, int64(len(body)), resp.ContentLength)
		w.put("empty")
		resp, _ = w.get(w.http(), "empty")
		assert.Equal(t, 502, resp.StatusCode)
		assert.Equal(t, 1, w.server("status", "502")-1)
	})
}

func TestV115CallDepth(t *testing.T) {
	inWorld(t, setup{server: meshh2.ServerOptions{MaxCallDepth: 2}}, func(w *world) {
		c := w.caller()
		c.request(1, true, "GET", "dog", "via", "hop1, hop2, hop3")
		assert.Equal(t, []string{
			"HEADERS 1 :status=400",
			"DATA 1 76 bytes end",
		}, c.got())
	})
}

func TestV116SuccessClass(t *testing.T) {
	all := services(transport.ServiceOptions{}, meshh2.ServiceSettings{Classifier: meshh2.AllSuccessful{}})
	inWorld(t, setup{service: all}, func(w *world) {
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, true, "GET", "dog")
		ds.peer().respond(1, true, "200")
		assert.Equal(t, []string{"HEADERS 1 :status=200 l5d-success-class=1.0 end"}, c.got())

		c.request(3, true, "GET", "dog")
		ds.peer().respond(3, false, "200")
		ds.peer().data(3, false, "a")
		ds.peer().data(3, false, "b")
		ds.peer().fields(3, true, "x", "y")
		assert.Equal(t, []string{
			"HEADERS 3 :status=200", `DATA 3 "a"`, `DATA 3 "b"`, "HEADERS 3 l5d-success-class=1.0 end",
		}, c.got())
		assert.Equal(t, "y", c.head()["x"])

		c.request(5, true, "GET", "dog")
		ds.peer().respond(5, false, "500")
		ds.peer().data(5, true, "oh")
		assert.Equal(t, []string{"HEADERS 5 :status=500", `DATA 5 "oh"`, "HEADERS 5 l5d-success-class=1.0 end"}, c.got())
	})
	inWorld(t, setup{}, func(w *world) {
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, true, "GET", "dog")
		ds.peer().respond(1, false, "503")
		ds.peer().data(1, true, "oh")
		assert.Equal(t, []string{"HEADERS 1 :status=503 l5d-success-class=0.0", `DATA 1 "oh" end`}, c.got(), "decided early")
	})
}

func TestV117RetriesPost(t *testing.T) {
	s := services(transport.ServiceOptions{}, meshh2.ServiceSettings{Classifier: meshh2.All})
	inWorld(t, setup{service: s}, func(w *world) {
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, false, "POST", "dog")
		c.data(1, true, "body")
		ds.peer().respond(1, true, "500")
		assert.Empty(t, c.got())
		assert.Equal(t, []string{"HEADERS 1 :path=/", `DATA 1 "body" end`, "HEADERS 3 :path=/", `DATA 3 "body" end`}, ds.peer().got())
		ds.peer().respond(3, true, "200")
		assert.Equal(t, []string{"HEADERS 1 :status=200 l5d-success-class=1.0 end"}, c.got())
		assert.Equal(t, 1, w.client("dog", "failures"))
		assert.Equal(t, 1, w.client("dog", "success"))
		assert.Equal(t, 1, w.service("dog", "success"))
		assert.Equal(t, 0, w.service("dog", "failures"))
		assert.Equal(t, 1, w.service("dog", "retries", "total"))
		assert.Equal(t, 1, ds.connections())
	})
}

func TestV118NotRetried(t *testing.T) {
	s := services(transport.ServiceOptions{}, meshh2.ServiceSettings{Classifier: meshh2.Read})
	inWorld(t, setup{service: s}, func(w *world) {
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, true, "POST", "dog")
		ds.peer().respond(1, true, "500")
		assert.Equal(t, []string{"HEADERS 1 :status=500 l5d-success-class=0.0 end"}, c.got())
		assert.Equal(t, 1, w.client("dog", "failures"))
		assert.Equal(t, 1, w.server("failures"))
		assert.Equal(t, 1, w.service("dog", "failures"))
	})
}

func TestV120RequestTooLong(t *testing.T) {
	s := services(transport.ServiceOptions{}, meshh2.ServiceSettings{Classifier: meshh2.All, RequestBytes: 10})
	inWorld(t, setup{service: s}, func(w *world) {
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, false, "POST", "dog")
		c.data(1, false, "0123456789")
		c.data(1, true, "x")
		ds.peer().respond(1, true, "500")
		assert.Equal(t, []string{"HEADERS 1 :status=500 l5d-success-class=0.0 end"}, c.got())
		assert.Equal(t, 1, w.service("dog", "retries", "request_stream_too_long"))
		assert.Equal(t, 0, w.service("dog", "retries", "total"))
	})
}

func TestV121ResponseTooLong(t *testing.T) {
	s := services(transport.ServiceOptions{}, meshh2.ServiceSettings{Classifier: meshh2.Read, ResponseBytes: 10})
	inWorld(t, setup{service: s}, func(w *world) {
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, true, "GET", "dog")
		ds.peer().respond(1, false, "200")
		ds.peer().data(1, false, "0123456789")
		assert.Empty(t, c.got(), "it may fail yet")
		ds.peer().data(1, false, "x")
		assert.Equal(t, []string{"HEADERS 1 :status=200", `DATA 1 "0123456789x"`}, c.got())
		ds.peer().data(1, true, "y")
		assert.Equal(t, []string{`DATA 1 "y"`, "HEADERS 1 l5d-success-class=1.0 end"}, c.got())
		assert.Equal(t, 1, w.service("dog", "retries", "response_stream_too_long"))
	})
}

func TestV122ClassificationTimeout(t *testing.T) {
	s := services(transport.ServiceOptions{}, meshh2.ServiceSettings{Classifier: meshh2.Read, ClassificationTimeout: time.Second})
	inWorld(t, setup{service: s}, func(w *world) {
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, true, "GET", "dog")
		ds.peer().respond(1, false, "200")
		ds.peer().data(1, false, "0")
		time.Sleep(time.Second - 1)
		assert.Empty(t, c.got())
		time.Sleep(time.Nanosecond)
		assert.Equal(t, []string{"HEADERS 1 :status=200", `DATA 1 "0"`}, c.got())
		assert.Equal(t, 1, w.service("dog", "retries", "classification_timeout"))
	})
}

func TestV123NothingIsWithheldInVain(t *testing.T) {
	begins := func(w *world, method string) []string {
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, true, method, "dog")
		ds.peer().respond(1, false, "200")
		return c.got()
	}
	s := setup{service: services(transport.ServiceOptions{}, meshh2.ServiceSettings{Classifier: meshh2.Read})}
	inWorld(t, s, func(w *world) {
		assert.NotEmpty(t, begins(w, "POST"), "the classifier never retries it")
	})
	inWorld(t, s, func(w *world) { assert.Empty(t, begins(w, "GET")) })
	s.service = services(transport.ServiceOptions{}, meshh2.ServiceSettings{Classifier: meshh2.Read, ClassificationTimeout: -1})
	inWorld(t, s, func(w *world) { assert.NotEmpty(t, begins(w, "GET")) })
	inWorld(t, setup{}, func(w *world) { assert.NotEmpty(t, begins(w, "GET")) })
}

func TestV124StreamLimit(t *testing.T) {
	inWorld(t, setup{conn: http2.Options{MaxConcurrentStreams: 1}}, func(w *world) {
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, true, "GET", "dog")
		c.request(3, true, "GET", "dog")
		assert.Equal(t, []string{"RST 3 REFUSED_STREAM"}, c.got())
		ds.peer().respond(1, true, "200")
		c.got()
		c.request(5, true, "GET", "dog")
		ds.peer().respond(3, true, "200")
		assert.Equal(t, []string{"HEADERS 5 :status=200 l5d-success-class=1.0 end"}, c.got())
	})
}

func TestV127Forwarded(t *testing.T) {
	f := &meshhttp.Forwarded{By: meshhttp.StaticLabel("linkerd"), For: meshhttp.IP{Port: true}}
	inWorld(t, setup{server: meshh2.ServerOptions{Forwarded: f}}, func(w *world) {
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, true, "GET", "dog")
		assert.Regexp(t, `^by=_linkerd;for="10\.255\.0\.1:\d+";authority=dog;proto=http$`, ds.peer().head()["forwarded"])
	})
}

func TestV131FlowControlIsEndToEnd(t *testing.T) {
	const window = 65535
	piece := strings.Repeat("x", window/15)
	inWorld(t, setup{}, func(w *world) {
		ds := w.raw("dog")
		c := w.caller()
		c.mu.Lock()
		c.noWin = true
		c.mu.Unlock()
		c.request(1, true, "GET", "dog")
		p := ds.peer()
		p.respond(1, false, "200")
		for range 15 {
			p.data(1, false, piece)
		}
		assert.Equal(t, window, received(c.got()))
		given := p.given(1)
		assert.NotZero(t, given)
		for range given / len(piece) {
			p.data(1, false, piece)
		}
		assert.Zero(t, received(c.got()), "the caller's window is used up")
		assert.Equal(t, given, p.given(1))
		c.window(0, 3*window)
		// A stream that its reader has stalled does not stall another one.
		c.request(3, true, "GET", "dog")
		p.got()
		p.respond(3, false, "200")
		p.data(3, true, "woof")
		assert.Equal(t, []string{"HEADERS 3 :status=200", `DATA 3 "woof"`, "HEADERS 3 l5d-success-class=1.0 end"}, c.got())
		c.window(1, window)
		assert.Equal(t, given/len(piece)*len(piece), received(c.got()))
		assert.Greater(t, p.given(1), given)
	})
	inWorld(t, setup{}, func(w *world) { // the other way
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, false, "POST", "dog")
		p := ds.peer()
		p.mu.Lock()
		p.noWin = true
		p.mu.Unlock()
		for range 15 {
			c.data(1, false, piece)
		}
		assert.Equal(t, window, received(p.got()))
		given := c.given(1)
		assert.NotZero(t, given)
		for range given / len(piece) {
			c.data(1, false, piece)
		}
		assert.Zero(t, received(p.got()), "the endpoint's window is used up")
		assert.Equal(t, given, c.given(1))
		p.window(0, 3*window)
		p.window(1, window)
		assert.Equal(t, given/len(piece)*len(piece), received(p.got()))
		assert.Greater(t, c.given(1), given)
	})
}

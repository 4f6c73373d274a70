package meshhttp_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/propagation"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// TestDtabHeaders is V46 to V48, H02 and H03.
func TestDtabHeaders(t *testing.T) {
	onAllFaces(t, setup{}, func(w *world, do func(call) reply) {
		t := w.t
		ds := w.serve("h", nil)
		for _, name := range []string{"l5d-dtab", "l5d-ctx-dtab"} {
			do(call{host: "h", header: []string{name + ": /a=>/b"}})
			got := ds.last(t).Header
			assert.Equal(t, []string{"/a=>/b"}, got["L5d-Ctx-Dtab"], "V46, H02")
			assert.NotContains(t, got, "L5d-Dtab", "V46")
			assert.NotContains(t, got, "Dtab-Local", "V46")
		}
		do(call{host: "h", header: []string{"dtab-local: /svc=>/nowhere"}})
		got := ds.last(t).Header
		assert.Equal(t, "/svc=>/nowhere", got.Get("dtab-local"), "V47, H03")
		assert.NotContains(t, got, "L5d-Ctx-Dtab", "V47")

		do(call{host: "h", header: []string{"l5d-dtab: /a => /d", "l5d-ctx-dtab: /a => /b", "l5d-ctx-dtab: /a=>/c"}})
		assert.Equal(t, "/a=>/b;/a=>/c;/a=>/d", ds.last(t).Header.Get("l5d-ctx-dtab"), "V48: the user's last")

		other := w.serve("other", nil)
		do(call{host: "h", header: []string{"l5d-dtab: /svc/h => /svc/other"}})
		assert.Equal(t, "/svc/h", other.last(t).Header.Get("l5d-dst-service"), "it decides where the name leads")

		resp := do(call{host: "h", header: []string{"l5d-dtab: i am not a dtab"}})
		assert.Equal(t, 400, resp.StatusCode)
		assert.Contains(t, resp.body, "'/' expected but 'i' found at '[i] am not a dtab'")
		assert.NotEmpty(t, resp.Header.Get("l5d-err"))
		assert.Empty(t, resp.Header.Get("Via"))
	})
	t.Run("V48 in the process", func(t *testing.T) {
		inWorld(t, setup{}, func(w *world) {
			t := w.t
			ds := w.serve("h", nil)
			req := call{host: "h", header: []string{"l5d-ctx-dtab: /a => /c", "l5d-dtab: /a => /d"}}.request(t)
			resp, err := w.mesh.RoundTrip(req.WithContext(weft.WithDtab(t.Context(), mustDtab("/a=>/b"))))
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			assert.Equal(t, "/a=>/b;/a=>/c;/a=>/d", ds.last(t).Header.Get("l5d-ctx-dtab"))
		})
	})
}

// TestDeadlineHeader is V50 and V51, and min(…) of what is in force.
func TestDeadlineHeader(t *testing.T) {
	s := setup{
		service: func(p string) (o transport.ServiceOptions, _ meshhttp.ServiceSettings) {
			if p == "/svc/total" || p == "/svc/both" {
				o.TotalTimeout = 5 * time.Second
			}
			return o, meshhttp.ServiceSettings{}
		},
		client: func(id string) (o transport.ClientOptions, _ meshhttp.ClientSettings) {
			if id == "/#/w/both" {
				o.AttemptTimeout = 3 * time.Second
			}
			return o, meshhttp.ClientSettings{}
		},
	}
	onAllFaces(t, s, func(w *world, do func(call) reply) {
		t := w.t
		now := time.Now()
		in := func(at, d time.Duration) string {
			return "l5d-ctx-deadline: " + propagation.Deadline{Timestamp: now.Add(at), At: now.Add(d)}.String()
		}
		rows := []struct {
			id, host string
			header   []string
			want     string // empty: none
		}{
			{"V51", "h", nil, ""},
			{"V50", "h", []string{in(time.Second, 10*time.Second), in(2*time.Second, 8*time.Second)}, in(2*time.Second, 8*time.Second)},
			{"extra fields", "h", []string{in(0, time.Second) + " 7 x"}, in(0, time.Second)},
			{"total timeout", "total", nil, in(0, 5*time.Second)},
			{"the earlier one, the later stamp", "total", []string{in(-time.Second, 4*time.Second)}, in(0, 4*time.Second)},
			{"the total timeout is earlier", "total", []string{in(time.Second, 9*time.Second)}, in(time.Second, 5*time.Second)},
			{"all three", "both", []string{in(-time.Second, 4*time.Second)}, in(0, 3*time.Second)},
			{"unparsable passes through", "h", []string{"l5d-ctx-deadline: soon"}, "l5d-ctx-deadline: soon"},
		}
		for _, name := range []string{"h", "total", "both"} {
			ds := w.serve(name, nil)
			for _, r := range rows {
				if r.host != name {
					continue
				}
				require.Equal(t, 200, do(call{host: name, header: r.header}).StatusCode, r.id)
				got := ds.last(t).Header["L5d-Ctx-Deadline"]
				if r.want == "" {
					assert.Empty(t, got, r.id)
					continue
				}
				assert.Equal(t, []string{strings.TrimPrefix(r.want, "l5d-ctx-deadline: ")}, got, r.id)
			}
		}
	})
}

// TestTraceHeaders: trace id and sampling kept, a new span, the request id.
func TestTraceHeaders(t *testing.T) {
	onAllFaces(t, setup{}, func(w *world, do func(call) reply) {
		t := w.t
		ds := w.serve("h", nil)
		in := telemetry.NewTrace().Sample(1)
		do(call{host: "h", header: []string{"l5d-ctx-trace: " + in.EncodeString(), "l5d-reqid: mine", "l5d-sample: 0"}})
		h := ds.last(t).Header
		out, err := telemetry.ParseTrace(h.Get("l5d-ctx-trace"))
		require.NoError(t, err)
		assert.Equal(t, in.TraceLow, out.TraceLow)
		assert.NotEqual(t, in.Span, out.Span)
		assert.Equal(t, in.ReqID(), h.Get("l5d-reqid"))
		assert.NotContains(t, h, "L5d-Sample")
		sampled, _ := out.Decision()
		assert.True(t, sampled, "what is decided stays decided")

		do(call{host: "h"})
		h = ds.last(t).Header
		_, err = telemetry.ParseTrace(h.Get("l5d-ctx-trace"))
		require.NoError(t, err, "a request without a trace gets one")
		assert.Len(t, h.Get("l5d-reqid"), 16)
	})
	for value, want := range map[string]string{"yes": "none", "-3": "0", "0": "0", "1": "1", "1.5": "1"} {
		t.Run("V52 "+value, func(t *testing.T) {
			onAllFaces(t, setup{}, func(w *world, do func(call) reply) {
				t := w.t
				ds := w.serve("h", nil)
				do(call{host: "h", header: []string{"l5d-sample: " + value}})
				out, err := telemetry.ParseTrace(ds.last(t).Header.Get("l5d-ctx-trace"))
				require.NoError(t, err)
				sampled, known := out.Decision()
				got := "none"
				if known {
					got = map[bool]string{true: "1", false: "0"}[sampled]
				}
				assert.Equal(t, want, got)
			})
		})
	}
}

// TestL5dHeaders is V53 and V57.
func TestL5dHeaders(t *testing.T) {
	s := setup{rules: "/svc => /#/w; /svc/res => /#/w/ds/residual; /svc/two => /#/w/ds"}
	onAllFaces(t, s, func(w *world, do func(call) reply) {
		t := w.t
		ds := w.serve("ds", nil)
		do(call{host: "two", header: []string{"l5d-dtab: /foo=>/bar", "l5d-ctx-thing: yoooooo"}})
		got := ds.last(t)
		assert.Equal(t, []string{"l5d-ctx-dtab", "l5d-ctx-thing", "l5d-ctx-trace", "l5d-dst-client", "l5d-dst-service", "l5d-reqid"}, got.l5d(), "V53")
		assert.Equal(t, "/foo=>/bar", got.Header.Get("l5d-ctx-dtab"), "V53")
		assert.Equal(t, "yoooooo", got.Header.Get("l5d-ctx-thing"), "V53")
		do(call{host: "res"})
		assert.Equal(t, "/residual", ds.last(t).Header.Get("l5d-dst-residual"), "V57")
		do(call{host: "two", header: []string{"l5d-dst-residual: /spoofed"}})
		assert.NotContains(t, ds.last(t).Header, "L5d-Dst-Residual", "V57")
	})
}

// TestUserAgent: none is made up for a caller that the mesh stands in for.
func TestUserAgent(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		t := w.t
		ds := w.serve("h", func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte("<html>")) })
		resp := proxied(t, w, call{host: "h"})
		assert.NotContains(t, ds.last(t).Header, "User-Agent")
		assert.NotContains(t, ds.last(t).Header, "Accept-Encoding")
		assert.Contains(t, resp.Header.Get("Content-Type"), "text/html", "that is the downstream's")
		proxied(t, w, call{host: "h", header: []string{"User-Agent: curl"}})
		assert.Equal(t, "curl", ds.last(t).Header.Get("User-Agent"))

		w.raw("bare", true, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>")
		assert.NotContains(t, proxied(t, w, call{host: "bare"}).Header, "Content-Type", "no type is guessed")
	})
}

package e2e_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/fs"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// sink is a tracer of all processes of a test, and of its applications.
type sink struct {
	mu  sync.Mutex
	all []telemetry.Span
}

func (s *sink) Record(sp telemetry.Span) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, sp)
}

func (s *sink) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all)
}

// chain returns the names of the spans, which must be one trace in which each span is
// part of the one before.
func (s *sink) chain(t *testing.T) []string {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	children := map[uint64][]telemetry.Span{}
	ids := map[uint64]bool{}
	var root *telemetry.Span
	for i, sp := range s.all {
		ids[sp.Trace.Span] = true
		assert.Equal(t, s.all[0].Trace.TraceLow, sp.Trace.TraceLow, "one trace: %s", sp.Name)
		assert.Equal(t, s.all[0].Trace.TraceHigh, sp.Trace.TraceHigh, "all of its id: %s", sp.Name)
		if !sp.Trace.HasParent() {
			require.Nil(t, root, "one root")
			root = &s.all[i]
			continue
		}
		children[sp.Trace.Parent] = append(children[sp.Trace.Parent], sp)
	}
	require.NotNil(t, root, "%v", s.all)
	require.Len(t, ids, len(s.all), "every span has its own id")
	names := []string{root.Kind.String() + " " + root.Name}
	at := root.Trace.Span
	for len(children[at]) > 0 {
		require.Len(t, children[at], 1)
		next := children[at][0]
		names = append(names, next.Kind.String()+" "+next.Name)
		at = next.Trace.Span
	}
	assert.Len(t, names, len(s.all), "all of them hang together")
	return names
}

// tell sends the spans to a Zipkin receiver.
func (s *sink) tell(t *testing.T, url string) (traceID string) {
	t.Helper()
	type zipkin struct {
		TraceID       string            `json:"traceId"`
		ID            string            `json:"id"`
		ParentID      string            `json:"parentId,omitempty"`
		Name          string            `json:"name"`
		Kind          string            `json:"kind,omitempty"`
		Timestamp     int64             `json:"timestamp"`
		Duration      int64             `json:"duration"`
		LocalEndpoint map[string]string `json:"localEndpoint"`
	}
	var all []zipkin
	for _, sp := range s.all {
		z := zipkin{
			TraceID: fmt.Sprintf("%016x", sp.Trace.TraceLow), ID: fmt.Sprintf("%016x", sp.Trace.Span), Name: sp.Name,
			Kind:      map[telemetry.SpanKind]string{telemetry.ServerSpan: "SERVER", telemetry.ClientSpan: "CLIENT"}[sp.Kind],
			Timestamp: sp.Start.UnixMicro(), Duration: max(1, sp.End.Sub(sp.Start).Microseconds()),
			LocalEndpoint: map[string]string{"serviceName": cmp.Or(sp.Lookup(telemetry.TagRouterLabel), "app")},
		}
		if sp.Trace.TraceHigh != 0 {
			z.TraceID = fmt.Sprintf("%016x", sp.Trace.TraceHigh) + z.TraceID
		}
		if sp.Trace.HasParent() {
			z.ParentID = fmt.Sprintf("%016x", sp.Trace.Parent)
		}
		all, traceID = append(all, z), z.TraceID
	}
	body, err := json.Marshal(all)
	require.NoError(t, err)
	resp, err := plain.Post(url, "application/json", bytes.NewReader(body))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusAccepted, resp.StatusCode)
	return traceID
}

// tracedProxies are the two proxies of the example, each with a router out of its host
// and one into it, and the two applications.
type tracedProxies struct {
	sink         *sink
	protocol     string
	client       *http.Client
	hello, world *mesh
	dir          string
}

// app is what an application does with the headers of a request: it returns those of the
// one that it makes.
type app func(s *sink, name string, in http.Header) http.Header

func newTracedProxies(t *testing.T, protocol, propagator string, a app) *tracedProxies {
	t.Helper()
	x := &tracedProxies{sink: &sink{}, protocol: protocol, client: clientOf(t, protocol), dir: t.TempDir()}
	world := x.application(t, func(w http.ResponseWriter, r *http.Request) {
		a(x.sink, "world", r.Header)
		_, _ = w.Write([]byte("world"))
	})
	hello := x.application(t, func(w http.ResponseWriter, r *http.Request) {
		status, body := x.call(t, x.hello.url("outgoing"), "world", a(x.sink, "hello", r.Header))
		w.WriteHeader(status)
		_, _ = w.Write([]byte("hello " + body))
	})
	x.hello = x.proxy(t, propagator, "hello", hello)
	x.world = x.proxy(t, propagator, "world", world)
	write(t, filepath.Join(x.dir, "hello"), "127.0.0.1 "+x.hello.port("incoming")+"\n")
	write(t, filepath.Join(x.dir, "world"), "127.0.0.1 "+x.world.port("incoming")+"\n")
	return x
}

// proxy starts the proxy of an application.
func (x *tracedProxies) proxy(t *testing.T, propagator, name, addr string) *mesh {
	t.Helper()
	_, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	text := `
namers: [{kind: io.l5d.fs, rootDir: "` + x.dir + `"}]
telemetry: [{kind: test.sink}]
admin: {port: 0}
usage: {enabled: false}
routers:
- {protocol: ` + x.protocol + `, label: outgoing, dtab: "/svc => /#/io.l5d.fs", servers: [{port: 0}]` + propagator + `}
- {protocol: ` + x.protocol + `, label: incoming, dtab: "/svc/` + name + ` => /$/inet/127.0.0.1/` + port + `", servers: [{port: 0}]` + propagator + `}
`
	return serveWith(t, nil, x.sink, text)
}

// application serves h by the protocol.
func (x *tracedProxies) application(t *testing.T, h http.HandlerFunc) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &http.Server{Handler: h, Protocols: &http.Protocols{}}
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetUnencryptedHTTP2(true)
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return l.Addr().String()
}

func clientOf(t *testing.T, protocol string) *http.Client {
	t.Helper()
	tr := &http.Transport{Protocols: &http.Protocols{}}
	tr.Protocols.SetHTTP1(protocol == "http")
	tr.Protocols.SetUnencryptedHTTP2(protocol == "h2")
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func (x *tracedProxies) call(t *testing.T, url, host string, h http.Header) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, err.Error()
	}
	req.Host, req.Header = host, h
	resp, err := x.client.Do(req)
	if err != nil {
		return 599, err.Error()
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	_, _ = b.ReadFrom(resp.Body)
	return resp.StatusCode, b.String()
}

// copying is an application that forwards the headers that begin with one of the
// prefixes, and knows nothing of traces.
func copying(prefixes ...string) app {
	return func(_ *sink, _ string, in http.Header) http.Header {
		out := http.Header{}
		for k, v := range in {
			if slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(strings.ToLower(k), p) }) {
				out[k] = slices.Clone(v)
			}
		}
		return out
	}
}

// instrumented is copying with a span of its own, told in a form.
func instrumented(form string, prefixes ...string) app {
	return func(s *sink, name string, in http.Header) http.Header {
		out := copying(prefixes...)(s, name, in)
		span := spanOf(form, in)
		span.Name, span.Kind = name, telemetry.LocalSpan
		s.Record(span)
		said := say(form, span.Trace)
		for k := range said {
			out[k] = said[k]
		}
		return out
	}
}

// spanOf is a new span of the trace that came in a form, as another library reads it.
func spanOf(form string, in http.Header) (s telemetry.Span) {
	var id, span string
	switch form {
	case "w3c":
		p := strings.Split(in.Get("traceparent")+"---", "-")
		id, span = p[1], p[2]
	case "b3single":
		p := strings.Split(in.Get("b3")+"--", "-")
		id, span = p[0], p[1]
	case "b3":
		id, span = in.Get("x-b3-traceid"), in.Get("x-b3-spanid")
	}
	id = strings.Repeat("0", max(0, 32-len(id))) + id
	_, _ = fmt.Sscanf(id[:16], "%x", &s.Trace.TraceHigh)
	_, _ = fmt.Sscanf(id[16:], "%x", &s.Trace.TraceLow)
	_, _ = fmt.Sscanf(span, "%x", &s.Trace.Parent)
	s.Trace.Span = rand.Uint64()
	s.Start = time.Now()
	s.End = s.Start
	if s.Trace.Parent == 0 { // a trace of its own
		s.Trace.TraceLow, s.Trace.Parent = s.Trace.Span, s.Trace.Span
	}
	return s
}

// say tells of a sampled span in a form, as another library writes it.
func say(form string, t telemetry.Trace) http.Header {
	h := http.Header{}
	id, span := fmt.Sprintf("%016x%016x", t.TraceHigh, t.TraceLow), fmt.Sprintf("%016x", t.Span)
	switch form {
	case "w3c":
		h.Set("traceparent", "00-"+id+"-"+span+"-01")
	case "b3single":
		h.Set("b3", id+"-"+span+"-1")
	case "b3":
		h.Set("x-b3-traceid", id)
		h.Set("x-b3-spanid", span)
		h.Set("x-b3-sampled", "1")
	}
	return h
}

// TestTwoHopTrace is the published example: eight spans for hello, which asks world,
// through two proxies. Applications that know other headers than Linkerd's stay in the
// same trace, whether they have spans of their own or not.
func TestTwoHopTrace(t *testing.T) {
	jaeger := servers.StartJaeger(t)
	always := ", tracePropagator: {kind: io.l5d.default, write: [l5d, w3c, b3single, b3]}"
	for name, row := range map[string]struct {
		propagator string
		caller     string // the form in which the caller has a span; "" is a caller who knows nothing
		app        app
		own        bool // the applications have spans of their own
	}{
		"l5d":                          {"", "", copying("l5d-ctx-"), false},
		"w3c copied":                   {"", "w3c", copying("traceparent", "tracestate"), false},
		"b3 copied":                    {"", "b3single", copying("b3"), false},
		"b3 multi copied":              {"", "b3", copying("x-b3-"), false},
		"w3c spans":                    {"", "w3c", instrumented("w3c"), true},
		"b3 spans":                     {"", "b3single", instrumented("b3single"), true},
		"b3 multi spans":               {"", "b3", instrumented("b3"), true},
		"w3c spans, all copied":        {"", "w3c", instrumented("w3c", "l5d-ctx-", "x-b3", "b3"), true},
		"b3 spans, l5d copied":         {"", "b3", instrumented("b3", "l5d-ctx-"), true},
		"w3c spans, simple caller":     {always, "", instrumented("w3c", "l5d-ctx-"), true},
		"w3c alone, simple caller":     {always, "", instrumented("w3c"), true},
		"b3 alone, simple caller":      {always, "", instrumented("b3"), true},
		"w3c copied, simple caller":    {always, "", copying("traceparent"), false},
		"io.l5d.zipkin, simple caller": {", tracePropagator: {kind: io.l5d.zipkin}", "", instrumented("b3"), true},
	} {
		for _, protocol := range []string{"http", "h2"} {
			t.Run(protocol+" "+name, func(t *testing.T) {
				x := newTracedProxies(t, protocol, row.propagator, row.app)
				h := http.Header{}
				var want []string
				if row.caller != "" {
					caller := spanOf("", h)
					caller.Name, caller.Kind, caller.Trace.TraceHigh = "caller", telemetry.LocalSpan, 7
					x.sink.Record(caller)
					h = say(row.caller, caller.Trace)
					h.Set("tracestate", "vendor=value")
					want = append(want, "local caller")
				}
				status, body := x.call(t, x.hello.url("outgoing"), "hello", h)
				require.Equal(t, 200, status, body)
				assert.Equal(t, "hello world", body)
				for _, name := range []string{"hello", "world"} {
					for _, router := range []string{"outgoing", "incoming"} {
						want = append(want, "server "+router+" /svc/"+name, "client GET")
					}
					if row.own {
						want = append(want, "local "+name)
					}
				}
				eventually(t, func() bool { return x.sink.len() >= len(want) }, "not all spans have ended")
				assert.Equal(t, want, x.sink.chain(t))

				spans := jaeger.AwaitTrace(t, x.sink.tell(t, jaeger.Zipkin), len(want))
				require.Len(t, spans, len(want))
				parents := map[string]bool{}
				for _, sp := range spans {
					parents[sp.Span] = true
				}
				orphans := 0
				for _, sp := range spans {
					if !parents[sp.Parent] {
						orphans++
					}
				}
				assert.Equal(t, 1, orphans, "in Jaeger the root alone has no parent")
			})
		}
	}
}

// TestInProcessTrace: an application that has the mesh in its process is in the same
// trace as those behind proxies.
func TestInProcessTrace(t *testing.T) {
	for _, recorded := range []bool{true, false} {
		t.Run(fmt.Sprint("recorded ", recorded), func(t *testing.T) {
			x := newTracedProxies(t, "http", "", copying("l5d-ctx-"))
			interp := naming.NewInterpreter(naming.Options{
				Base:   dtab.MustParse("/svc => /#/io.l5d.fs"),
				Namers: naming.Under(newFS(t, x.dir)),
			})
			t.Cleanup(func() { _ = interp.Close() })
			o := meshhttp.Options{Mesh: transport.Options{Interpreter: interp, Label: "app"}}
			m := meshhttp.MiddlewareOptions{Label: "app"}
			if recorded {
				o.Tracers = telemetry.NewTracers(telemetry.Sampled{Tracer: x.sink, Rate: 1})
				m.Tracers = o.Tracers
			}
			mt, err := meshhttp.New(o)
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, mt.Close()) })
			handler := meshhttp.Middleware(m)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				req, _ := http.NewRequestWithContext(r.Context(), http.MethodGet, "http://world/", http.NoBody)
				resp, err := mt.RoundTrip(req)
				if err != nil {
					w.WriteHeader(599)
					return
				}
				_, _ = bytes.NewBuffer(nil).ReadFrom(resp.Body)
				_ = resp.Body.Close()
				w.WriteHeader(resp.StatusCode)
			}))
			addr := x.application(t, handler.ServeHTTP)
			write(t, filepath.Join(x.dir, "app"), strings.Replace(addr, ":", " ", 1)+"\n")
			status, body := x.call(t, x.hello.url("outgoing"), "app", http.Header{})
			require.Equal(t, 200, status, body)
			want := []string{"server outgoing /svc/app", "client GET"}
			if recorded {
				want = append(want, "server app", "local app /svc/world", "client GET")
			}
			want = append(want, "server incoming /svc/world", "client GET")
			eventually(t, func() bool { return x.sink.len() >= len(want) }, "not all spans have ended")
			assert.Equal(t, want, x.sink.chain(t))
		})
	}
}

func newFS(t *testing.T, dir string) *fs.Namer {
	t.Helper()
	n, err := fs.New(fs.Config{RootDir: dir}, fs.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = n.Close() })
	return n
}

// TestTracingSwitch: /admin/tracing turns tracing off and on in a running proxy.
func TestTracingSwitch(t *testing.T) {
	x := newTracedProxies(t, "http", "", copying("l5d-ctx-"))
	admin := "http://" + x.world.addrs.Admin + "/admin/tracing"
	url := x.world.url("incoming")
	for i, row := range []struct {
		query, says string
		spans       int
	}{{"", "Tracing enabled", 2}, {"?disable=true", "Tracing disabled", 0}, {"?enable=true", "Tracing enabled", 2}} {
		assert.Equal(t, row.says, do(t, get(admin+row.query)).body)
		x.sink.mu.Lock()
		x.sink.all = nil
		x.sink.mu.Unlock()
		status, _ := x.call(t, url, "world", http.Header{})
		require.Equal(t, 200, status)
		if row.spans > 0 {
			eventually(t, func() bool { return x.sink.len() == row.spans }, fmt.Sprint(i, row.says))
		} else {
			x.call(t, url, "world", http.Header{}) // time for a span to turn up
			assert.Zero(t, x.sink.len())
		}
	}
}

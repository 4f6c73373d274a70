package e2e_test

import (
	"context"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/proxy"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/plugin"
	"github.com/weft-mesh/weft/proxy/standard"
	"github.com/weft-mesh/weft/telemetry"
)

// traceLines is a slog.Handler that keeps the lines of the trace log.
type traceLines struct {
	mu    sync.Mutex
	lines []string
}

func (*traceLines) Enabled(context.Context, slog.Level) bool { return true }
func (l *traceLines) WithAttrs([]slog.Attr) slog.Handler     { return l }
func (l *traceLines) WithGroup(string) slog.Handler          { return l }

func (l *traceLines) Handle(_ context.Context, r slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if strings.Contains(r.Message, "<:") {
		l.lines = append(l.lines, r.Message)
	}
	return nil
}

var traceLine = regexp.MustCompile(`^\d{4} \d\d:\d\d:\d\d\.\d{3} [0-9a-f]{16}\.[0-9a-f]{16}<:[0-9a-f]{16}\] (.*)$`)

// annotations are the lines that are no tags, once the last "ws" is there.
func (l *traceLines) annotations(t *testing.T, want int) string {
	t.Helper()
	var all []string
	eventually(t, func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		all = nil
		for _, line := range l.lines {
			m := traceLine.FindStringSubmatch(line)
			if !assert.Len(t, m, 2, line) {
				return true
			}
			if !strings.Contains(m[1], "=") {
				all = append(all, m[1])
			}
		}
		return len(all) >= want
	}, "not all lines came")
	return strings.Join(all, " ")
}

// TestTraceVectors is 103 and 104 of control-plane 11.3, with the trace log of a router.
func TestTraceVectors(t *testing.T) {
	for _, protocol := range []string{"http", "h2"} {
		for id, row := range map[string]struct {
			failures int64
			want     string
		}{
			"103": {0, "wr sr cs ws wr l5d.success cr ss ws"},
			"104": {1, "wr sr cs ws wr l5d.retryable cr cs ws wr l5d.success cr ss ws"},
		} {
			t.Run(protocol+" "+id, func(t *testing.T) {
				var left atomic.Int64
				left.Store(row.failures)
				x := &tracedProxies{}
				addr := x.application(t, func(w http.ResponseWriter, _ *http.Request) {
					if left.Add(-1) >= 0 {
						w.WriteHeader(http.StatusInternalServerError)
					}
				})
				classifier := map[string]string{"http": "io.l5d.http.retryableRead5XX", "h2": "io.l5d.h2.retryableRead5XX"}[protocol]
				id := "/$/inet/127.1/" + addr[strings.LastIndexByte(addr, ':')+1:]
				kept, lines := &sink{}, &traceLines{}
				m := serveWith(t, lines, kept, `
telemetry: [{kind: io.l5d.tracelog}, {kind: test.sink}]
admin: {port: 0}
routers:
- {protocol: `+protocol+`, label: r, dtab: "/svc/felix => `+id+`", servers: [{port: 0}], service: {responseClassifier: {kind: `+classifier+`}}}
`)
				x.client = clientOf(t, protocol)
				status, body := x.call(t, m.url("r")+"/a?b=c", "felix", http.Header{})
				require.Equal(t, 200, status, body)
				assert.Equal(t, row.want, lines.annotations(t, len(strings.Fields(row.want))))

				eventually(t, func() bool { return kept.len() == 2+int(row.failures) }, "a span is missing")
				server, client := kept.all[row.failures+1], kept.all[row.failures]
				for key, want := range map[string]string{
					"router.label": "r", "service": "/svc/felix", "client": id, "residual": "/", "dtab.base": "/svc/felix=>" + id,
					"sa": m.addrs.Servers["r"][0], "namer.success": id, "zipkin.sampling_rate": "1",
					"http.method": "GET", "http.req.method": "GET", "http.uri": "/a?b=c", "http.req.host": "felix",
					"http.status_code": "200", "http.rsp.status": "200",
				} {
					assert.Equal(t, want, server.Lookup(key), key)
				}
				assert.Contains(t, server.Lookup("ca"), "127.0.0.1:")
				assert.Equal(t, "r /svc/felix", server.Name)
				assert.Equal(t, "GET", client.Name)
				for key, want := range map[string]string{
					"clnt/finagle.label": id, "sa": addr, "http.method": "GET", "http.req.method": "GET", "http.uri": "/a?b=c",
					"http.status_code": "200", "http.rsp.status": "200", "zipkin.sampling_rate": "",
				} {
					assert.Equal(t, want, client.Lookup(key), key)
				}
				assert.Contains(t, client.Lookup("clnt/finagle.version"), "weft")
				if row.failures > 0 {
					assert.Equal(t, "1", server.Lookup("finagle.retry"))
				}
				if protocol == "h2" {
					assert.Equal(t, []string{"felix", "200", "/a?b=c"}, []string{server.Lookup("h2.req.authority"), server.Lookup("h2.rsp.status"), client.Lookup("h2.req.path")})
					assert.Contains(t, client.Lookup("ca"), "127.0.0.1:")
				}

				kept.mu.Lock()
				kept.all = nil
				kept.mu.Unlock()
				x.call(t, m.url("r"), "nobody", http.Header{})
				eventually(t, func() bool { return kept.len() == 1 }, "a failure is traced, too")
				assert.Equal(t, "ClientAcquisition", kept.all[0].Lookup("io.buoyant.router.Failure"))
				assert.NotEmpty(t, kept.all[0].Lookup("namer.failure"))
				assert.Equal(t, "/svc/nobody", kept.all[0].Lookup("service"))
			})
		}
	}
}

// serveWith runs a configuration that has the kind test.sink.
func serveWith(t *testing.T, h slog.Handler, s *sink, text string) *mesh {
	t.Helper()
	reg, err := standard.Registry(config.Define(config.RoleTelemeter, "test.sink", func(struct{}, plugin.TelemeterEnv) (plugin.Telemeter, error) {
		return plugin.Telemeter{Tracer: telemetry.Sampled{Tracer: s, Rate: 1}}, nil
	}, config.Traits{}))
	require.NoError(t, err)
	cfg, err := config.Load("linkerd.yaml", []byte(text), config.Options{Registry: reg})
	require.NoError(t, err)
	o := proxy.Options{}
	if h != nil {
		o.Logger = slog.New(h)
	}
	p, err := proxy.New(cfg, o)
	require.NoError(t, err)
	m := &mesh{proxy: p}
	m.addrs, err = p.Start()
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, p.Close()) })
	return m
}

package otlp_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/telemetry/otlp"
)

var start = time.UnixMicro(1_700_000_000_000_001)

func attributes(s sdktrace.ReadOnlySpan) map[string]any {
	all := map[string]any{}
	for _, a := range s.Attributes() {
		all[string(a.Key)] = a.Value.AsInterface()
	}
	return all
}

func TestConvertServer(t *testing.T) {
	r := resource.NewSchemaless(attribute.String("service.name", "front"))
	s := otlp.Convert(&telemetry.Span{
		Trace: telemetry.Trace{TraceHigh: 0xf, TraceLow: 0xabc, Span: 2, Parent: 1, Sampled: true, SampledKnown: true},
		Kind:  telemetry.ServerSpan, Name: "http /svc/web", Start: start, End: start.Add(time.Millisecond),
		Annotations: []telemetry.Annotation{{Time: start, Value: "wr"}, {Time: start.Add(time.Microsecond), Value: "sr"}},
		Tags: []telemetry.Tag{
			{Key: "router.label", Value: "old"},
			{Key: "router.label", Value: "http"},
			{Key: "ca", Value: "10.0.0.1:5000"},
			{Key: "sa", Value: "[::ffff:127.0.0.1]:4140"},
			{Key: "http.method", Value: "GET"},
			{Key: "http.uri", Value: "/a?b=c"},
			{Key: "http.status_code", Value: "404"},
			{Key: "http.req.method", Value: "GET"},
			{Key: "http.rsp.status", Value: "404"},
			{Key: "http.req.version", Value: "HTTP/1.1"},
		},
	}, r)
	assert.Equal(t, "000000000000000f0000000000000abc", s.SpanContext().TraceID().String())
	assert.Equal(t, "0000000000000002", s.SpanContext().SpanID().String())
	assert.Equal(t, "000000000000000f0000000000000abc", s.Parent().TraceID().String())
	assert.Equal(t, "0000000000000001", s.Parent().SpanID().String())
	assert.True(t, s.Parent().IsRemote())
	assert.True(t, s.SpanContext().IsSampled())
	assert.Equal(t, trace.SpanKindServer, s.SpanKind())
	assert.Equal(t, "http /svc/web", s.Name())
	assert.Equal(t, []time.Time{start, start.Add(time.Millisecond)}, []time.Time{s.StartTime(), s.EndTime()})
	assert.Equal(t, r, s.Resource())
	assert.Equal(t, map[string]any{
		"router.label": "http", "ca": "10.0.0.1:5000", "sa": "[::ffff:127.0.0.1]:4140",
		"http.method": "GET", "http.uri": "/a?b=c", "http.status_code": "404", "http.req.method": "GET", "http.rsp.status": "404", "http.req.version": "HTTP/1.1",

		"client.address": "10.0.0.1", "client.port": int64(5000), "network.peer.address": "10.0.0.1", "network.peer.port": int64(5000),
		"server.address": "127.0.0.1", "server.port": int64(4140), "network.local.address": "127.0.0.1", "network.local.port": int64(4140),
		"http.request.method": "GET", "url.path": "/a", "url.query": "b=c", "http.response.status_code": int64(404),
		"network.protocol.name": "http", "network.protocol.version": "1.1",
	}, attributes(s))
	assert.Len(t, s.Attributes(), len(attributes(s)), "none is there twice")
	assert.Equal(t, codes.Unset, s.Status().Code, "404 is no failure of a server")
	require.Len(t, s.Events(), 2)
	assert.Equal(t, "sr", s.Events()[1].Name)
	assert.True(t, s.Events()[1].Time.Equal(start.Add(time.Microsecond)))
}

func TestConvertFailures(t *testing.T) {
	status := func(code string) []telemetry.Tag { return []telemetry.Tag{{Key: "http.status_code", Value: code}} }
	for name, v := range map[string]struct {
		kind  telemetry.SpanKind
		tags  []telemetry.Tag
		notes string
		want  string
	}{
		"server 503":           {telemetry.ServerSpan, status("503"), "", "503"},
		"client 404":           {telemetry.ClientSpan, status("404"), "", "404"},
		"server 404":           {telemetry.ServerSpan, status("404"), "", ""},
		"client 200":           {telemetry.ClientSpan, status("200"), "l5d.success", ""},
		"classified a failure": {telemetry.ClientSpan, status("200"), "l5d.failure", "l5d.failure"},
		"to be retried":        {telemetry.ClientSpan, nil, "l5d.retryable", "l5d.retryable"},
		"nobody was found":     {telemetry.ServerSpan, []telemetry.Tag{{Key: "io.buoyant.router.Failure", Value: "ClientAcquisition"}}, "", "ClientAcquisition"},
		"no number":            {telemetry.ServerSpan, status("5xx"), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := otlp.Convert(&telemetry.Span{
				Trace: telemetry.NewTrace(), Kind: v.kind, Start: start, End: start.Add(-1),
				Tags: v.tags, Annotations: []telemetry.Annotation{{Time: start, Value: v.notes}},
			}, nil)
			want := codes.Unset
			if v.want != "" {
				want = codes.Error
				assert.Equal(t, v.want, attributes(s)["error.type"])
			}
			assert.Equal(t, sdktrace.Status{Code: want, Description: v.want}, s.Status())
			assert.Equal(t, start, s.EndTime(), "never before its start")
			assert.False(t, s.Parent().IsValid(), "a root")
		})
	}
	client := otlp.Convert(&telemetry.Span{
		Trace: telemetry.NewTrace().Child(), Kind: telemetry.ClientSpan,
		Tags: []telemetry.Tag{{Key: "ca", Value: "10.0.0.1:5000"}, {Key: "sa", Value: "/run/x.sock"}, {Key: "http.uri", Value: "http://web"}, {Key: "http.req.version", Value: "HTTP/2.0"}},
	}, nil)
	assert.Equal(t, trace.SpanKindClient, client.SpanKind())
	assert.False(t, client.Parent().IsRemote())
	assert.Equal(t, map[string]any{
		"ca": "10.0.0.1:5000", "sa": "/run/x.sock", "http.uri": "http://web", "http.req.version": "HTTP/2.0",
		"network.local.address": "10.0.0.1", "network.local.port": int64(5000), "url.path": "/", "network.protocol.name": "http", "network.protocol.version": "2",
	}, attributes(client))
	assert.Equal(t, trace.SpanKindInternal, otlp.Convert(&telemetry.Span{}, nil).SpanKind())
}

func TestParseEndpoint(t *testing.T) {
	for in, want := range map[string]string{
		"grpc ":                       "http://localhost:4317",
		"http ":                       "http://localhost:4318/v1/traces",
		"grpc collector":              "http://collector:4317",
		"grpc [::1]":                  "http://[::1]:4317",
		"http collector:80":           "http://collector:80/v1/traces",
		"http https://c/api/traces":   "https://c:4318/api/traces",
		"grpc https://c:443/":         "https://c:443",
		"grpc https://c/x":            "has a path",
		"grpc c:70000":                "has a port out of range",
		"grpc c:x":                    "is malformed",
		"grpc dns:///c":               "has a scheme other than http and https",
		"http http://":                "has no host",
		"http http://user:pass@c":     "has more than scheme, host, port and path",
		"thrift c":                    `protocol "thrift" is neither grpc nor http`,
		"http https://c:1/v1/traces/": "https://c:1/v1/traces/",
	} {
		var p, text string
		for i := range in {
			if in[i] == ' ' {
				p, text = in[:i], in[i+1:]
				break
			}
		}
		e, err := otlp.ParseEndpoint(text, otlp.Protocol(p))
		if err != nil {
			assert.ErrorContains(t, err, want, in)
			continue
		}
		assert.Equal(t, want, e.String(), in)
	}
}

package zipkin_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/telemetry/zipkin"
)

var start = time.UnixMicro(1_700_000_000_000_001)

func at(us int) time.Time { return start.Add(time.Duration(us) * time.Microsecond) }

func TestConvert(t *testing.T) {
	type tags = []telemetry.Tag
	for _, v := range []struct {
		name    string
		span    telemetry.Span
		service string
		want    string
	}{
		{
			name: "a server span",
			span: telemetry.Span{
				Trace: telemetry.Trace{TraceLow: 0xabc, Span: 2, Parent: 1, Sampled: true, SampledKnown: true},
				Kind:  telemetry.ServerSpan, Name: "http /svc/web", Start: start, End: at(1500),
				Annotations: []telemetry.Annotation{{Time: start, Value: "wr"}, {Time: at(3), Value: "sr"}, {Time: at(1500), Value: "ss"}},
				Tags: tags{
					{Key: "router.label", Value: "http"},
					{Key: "ca", Value: "10.0.0.1:5000"},
					{Key: "sa", Value: "127.0.0.1:4140"},
					{Key: "service", Value: "/svc/old"},
					{Key: "service", Value: "/svc/web"},
				},
			},
			want: `{"traceId":"0000000000000abc","id":"0000000000000002","parentId":"0000000000000001","kind":"SERVER","name":"http /svc/web",
				"timestamp":1700000000000001,"duration":1500,
				"localEndpoint":{"serviceName":"http","ipv4":"127.0.0.1","port":4140},"remoteEndpoint":{"ipv4":"10.0.0.1","port":5000},
				"annotations":[{"timestamp":1700000000000001,"value":"wr"},{"timestamp":1700000000000004,"value":"sr"},{"timestamp":1700000000001501,"value":"ss"}],
				"tags":{"router.label":"http","service":"/svc/web"}}`,
		},
		{
			name: "a client span of a debug trace with 128 bits that failed",
			span: telemetry.Span{
				Trace: telemetry.Trace{TraceHigh: 0xf, TraceLow: 0xabc, Span: 3, Parent: 2, Debug: true},
				Kind:  telemetry.ClientSpan, Name: "get", Start: start, End: at(1),
				Annotations: []telemetry.Annotation{{Time: start, Value: "l5d.failure"}},
				Tags:        tags{{Key: "clnt/finagle.label", Value: "#/io.l5d.fs/web"}, {Key: "ca", Value: "[::1]:9"}, {Key: "sa", Value: "[::ffff:10.0.0.2]:80"}},
			},
			want: `{"traceId":"000000000000000f0000000000000abc","id":"0000000000000003","parentId":"0000000000000002","kind":"CLIENT","name":"get","debug":true,
				"timestamp":1700000000000001,"duration":1,
				"localEndpoint":{"serviceName":"#/io.l5d.fs/web","ipv6":"::1","port":9},"remoteEndpoint":{"ipv4":"10.0.0.2","port":80},
				"annotations":[{"timestamp":1700000000000001,"value":"l5d.failure"}],
				"tags":{"clnt/finagle.label":"#/io.l5d.fs/web","error":"l5d.failure"}}`,
		},
		{
			name: "a root, with a service name, of which little is known",
			span: telemetry.Span{
				Trace: telemetry.Trace{TraceLow: 1, Span: 1, Parent: 1}, Start: start, End: at(-5),
				Tags: tags{{Key: "sa", Value: "/run/app.sock"}, {Key: "io.buoyant.router.Failure", Value: "Identification"}},
			},
			service: "front",
			want: `{"traceId":"0000000000000001","id":"0000000000000001","timestamp":1700000000000001,"localEndpoint":{"serviceName":"front"},
				"tags":{"sa":"/run/app.sock","io.buoyant.router.Failure":"Identification","error":"Identification"}}`,
		},
		{
			name: "an attempt that is repeated, within the process",
			span: telemetry.Span{
				Trace: telemetry.Trace{TraceLow: 1, Span: 1}, Start: start, End: at(1),
				Annotations: []telemetry.Annotation{{Time: start, Value: "l5d.retryable"}},
				Tags:        tags{{Key: "ca", Value: "10.0.0.1"}, {Key: "sa", Value: "[fe80::1%eth0]:80"}},
			},
			want: `{"traceId":"0000000000000001","id":"0000000000000001","timestamp":1700000000000001,"duration":1,
				"localEndpoint":{"serviceName":"weft","ipv4":"10.0.0.1"},"remoteEndpoint":{"ipv6":"fe80::1","port":80},
				"annotations":[{"timestamp":1700000000000001,"value":"l5d.retryable"}],"tags":{"error":"l5d.retryable"}}`,
		},
		{
			name: "why it failed, before that it did",
			span: telemetry.Span{
				Trace: telemetry.Trace{TraceLow: 1, Span: 1}, Start: start, End: at(1),
				Annotations: []telemetry.Annotation{{Time: start, Value: "l5d.failure"}},
				Tags:        tags{{Key: "io.buoyant.router.Failure", Value: "Service"}},
			},
			want: `{"traceId":"0000000000000001","id":"0000000000000001","timestamp":1700000000000001,"duration":1,"localEndpoint":{"serviceName":"weft"},
				"annotations":[{"timestamp":1700000000000001,"value":"l5d.failure"}],"tags":{"io.buoyant.router.Failure":"Service","error":"Service"}}`,
		},
		{
			name: "an error that has a name",
			span: telemetry.Span{
				Trace: telemetry.Trace{TraceLow: 1, Span: 1}, Start: start, End: at(1),
				Tags: tags{{Key: "io.buoyant.router.Failure", Value: "Service"}, {Key: "error", Value: "mine"}},
			},
			want: `{"traceId":"0000000000000001","id":"0000000000000001","timestamp":1700000000000001,"duration":1,"localEndpoint":{"serviceName":"weft"},
				"tags":{"io.buoyant.router.Failure":"Service","error":"mine"}}`,
		},
		{
			name: "a clock before 1970",
			span: telemetry.Span{
				Trace: telemetry.Trace{TraceLow: 1, Span: 1}, End: at(0), Annotations: []telemetry.Annotation{{Value: "sr"}},
			},
			want: `{"traceId":"0000000000000001","id":"0000000000000001","localEndpoint":{"serviceName":"weft"}}`,
		},
	} {
		t.Run(v.name, func(t *testing.T) {
			text, err := json.Marshal(zipkin.Convert(&v.span, v.service))
			require.NoError(t, err)
			assert.JSONEq(t, v.want, string(text))
		})
	}
}

func TestParseURL(t *testing.T) {
	for in, want := range map[string]string{
		"http://zipkin:9411":            "http://zipkin:9411/api/v2/spans",
		"https://zipkin/":               "https://zipkin/api/v2/spans",
		"http://zipkin:9411/a/v2/spans": "http://zipkin:9411/a/v2/spans",
		"http://[::1]:9411":             "http://[::1]:9411/api/v2/spans",
		"zipkin:9411":                   "",
		"http://":                       "",
		"ftp://zipkin":                  "",
		"http://a b":                    "",
		"":                              "",
	} {
		u, err := zipkin.ParseURL(in)
		if want == "" {
			assert.ErrorContains(t, err, "zipkin: ", in)
			continue
		}
		if assert.NoError(t, err, in) {
			assert.Equal(t, want, u.String())
		}
	}
}

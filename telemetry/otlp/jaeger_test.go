package otlp_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/telemetry/otlp"
)

// TestJaeger: what a real collector tells of the spans is what was sent, and a collector
// that is away for a while gets those of the meantime.
func TestJaeger(t *testing.T) {
	j := servers.StartJaeger(t)
	for _, o := range []otlp.Options{{Endpoint: j.OTLPGRPC}, {Endpoint: j.OTLPHTTP, Protocol: otlp.HTTP}} {
		o.ServiceName, o.Resource = "front", map[string]string{"deployment.environment.name": "test"}
		o.Delivery.Interval = 50 * time.Millisecond
		t.Run("protocol "+string(o.Protocol), func(t *testing.T) { throughJaeger(t, j, o) })
	}
}

func throughJaeger(t *testing.T, j *servers.Jaeger, o otlp.Options) {
	t.Helper()
	tree := telemetry.NewTree(telemetry.Options{Window: -1})
	o.Delivery.Scope = tree.Scope()
	e := newExporter(t, o)
	root := telemetry.NewTrace()
	root.TraceHigh = 0x463ac35c9f6413ad
	id := fmt.Sprintf("%016x%016x", root.TraceHigh, root.TraceLow)
	child := root.Child()
	begun := time.Now().Truncate(time.Microsecond)
	e.Record(telemetry.Span{
		Trace: root, Kind: telemetry.ServerSpan, Name: "http /svc/Web", Start: begun, End: begun.Add(3 * time.Millisecond),
		Annotations: []telemetry.Annotation{{Time: begun, Value: "wr"}, {Time: begun.Add(2 * time.Millisecond), Value: "ss"}},
		Tags:        []telemetry.Tag{{Key: "router.label", Value: "http"}, {Key: "service", Value: "/svc/web"}, {Key: "ca", Value: "10.0.0.1:5000"}, {Key: "http.status_code", Value: "200"}},
	})
	e.Record(telemetry.Span{
		Trace: child, Kind: telemetry.ClientSpan, Name: "GET", Start: begun.Add(time.Millisecond), End: begun.Add(2 * time.Millisecond),
		Annotations: []telemetry.Annotation{{Time: begun.Add(2 * time.Millisecond), Value: telemetry.AnnFailure}},
	})
	spans := j.AwaitTrace(t, id, 2)
	server, client := spans[0], spans[1]
	assert.Equal(t, []string{id, id}, []string{server.Trace, client.Trace})
	assert.Equal(t, []string{fmt.Sprintf("%016x", root.Span), ""}, []string{server.Span, server.Parent})
	assert.Equal(t, []string{fmt.Sprintf("%016x", child.Span), fmt.Sprintf("%016x", root.Span)}, []string{client.Span, client.Parent})
	assert.Equal(t, []string{"front", "http /svc/Web", "server", "/svc/web"}, []string{server.Service, server.Name, server.Tags["span.kind"], server.Tags["service"]})
	assert.Equal(t, "test", server.Process["deployment.environment.name"])
	assert.Equal(t, "200", server.Tags["http.response.status_code"])
	assert.Equal(t, "10.0.0.1", server.Tags["client.address"])
	assert.Equal(t, []string{"client", "ERROR", "true"}, []string{client.Tags["span.kind"], client.Tags["otel.status_code"], client.Tags["error"]})
	assert.True(t, server.Start.Equal(begun), "%v", server.Start.Sub(begun))
	assert.Equal(t, 3*time.Millisecond, server.Duration)
	assert.True(t, client.Start.Equal(begun.Add(time.Millisecond)))
	require.Len(t, server.Logs, 2)
	assert.Equal(t, "ss", server.Logs[1].Fields["event"])
	assert.True(t, server.Logs[1].At.Equal(begun.Add(2*time.Millisecond)))

	j.Kill()
	s := span("away")
	e.Record(s)
	require.Eventually(t, func() bool { return tree.Scope().Counter("sends", "failures").Value() > 0 }, 30*time.Second, 10*time.Millisecond, "a batch is refused")
	j.Start()
	// Jaeger drops the leading zeros of a trace id of 64 bits.
	late := j.AwaitTrace(t, fmt.Sprintf("%016x", s.Trace.TraceLow), 1)
	assert.Equal(t, "away", late[0].Name)
	require.NoError(t, e.Close())
	assert.Equal(t, []int64{3, 0}, []int64{e.Sent(), e.Dropped()})
}

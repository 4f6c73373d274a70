package zipkin_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/telemetry/zipkin"
)

// TestJaeger: what a real collector tells of the spans is what was sent, and a collector
// that is away for a while gets those of the meantime.
func TestJaeger(t *testing.T) {
	j := servers.StartJaeger(t)
	tree := telemetry.NewTree(telemetry.Options{Window: -1})
	e := newExporter(t, zipkin.Options{URL: j.Zipkin, Delivery: telemetry.DeliveryOptions{Interval: 50 * time.Millisecond, Scope: tree.Scope()}})
	root := telemetry.NewTrace()
	root.TraceHigh = 0x463ac35c9f6413ad
	id := fmt.Sprintf("%016x%016x", root.TraceHigh, root.TraceLow)
	child := root.Child()
	begun := time.Now().Truncate(time.Microsecond)
	e.Record(telemetry.Span{
		Trace: root, Kind: telemetry.ServerSpan, Name: "http /svc/web", Start: begun, End: begun.Add(3 * time.Millisecond),
		Annotations: []telemetry.Annotation{{Time: begun, Value: "wr"}, {Time: begun.Add(2 * time.Millisecond), Value: "ss"}},
		Tags:        []telemetry.Tag{{Key: "router.label", Value: "http"}, {Key: "service", Value: "/svc/web"}, {Key: "ca", Value: "10.0.0.1:5000"}, {Key: "sa", Value: "127.0.0.1:4140"}},
	})
	e.Record(telemetry.Span{
		Trace: child, Kind: telemetry.ClientSpan, Name: "get", Start: begun.Add(time.Millisecond), End: begun.Add(2 * time.Millisecond),
		Tags: []telemetry.Tag{{Key: "clnt/finagle.label", Value: "#/io.l5d.fs/web"}, {Key: "sa", Value: "127.0.0.1:8080"}},
	})
	spans := j.AwaitTrace(t, id, 2)
	server, client := spans[0], spans[1]
	assert.Equal(t, []string{id, id}, []string{server.Trace, client.Trace})
	assert.Equal(t, []string{fmt.Sprintf("%016x", root.Span), ""}, []string{server.Span, server.Parent})
	assert.Equal(t, []string{fmt.Sprintf("%016x", child.Span), fmt.Sprintf("%016x", root.Span)}, []string{client.Span, client.Parent})
	assert.Equal(t, []string{"http", "http /svc/web", "server", "/svc/web"}, []string{server.Service, server.Name, server.Tags["span.kind"], server.Tags["service"]})
	assert.Equal(t, []string{"#/io.l5d.fs/web", "get", "client"}, []string{client.Service, client.Name, client.Tags["span.kind"]})
	assert.True(t, server.Start.Equal(begun), "%v", server.Start.Sub(begun))
	assert.Equal(t, 3*time.Millisecond, server.Duration)
	assert.True(t, client.Start.Equal(begun.Add(time.Millisecond)))
	assert.Equal(t, time.Millisecond, client.Duration)
	require.Len(t, server.Logs, 2)
	assert.Equal(t, "ss", server.Logs[1].Fields["event"])
	assert.True(t, server.Logs[1].At.Equal(begun.Add(2*time.Millisecond)))
	assert.Empty(t, server.Warnings)

	j.Kill()
	s := span("away")
	e.Record(s)
	require.Eventually(t, func() bool { return tree.Scope().Counter("sends", "failures").Value() > 0 }, 30*time.Second, 10*time.Millisecond, "a batch is refused")
	j.Start()
	late := j.AwaitTrace(t, fmt.Sprintf("%016x", s.Trace.TraceLow), 1)
	assert.Equal(t, "away", late[0].Name)
	require.NoError(t, e.Close())
	assert.Equal(t, []int64{3, 0}, []int64{e.Sent(), e.Dropped()})
}

package telemetry_test

import (
	"fmt"
	"os"

	"github.com/weft-mesh/weft/telemetry"
)

func ExampleTree() {
	tree := telemetry.NewTree(telemetry.Options{})
	defer tree.Close()

	client := tree.Scope("rt", "http", "client", "#/io.l5d.fs/web")
	requests := client.Counter("requests") // made once, kept with the client
	latency := client.Stat("request_latency_ms")

	requests.Inc()
	latency.Record(12)

	tree.CloseWindow() // the tree's timer does this once a minute
	_ = telemetry.WriteJSON(os.Stdout, tree, telemetry.JSONOptions{Pretty: true})
	client.Prune() // the client is gone
	// Output:
	// {
	//   "rt/http/client/#/io.l5d.fs/web/request_latency_ms.count" : 1,
	//   "rt/http/client/#/io.l5d.fs/web/request_latency_ms.max" : 12,
	//   "rt/http/client/#/io.l5d.fs/web/request_latency_ms.min" : 12,
	//   "rt/http/client/#/io.l5d.fs/web/request_latency_ms.p50" : 12,
	//   "rt/http/client/#/io.l5d.fs/web/request_latency_ms.p90" : 12,
	//   "rt/http/client/#/io.l5d.fs/web/request_latency_ms.p95" : 12,
	//   "rt/http/client/#/io.l5d.fs/web/request_latency_ms.p99" : 12,
	//   "rt/http/client/#/io.l5d.fs/web/request_latency_ms.p9990" : 12,
	//   "rt/http/client/#/io.l5d.fs/web/request_latency_ms.p9999" : 12,
	//   "rt/http/client/#/io.l5d.fs/web/request_latency_ms.sum" : 12,
	//   "rt/http/client/#/io.l5d.fs/web/request_latency_ms.avg" : 12.0,
	//   "rt/http/client/#/io.l5d.fs/web/requests" : 1
	// }
}

func ExampleTracers() {
	recent := telemetry.NewRecent(10)
	tracers := telemetry.NewTracers(telemetry.Sampled{Tracer: recent, Rate: 1})

	in, err := telemetry.ParseTrace("not a header")
	if err != nil {
		in = telemetry.Trace{} // as if absent: a new trace begins
	}
	server := in.Child()
	span := tracers.Start(server, telemetry.ServerSpan, "http /svc/web") // nil if nobody wants it
	span.Annotate(telemetry.AnnServerRecv)
	span.Tag(telemetry.TagService, "/svc/web")
	tracers.Finish(span)

	fmt.Println(len(recent.Traces()))
	// Output: 1
}

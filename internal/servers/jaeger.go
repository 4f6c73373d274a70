package servers

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/weft-mesh/weft/internal/testtool"
)

// Jaeger is a running collector of traces, which are in its memory: none outlives it.
type Jaeger struct {
	*Server
	Zipkin   string // where Zipkin's v2 JSON is posted, http://127.0.0.1:PORT/api/v2/spans
	OTLPGRPC string // host:port
	OTLPHTTP string // http://127.0.0.1:PORT, without the path /v1/traces
	Query    string // the API and the (empty) UI, http://127.0.0.1:PORT
}

// StartJaeger starts a Jaeger that takes Zipkin and OTLP.
func StartJaeger(tb testing.TB) *Jaeger {
	tb.Helper()
	bin, p := testtool.Get(tb, testtool.Jaeger), ports(tb, 8)
	j := &Jaeger{
		Zipkin:   "http://" + loopback(p[0]) + "/api/v2/spans",
		OTLPGRPC: loopback(p[1]),
		OTLPHTTP: "http://" + loopback(p[2]),
		Query:    "http://" + loopback(p[3]),
	}
	admin := "http://" + loopback(p[4])
	command := func() *exec.Cmd {
		cmd := exec.Command( //nolint:noctx // it ends with the test
			bin,
			"--collector.zipkin.host-port="+loopback(p[0]),
			"--collector.otlp.grpc.host-port="+loopback(p[1]),
			"--collector.otlp.http.host-port="+loopback(p[2]),
			"--query.http-server.host-port="+loopback(p[3]),
			"--admin.http.host-port="+loopback(p[4]),
			"--query.grpc-server.host-port="+loopback(p[5]),
			"--collector.grpc-server.host-port="+loopback(p[6]),
			"--collector.http-server.host-port="+loopback(p[7]),
			"--memory.max-traces=100000",
			"--log-level=warn",
		)
		cmd.Env = append(cmd.Environ(), "SPAN_STORAGE_TYPE=memory")
		return cmd
	}
	j.Server = start(tb, "jaeger", command, func(ctx context.Context) error {
		if err := get(ctx, admin+"/", "Server available"); err != nil {
			return err
		}
		return get(ctx, j.Query+"/api/services", `"data"`)
	})
	return j
}

// JaegerSpan is a span as Jaeger tells of it.
type JaegerSpan struct {
	Trace, Span string // as Jaeger prints them: 16 or 32 digits of hex, and 16
	Parent      string // the span it is a child of, "" in a root
	Service     string // of the process
	Name        string
	Start       time.Time
	Duration    time.Duration
	Tags        map[string]string // of the span, all as text; "span.kind" is among them
	Process     map[string]string // tags of the process
	Logs        []JaegerLog       // annotations and events, in the order of time
	Warnings    []string
}

// JaegerLog is something that happened in a span.
type JaegerLog struct {
	At     time.Time
	Fields map[string]string // the name of an event is the field "event"
}

// Trace asks for the spans of a trace, by its id in hex, sorted by their start. There
// are none as long as none has arrived.
func (j *Jaeger) Trace(ctx context.Context, id string) ([]JaegerSpan, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, j.Query+"/api/traces/"+id, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	if resp.StatusCode == http.StatusNotFound {
		return nil, nil
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("jaeger: trace %s: %s", id, resp.Status)
	}
	var answer jaegerAnswer
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("jaeger: trace %s: %w", id, err)
	}
	var spans []JaegerSpan
	for _, t := range answer.Data {
		for i := range t.Spans {
			s := t.Spans[i].span()
			p := t.Processes[t.Spans[i].ProcessID]
			s.Service, s.Process = p.ServiceName, texts(p.Tags)
			spans = append(spans, s)
		}
	}
	slices.SortStableFunc(spans, func(a, b JaegerSpan) int { return a.Start.Compare(b.Start) })
	return spans, nil
}

// AwaitTrace waits until at least n spans of a trace have arrived, and returns them.
func (j *Jaeger) AwaitTrace(tb testing.TB, id string, n int) []JaegerSpan {
	tb.Helper()
	deadline := time.Now().Add(patience)
	for {
		spans, err := j.Trace(tb.Context(), id)
		if err == nil && len(spans) >= n {
			return spans
		}
		if time.Now().After(deadline) {
			tb.Fatalf("servers: jaeger has %d of %d spans of trace %s after %v (%v)", len(spans), n, id, patience, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

type jaegerAnswer struct {
	Data []struct {
		Spans     []jaegerJSON `json:"spans"`
		Processes map[string]struct {
			ServiceName string      `json:"serviceName"`
			Tags        []jaegerTag `json:"tags"`
		} `json:"processes"`
	} `json:"data"`
}

type jaegerJSON struct {
	TraceID       string `json:"traceID"`
	SpanID        string `json:"spanID"`
	OperationName string `json:"operationName"`
	References    []struct {
		RefType string `json:"refType"`
		SpanID  string `json:"spanID"`
	} `json:"references"`
	StartTime int64       `json:"startTime"` // µs
	Duration  int64       `json:"duration"`  // µs
	Tags      []jaegerTag `json:"tags"`
	Logs      []struct {
		Timestamp int64       `json:"timestamp"` // µs
		Fields    []jaegerTag `json:"fields"`
	} `json:"logs"`
	ProcessID string   `json:"processID"`
	Warnings  []string `json:"warnings"`
}

type jaegerTag struct {
	Key   string `json:"key"`
	Value any    `json:"value"`
}

func (j *jaegerJSON) span() JaegerSpan {
	s := JaegerSpan{
		Trace: j.TraceID, Span: j.SpanID, Name: j.OperationName, Start: time.UnixMicro(j.StartTime),
		Duration: time.Duration(j.Duration) * time.Microsecond, Tags: texts(j.Tags), Warnings: j.Warnings,
	}
	for _, r := range j.References {
		if r.RefType == "CHILD_OF" {
			s.Parent = r.SpanID
		}
	}
	for _, l := range j.Logs {
		s.Logs = append(s.Logs, JaegerLog{At: time.UnixMicro(l.Timestamp), Fields: texts(l.Fields)})
	}
	slices.SortStableFunc(s.Logs, func(a, b JaegerLog) int { return a.At.Compare(b.At) })
	return s
}

func texts(tags []jaegerTag) map[string]string {
	all := make(map[string]string, len(tags))
	for _, t := range tags {
		switch v := t.Value.(type) {
		case string:
			all[t.Key] = v
		case float64:
			all[t.Key] = fmt.Sprintf("%.0f", v)
		default:
			all[t.Key] = fmt.Sprint(v)
		}
	}
	return all
}

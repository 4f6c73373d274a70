package otlp

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/weft-mesh/weft/telemetry"
)

// scopeName is the instrumentation scope of all spans.
const scopeName = "github.com/weft-mesh/weft"

// Convert returns the span as the SDK has it: annotations are events, tags attributes,
// beside which there are those of the semantic conventions. A span that failed has the
// status Error. R is the resource that the span belongs to.
func Convert(s *telemetry.Span, r *resource.Resource) sdktrace.ReadOnlySpan {
	// The SDK's interface cannot be implemented elsewhere: a stub is how a span comes from
	// somebody else than its own tracers.
	stub := tracetest.SpanStub{
		Name:                 s.Name,
		SpanContext:          spanContext(s.Trace, s.Trace.Span, false),
		StartTime:            s.Start,
		EndTime:              s.End,
		Resource:             r,
		InstrumentationScope: instrumentation.Scope{Name: scopeName},
		Attributes:           make([]attribute.KeyValue, 0, len(s.Tags)+12),
	}
	if s.End.Before(s.Start) {
		stub.EndTime = s.Start
	}
	if s.Trace.HasParent() {
		// The parent of a server span is the caller's.
		stub.Parent = spanContext(s.Trace, s.Trace.Parent, s.Kind == telemetry.ServerSpan)
	}
	switch s.Kind {
	case telemetry.ServerSpan:
		stub.SpanKind = trace.SpanKindServer
	case telemetry.ClientSpan:
		stub.SpanKind = trace.SpanKindClient
	default:
		stub.SpanKind = trace.SpanKindInternal
	}
	failed := ""
	for _, a := range s.Annotations {
		stub.Events = append(stub.Events, sdktrace.Event{Name: a.Value, Time: a.Time})
		if a.Value == telemetry.AnnFailure || a.Value == telemetry.AnnRetryable {
			failed = a.Value
		}
	}
	a := attributes{kind: s.Kind}
	for i, t := range s.Tags {
		if !repeated(s.Tags[i+1:], t.Key) {
			a.tag(t)
		}
	}
	stub.Attributes = append(stub.Attributes, a.list...)
	failed = cmp.Or(s.Lookup(telemetry.TagFailure), failed)
	if a.status >= 500 || a.status >= 400 && s.Kind == telemetry.ClientSpan {
		failed = cmp.Or(failed, strconv.Itoa(a.status))
	}
	if failed != "" {
		stub.Status = sdktrace.Status{Code: codes.Error, Description: failed}
		stub.Attributes = append(stub.Attributes, attribute.String("error.type", failed))
	}
	return stub.Snapshot()
}

func repeated(tags []telemetry.Tag, key string) bool {
	for _, t := range tags {
		if t.Key == key {
			return true
		}
	}
	return false
}

// spanContext keeps the ids: one of 64 bits is the lower half of a trace id.
func spanContext(t telemetry.Trace, span uint64, remote bool) trace.SpanContext {
	cfg := trace.SpanContextConfig{TraceFlags: trace.FlagsSampled, Remote: remote}
	binary.BigEndian.PutUint64(cfg.TraceID[:8], t.TraceHigh)
	binary.BigEndian.PutUint64(cfg.TraceID[8:], t.TraceLow)
	binary.BigEndian.PutUint64(cfg.SpanID[:], span)
	return trace.NewSpanContext(cfg)
}

// attributes gathers those of a span.
type attributes struct {
	kind   telemetry.SpanKind
	list   []attribute.KeyValue
	status int             // of HTTP
	have   map[string]bool // of the conventions
}

// tag adds a tag and what the semantic conventions call it. Of the names that Linkerd's
// versions had for one thing, the first counts.
func (a *attributes) tag(t telemetry.Tag) {
	a.text(t.Key, t.Value)
	switch t.Key {
	case "http.method", "http.req.method", "h2.req.method":
		a.convention(attribute.String("http.request.method", t.Value))
	case "http.uri", "h2.req.path":
		a.convention(attribute.String("url.path", pathOf(t.Value)))
		if _, query, ok := cutQuery(t.Value); ok {
			a.convention(attribute.String("url.query", query))
		}
	case "http.status_code", "http.rsp.status", "h2.rsp.status":
		if code, err := strconv.Atoi(t.Value); err == nil {
			a.status = code
			a.convention(attribute.Int("http.response.status_code", code))
		}
	case telemetry.TagClientAddr:
		if a.kind == telemetry.ServerSpan {
			a.address("client", t.Value)
			a.address("network.peer", t.Value)
		} else {
			a.address("network.local", t.Value)
		}
	case telemetry.TagServerAddr:
		a.address("server", t.Value)
		if a.kind == telemetry.ServerSpan {
			a.address("network.local", t.Value)
		} else {
			a.address("network.peer", t.Value)
		}
	case "http.req.version":
		if name, version, ok := cutVersion(t.Value); ok {
			a.convention(attribute.String("network.protocol.name", name))
			a.convention(attribute.String("network.protocol.version", version))
		}
	}
}

func (a *attributes) text(key, value string) { a.list = append(a.list, attribute.String(key, value)) }

func (a *attributes) convention(kv attribute.KeyValue) {
	if a.have[string(kv.Key)] {
		return
	}
	if a.have == nil {
		a.have = map[string]bool{}
	}
	a.have[string(kv.Key)] = true
	a.list = append(a.list, kv)
}

func (a *attributes) address(of, text string) {
	at, err := netip.ParseAddrPort(text)
	if err != nil {
		return
	}
	a.convention(attribute.String(of+".address", at.Addr().Unmap().String()))
	a.convention(attribute.Int(of+".port", int(at.Port())))
}

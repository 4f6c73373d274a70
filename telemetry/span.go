package telemetry

import (
	"slices"
	"time"
)

// SpanKind is which side of a hop a span describes.
type SpanKind uint8

// The kinds of spans.
const (
	ServerSpan SpanKind = iota + 1 // a request that a listener received
	ClientSpan                     // one attempt to have an endpoint answer it
	LocalSpan                      // a call with all its attempts, made in the process
)

// String returns the kind's name in lower case.
func (k SpanKind) String() string {
	switch k {
	case ServerSpan:
		return "server"
	case ClientSpan:
		return "client"
	case LocalSpan:
		return "local"
	default:
		return "unknown"
	}
}

// Annotation is something that happened in a span at a time.
type Annotation struct {
	Time  time.Time
	Value string // one of the Ann constants, or free text
}

// The annotations that a hop makes, as Finagle spells them. A server span has
// WireRecv, ServerRecv, …, ServerSend, WireSend; a client span ClientSend,
// WireSend, WireRecv, the class of the response, ClientRecv.
const (
	AnnWireRecv   = "wr"
	AnnServerRecv = "sr"
	AnnServerSend = "ss"
	AnnWireSend   = "ws"
	AnnClientSend = "cs"
	AnnClientRecv = "cr"
	AnnSuccess    = "l5d.success"
	AnnRetryable  = "l5d.retryable"
	AnnFailure    = "l5d.failure"
)

// SpanName returns the name of the span of a router's part in a request.
func SpanName(label, service string) string {
	if label == "" {
		return service
	}
	return label + " " + service
}

// Tag is a fact about a span.
type Tag struct {
	Key   string // one of the Tag constants, or a protocol's own
	Value string
}

// The keys of the tags that a router sets.
const (
	TagRouterLabel  = "router.label"
	TagService      = "service" // the logical name
	TagClient       = "client"  // the bound id
	TagResidual     = "residual"
	TagDtabBase     = "dtab.base"
	TagDtabLocal    = "dtab.local"
	TagClientAddr   = "ca"
	TagServerAddr   = "sa"
	TagNamerSuccess = "namer.success"
	TagNamerFailure = "namer.failure"
	TagFailure      = "io.buoyant.router.Failure" // "Identification", "ClientAcquisition", "Service"
	TagRetry        = "finagle.retry"
	TagSamplingRate = "zipkin.sampling_rate" // the rate that chose a trace at its root

	TagClientLabel   = "clnt/finagle.label"   // the bound id, on a client span
	TagClientVersion = "clnt/finagle.version" // of weft, on a client span
)

// Span is what one side of one hop did for a request. It is built by the
// goroutine that handles the request, and by it alone. The methods do nothing on
// a nil Span, so that the code of a request that is not sampled has no branches.
type Span struct {
	Trace       Trace
	Kind        SpanKind
	Name        string
	Start, End  time.Time
	Annotations []Annotation // in the order of time
	Tags        []Tag

	notes []noter // are told at once
}

// noter is a tracer that is told of everything in a span when it happens, and not of
// the span at its end.
type noter interface {
	note(t Trace, at time.Time, what string)
}

// Annotate adds an annotation with the current time.
func (s *Span) Annotate(value string) {
	if s != nil {
		s.AnnotateAt(time.Now(), value)
	}
}

// AnnotateAt adds an annotation with the time at.
func (s *Span) AnnotateAt(at time.Time, value string) {
	if s == nil {
		return
	}
	s.Annotations = append(s.Annotations, Annotation{Time: at, Value: value})
	for _, n := range s.notes {
		n.note(s.Trace, at, value)
	}
}

// Tag adds a tag.
func (s *Span) Tag(key, value string) {
	if s == nil {
		return
	}
	s.Tags = append(s.Tags, Tag{Key: key, Value: value})
	if len(s.notes) > 0 {
		now := time.Now()
		for _, n := range s.notes {
			n.note(s.Trace, now, key+"="+value)
		}
	}
}

// Lookup returns the value of the last tag with the key, "" if there is none.
func (s *Span) Lookup(key string) string {
	if s == nil {
		return ""
	}
	for _, t := range slices.Backward(s.Tags) {
		if t.Key == key {
			return t.Value
		}
	}
	return ""
}

func newSpan(t Trace, kind SpanKind, name string) *Span {
	return &Span{
		Trace: t, Kind: kind, Name: name, Start: time.Now(),
		Annotations: make([]Annotation, 0, 6),
		Tags:        make([]Tag, 0, 20),
	}
}

func (s *Span) finish() { s.End = time.Now() }

package zipkin

import (
	"cmp"
	"net/netip"
	"time"

	"github.com/openzipkin/zipkin-go/model"

	"github.com/weft-mesh/weft/telemetry"
)

// clientLabel is the tag that names the client of a client span.
const clientLabel = "clnt/finagle.label"

// Convert returns the span as Zipkin has it. Ca and sa become its endpoints, what failed
// also the tag error, and all else stays as it is; of several tags with a key, the last.
// It is never shared, since every hop of weft has spans of its own. Empty service is the
// label of the router or client.
func Convert(s *telemetry.Span, service string) *model.SpanModel {
	m := &model.SpanModel{
		SpanContext: model.SpanContext{
			TraceID: model.TraceID{High: s.Trace.TraceHigh, Low: s.Trace.TraceLow},
			ID:      model.ID(s.Trace.Span),
			Debug:   s.Trace.Debug,
		},
		Name: s.Name,
		Tags: make(map[string]string, len(s.Tags)),
	}
	if s.Trace.HasParent() {
		parent := model.ID(s.Trace.Parent)
		m.ParentID = &parent
	}
	// Zipkin has no times before 1970, and one such span would spoil its batch.
	if sane(s.Start) {
		m.Timestamp = s.Start
		m.Duration = max(s.End.Sub(s.Start), 0)
	}
	failed := ""
	for _, a := range s.Annotations {
		if a.Value == telemetry.AnnFailure || a.Value == telemetry.AnnRetryable {
			failed = a.Value
		}
		if sane(a.Time) {
			m.Annotations = append(m.Annotations, model.Annotation{Timestamp: a.Time, Value: a.Value})
		}
	}
	for _, t := range s.Tags {
		m.Tags[t.Key] = t.Value
	}
	service = cmp.Or(service, m.Tags[telemetry.TagRouterLabel], m.Tags[clientLabel], "weft")
	client, server := endpoint(m.Tags, telemetry.TagClientAddr), endpoint(m.Tags, telemetry.TagServerAddr)
	switch s.Kind {
	case telemetry.ServerSpan:
		m.Kind, m.LocalEndpoint, m.RemoteEndpoint = model.Server, server, client
	case telemetry.ClientSpan:
		m.Kind, m.LocalEndpoint, m.RemoteEndpoint = model.Client, client, server
	default:
		m.LocalEndpoint, m.RemoteEndpoint = client, server
	}
	if m.LocalEndpoint == nil {
		m.LocalEndpoint = &model.Endpoint{}
	}
	m.LocalEndpoint.ServiceName = service
	if failed = cmp.Or(m.Tags[telemetry.TagFailure], failed); failed != "" && m.Tags["error"] == "" {
		m.Tags["error"] = failed
	}
	return m
}

func sane(t time.Time) bool { return t.Unix() > 0 }

// endpoint takes the address of a tag out of tags. It returns nil, and leaves the tag,
// if there is none or it is not one of IP.
func endpoint(tags map[string]string, key string) *model.Endpoint {
	at, err := netip.ParseAddrPort(tags[key])
	if err != nil {
		ip, err := netip.ParseAddr(tags[key])
		if err != nil {
			return nil
		}
		at = netip.AddrPortFrom(ip, 0)
	}
	delete(tags, key)
	e := &model.Endpoint{Port: at.Port()}
	if ip := at.Addr().Unmap().WithZone(""); ip.Is4() {
		e.IPv4 = ip.AsSlice()
	} else {
		e.IPv6 = ip.AsSlice()
	}
	return e
}

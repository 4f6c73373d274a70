package otlp

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/weft-mesh/weft/telemetry"
)

// Protocol is how a collector is spoken to.
type Protocol string

// The protocols. The zero Protocol is GRPC.
const (
	GRPC Protocol = "grpc"
	HTTP Protocol = "http" // protobuf over HTTP/1.1
)

// DefaultServiceName is the service.name of the resource that all spans belong to.
const DefaultServiceName = "weft"

// Options configure an Exporter. The zero Options are those of a collector on the same
// machine that takes gRPC.
type Options struct {
	// Endpoint is "host:port", or a URL with the scheme http or https. Empty is
	// localhost with the port of the protocol, 4317 or 4318. With protocol HTTP a URL may
	// have a path, which otherwise is /v1/traces.
	Endpoint string

	Protocol Protocol

	// Headers are sent with every request, for those who are let in by a key.
	Headers map[string]string

	// TLS gives the settings of a new connection and makes the exporter speak TLS. Nil
	// does so only to a URL of scheme https, and trusts the system's roots. A ServerName
	// that is empty is the endpoint's host.
	TLS func() (*tls.Config, error)

	// ServiceName is the resource's service.name. Empty is DefaultServiceName.
	ServiceName string

	// Resource are its other attributes.
	Resource map[string]string

	// Delivery is what is between a span and its sending. New sets Send and, unless there
	// is one, Logger.
	Delivery telemetry.DeliveryOptions

	// Logger hears when the collector begins to fail and when it is well again. Nil is
	// silent.
	Logger *slog.Logger
}

// Exporter is a telemetry.Tracer that delivers spans to a collector. It is safe for
// concurrent use.
type Exporter struct {
	*telemetry.Delivery

	sdk      *otlptrace.Exporter
	resource *resource.Resource
	classify func(error) error
	release  func() error
	once     sync.Once // of release
}

// New returns an Exporter that runs. Close it. It does not ask whether there is a
// collector; errors are those of the options.
func New(o Options) (*Exporter, error) {
	to, err := ParseEndpoint(o.Endpoint, cmp.Or(o.Protocol, GRPC))
	if err != nil {
		return nil, err
	}
	if o.TLS != nil && !to.Secure {
		if to.schemed {
			return nil, fmt.Errorf("otlp: endpoint %q says not to use TLS, and there are settings for it: want https", o.Endpoint)
		}
		to.Secure = true
	}
	e := &Exporter{resource: newResource(o)}
	timeout := cmp.Or(o.Delivery.Timeout, telemetry.DefaultSendTimeout)
	if to.Protocol == HTTP {
		err = e.overHTTP(to, o, timeout)
	} else {
		err = e.overGRPC(to, o, timeout)
	}
	if err != nil {
		return nil, fmt.Errorf("otlp: %w", err)
	}
	o.Delivery.Send = e.send
	if o.Delivery.Logger == nil && o.Logger != nil {
		o.Delivery.Logger = o.Logger.With("collector", to.String())
	}
	e.Delivery = telemetry.NewDelivery(o.Delivery)
	return e, nil
}

// newResource does not ask the environment, as the SDK's default does.
func newResource(o Options) *resource.Resource {
	all := map[string]string{}
	maps.Copy(all, o.Resource)
	all["service.name"] = cmp.Or(o.ServiceName, all["service.name"], DefaultServiceName)
	var attrs []attribute.KeyValue
	for _, k := range slices.Sorted(maps.Keys(all)) {
		attrs = append(attrs, attribute.String(k, all[k]))
	}
	return resource.NewSchemaless(attrs...)
}

// Close delivers what waits, within bounds, and ends the exporter.
func (e *Exporter) Close() error {
	err := e.Delivery.Close()
	e.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		err = errors.Join(err, e.sdk.Shutdown(ctx), e.release())
	})
	return err
}

// send has the SDK send a batch.
func (e *Exporter) send(ctx context.Context, spans []telemetry.Span) error {
	all := make([]sdktrace.ReadOnlySpan, len(spans))
	for i := range spans {
		all[i] = Convert(&spans[i], e.resource)
	}
	err := e.sdk.ExportSpans(ctx, all)
	if err == nil || ctx.Err() != nil {
		return err
	}
	if some := partial(err); some != nil {
		return some
	}
	return e.classify(err)
}

// partial returns what the collector rejected of a batch that it took otherwise. The SDK
// has no name for that error but its text.
func partial(err error) *telemetry.RejectedError {
	text := err.Error()
	if !strings.Contains(text, "OTLP partial success: ") {
		return nil
	}
	e := &telemetry.RejectedError{Reason: err}
	_, _ = fmt.Sscanf(text[strings.LastIndexByte(text, '(')+1:], "%d spans rejected)", &e.Spans) // none, if it says nothing
	return e
}

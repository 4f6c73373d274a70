package zipkin

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/openzipkin/zipkin-go/model"
	"github.com/openzipkin/zipkin-go/reporter"

	"github.com/weft-mesh/weft/telemetry"
)

// DefaultURL is where a Zipkin on the same machine takes spans.
const DefaultURL = "http://localhost:9411" + apiPath

const apiPath = "/api/v2/spans"

// maxBatch keeps requests under the few megabytes that collectors take, even if each
// span has a large dtab.
const maxBatch = 200

// Options configure an Exporter. The zero Options are those of a Zipkin on the same
// machine.
type Options struct {
	// URL is where spans are posted. A URL without a path has that of Zipkin's API v2.
	// Empty is DefaultURL.
	URL string

	// TLS gives the settings of a new connection to an https URL. Nil trusts the system's
	// roots. A ServerName that is empty is the URL's host.
	TLS func() (*tls.Config, error)

	// ServiceName is the one of every span's own endpoint. Empty is the label of the
	// span's router or client.
	ServiceName string

	// Delivery is what is between a span and its sending. New sets Send and, unless there
	// is one, Logger. A Batch that is zero is 200.
	Delivery telemetry.DeliveryOptions

	// Logger hears when the collector begins to fail and when it is well again. Nil is
	// silent.
	Logger *slog.Logger
}

// Exporter is a telemetry.Tracer that delivers spans to Zipkin. It is safe for
// concurrent use.
type Exporter struct {
	*telemetry.Delivery

	url     string
	service string
	client  *http.Client
}

// New returns an Exporter that runs. Close it. It does not ask whether there is a
// collector; errors are those of the URL.
func New(o Options) (*Exporter, error) {
	u, err := ParseURL(cmp.Or(o.URL, DefaultURL))
	if err != nil {
		return nil, err
	}
	e := &Exporter{url: u.String(), service: o.ServiceName, client: newClient(o.TLS, u.Hostname())}
	o.Delivery.Send = e.send
	o.Delivery.Batch = cmp.Or(o.Delivery.Batch, maxBatch)
	if o.Delivery.Logger == nil && o.Logger != nil {
		o.Delivery.Logger = o.Logger.With("collector", u.Redacted())
	}
	e.Delivery = telemetry.NewDelivery(o.Delivery)
	return e, nil
}

// ParseURL reads the address of a collector. A URL without a path gets that of Zipkin's
// API v2.
func ParseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, fmt.Errorf("zipkin: %w", err)
	case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return nil, fmt.Errorf("zipkin: %q is not the address of a collector: want a URL such as %s", text, DefaultURL)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = apiPath
	}
	return u, nil
}

// Close delivers what waits, within bounds, and ends the exporter.
func (e *Exporter) Close() error {
	err := e.Delivery.Close()
	e.client.CloseIdleConnections()
	return err
}

// newClient returns a client of one connection that no environment variable leads
// elsewhere.
func newClient(settings func() (*tls.Config, error), host string) *http.Client {
	dialer := &net.Dialer{Timeout: telemetry.DefaultSendTimeout}
	t := &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute}
	if settings != nil {
		t.DialTLSContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			cfg, err := settings()
			if err != nil {
				return nil, err
			}
			if cfg.ServerName == "" {
				cfg = cfg.Clone()
				cfg.ServerName = host
			}
			return (&tls.Dialer{NetDialer: dialer, Config: cfg}).DialContext(ctx, network, addr)
		}
	}
	// A redirect of spans is a mistake that should be seen.
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// send posts a batch.
func (e *Exporter) send(ctx context.Context, spans []telemetry.Span) error {
	models := make([]*model.SpanModel, len(spans))
	for i := range spans {
		models[i] = Convert(&spans[i], e.service)
	}
	codec := reporter.JSONSerializer{}
	body, err := codec.Serialize(models)
	if err != nil {
		return errors.Join(telemetry.ErrUndeliverable, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return errors.Join(telemetry.ErrUndeliverable, err)
	}
	req.Header.Set("Content-Type", codec.ContentType())
	req.Header.Set("B3", "0") // not to be traced by a proxy on the way
	resp, err := e.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // it was read as far as it matters
	said, _ := io.ReadAll(io.LimitReader(resp.Body, 512))
	switch code := resp.StatusCode; {
	case code/100 == 2:
		return nil
	case code/100 == 5 || code == http.StatusTooManyRequests || code == http.StatusRequestTimeout:
		return fmt.Errorf("zipkin: %s says %s: %s", e.url, resp.Status, strings.TrimSpace(string(said)))
	default:
		return fmt.Errorf("zipkin: %s says %s: %s: %w", e.url, resp.Status, strings.TrimSpace(string(said)), telemetry.ErrUndeliverable)
	}
}

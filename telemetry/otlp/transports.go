package otlp

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/weft-mesh/weft/telemetry"
)

// Both transports get everything from the options. What the SDK would take from
// environment variables in their absence is given too.

func (e *Exporter) overGRPC(to Endpoint, o Options, timeout time.Duration) error {
	dialer := dialer{host: to.name(), settings: o.TLS}
	creds := insecure.NewCredentials()
	if to.Secure {
		creds = dialer.credentials()
	}
	conn, err := grpc.NewClient(
		"dns:///"+to.Host,
		grpc.WithTransportCredentials(creds), grpc.WithNoProxy(), grpc.WithDisableServiceConfig(),
		// The default waits up to two minutes: a collector that is back should be found.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 200 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 5 * time.Second},
			MinConnectTimeout: timeout,
		}),
	)
	if err != nil {
		return err
	}
	e.release = conn.Close
	e.classify = func(err error) error {
		switch status.Code(err) {
		case codes.Canceled, codes.DeadlineExceeded, codes.Aborted, codes.OutOfRange, codes.Unavailable, codes.DataLoss, codes.ResourceExhausted:
			return err
		default:
			return errors.Join(telemetry.ErrUndeliverable, err)
		}
	}
	e.sdk, err = otlptrace.New(context.Background(), otlptracegrpc.NewClient(
		otlptracegrpc.WithGRPCConn(conn), otlptracegrpc.WithHeaders(o.Headers), otlptracegrpc.WithTimeout(timeout),
		otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{}),
	))
	return err
}

func (e *Exporter) overHTTP(to Endpoint, o Options, timeout time.Duration) (err error) {
	dialer := dialer{host: to.name(), settings: o.TLS}
	net := &http.Transport{DialContext: dialer.plain, DialTLSContext: dialer.secure, MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute}
	last := &lastStatus{next: net}
	client := &http.Client{
		Transport: last, Timeout: timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	e.release = func() error { net.CloseIdleConnections(); return nil }
	e.classify = last.classify
	e.sdk, err = otlptrace.New(context.Background(), otlptracehttp.NewClient(
		otlptracehttp.WithHTTPClient(client), otlptracehttp.WithEndpointURL(to.String()), otlptracehttp.WithTLSClientConfig(nil),
		otlptracehttp.WithHeaders(o.Headers), otlptracehttp.WithCompression(otlptracehttp.NoCompression),
		otlptracehttp.WithTimeout(timeout), otlptracehttp.WithRetry(otlptracehttp.RetryConfig{}),
	))
	return err
}

// lastStatus remembers what the collector said last, which the SDK's errors do not
// tell. Batches are sent one after the other.
type lastStatus struct {
	next http.RoundTripper
	code int // 0: nothing
}

// RoundTrip implements http.RoundTripper.
func (l *lastStatus) RoundTrip(req *http.Request) (*http.Response, error) {
	l.code = 0
	resp, err := l.next.RoundTrip(req)
	if err == nil {
		l.code = resp.StatusCode
	}
	return resp, err
}

// classify marks errors after which the protocol does not want another attempt.
func (l *lastStatus) classify(err error) error {
	switch l.code {
	case 0, http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return err
	default:
		return errors.Join(telemetry.ErrUndeliverable, err)
	}
}

// dialer opens connections with the settings of the moment.
type dialer struct {
	host     string
	settings func() (*tls.Config, error)
}

func (d dialer) config() (*tls.Config, error) {
	if d.settings == nil {
		return &tls.Config{ServerName: d.host, MinVersion: tls.VersionTLS12}, nil
	}
	cfg, err := d.settings()
	if err == nil && cfg.ServerName == "" {
		cfg = cfg.Clone()
		cfg.ServerName = d.host
	}
	return cfg, err
}

func (d dialer) plain(ctx context.Context, network, addr string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, network, addr)
}

func (d dialer) secure(ctx context.Context, network, addr string) (net.Conn, error) {
	cfg, err := d.config()
	if err != nil {
		return nil, err
	}
	return (&tls.Dialer{Config: cfg}).DialContext(ctx, network, addr)
}

// credentials returns those whose settings are asked for at each handshake.
func (d dialer) credentials() credentials.TransportCredentials {
	return &liveCredentials{TransportCredentials: credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12}), dialer: d}
}

type liveCredentials struct {
	credentials.TransportCredentials
	dialer dialer
}

// ClientHandshake implements credentials.TransportCredentials.
func (c *liveCredentials) ClientHandshake(ctx context.Context, authority string, conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	cfg, err := c.dialer.config()
	if err != nil {
		return nil, nil, err
	}
	return credentials.NewTLS(cfg).ClientHandshake(ctx, authority, conn)
}

// Clone implements credentials.TransportCredentials.
func (c *liveCredentials) Clone() credentials.TransportCredentials {
	return &liveCredentials{TransportCredentials: c.TransportCredentials.Clone(), dialer: c.dialer}
}

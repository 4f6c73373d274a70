package otlp_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/telemetry/otlp"
)

const patience = 30 * time.Second

func newExporter(t *testing.T, o otlp.Options) *otlp.Exporter {
	t.Helper()
	e, err := otlp.New(o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, e.Close()) })
	return e
}

func span(name string) telemetry.Span {
	now := time.Now()
	return telemetry.Span{Trace: telemetry.NewTrace(), Kind: telemetry.ServerSpan, Name: name, Start: now, End: now.Add(time.Millisecond)}
}

// overHTTP starts a collector for HTTP.
func overHTTP(t *testing.T, answer func(call int64, w http.ResponseWriter, r *http.Request)) (url string, calls *atomic.Int64) {
	t.Helper()
	calls = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := calls.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		if r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" || r.Header.Get("Authorization") != "let me in" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		answer(n, w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, calls
}

// overGRPC starts a collector for gRPC, which answers with the error that answer returns.
func overGRPC(t *testing.T, answer func(call int64, s grpc.ServerStream) error, opts ...grpc.ServerOption) (addr string, calls *atomic.Int64) {
	t.Helper()
	calls = new(atomic.Int64)
	s := grpc.NewServer(append(opts, grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		n := calls.Add(1)
		if err := stream.RecvMsg(new(emptypb.Empty)); err != nil {
			return err
		}
		if md, _ := metadata.FromIncomingContext(stream.Context()); len(md["authorization"]) != 1 || md["authorization"][0] != "let me in" {
			return status.Error(codes.PermissionDenied, "who is there?")
		}
		if err := answer(n, stream); err != nil {
			return err
		}
		return stream.SendMsg(new(emptypb.Empty))
	}))...)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return l.Addr().String(), calls
}

var headers = map[string]string{"authorization": "let me in"}

// TestAnswers: after which answers a batch is sent again.
func TestAnswers(t *testing.T) {
	code := func(c int) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(c) }
	}
	for name, v := range map[string]struct {
		http  func(http.ResponseWriter, *http.Request)
		grpc  func(grpc.ServerStream) error
		again bool
	}{
		"http 503": {code(503), nil, true},
		"http 429": {code(429), nil, true},
		"http 500": {code(500), nil, false},
		"http 400": {code(400), nil, false},
		"http 302": {code(302), nil, false},
		"http reset": {func(w http.ResponseWriter, _ *http.Request) {
			if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
				_ = conn.(*net.TCPConn).SetLinger(0)
				_ = conn.Close()
			}
		}, nil, true},
		"http hangs":            {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, nil, true},
		"grpc unavailable":      {nil, func(grpc.ServerStream) error { return status.Error(codes.Unavailable, "later") }, true},
		"grpc exhausted":        {nil, func(grpc.ServerStream) error { return status.Error(codes.ResourceExhausted, "later") }, true},
		"grpc invalid argument": {nil, func(grpc.ServerStream) error { return status.Error(codes.InvalidArgument, "what?") }, false},
		"grpc unimplemented":    {nil, func(grpc.ServerStream) error { return status.Error(codes.Unimplemented, "what?") }, false},
		"grpc hangs":            {nil, func(s grpc.ServerStream) error { <-s.Context().Done(); return nil }, true},
	} {
		t.Run(name, func(t *testing.T) {
			o := otlp.Options{Headers: headers, Delivery: telemetry.DeliveryOptions{Batch: 1, Timeout: time.Second}}
			var calls *atomic.Int64
			if v.http != nil {
				o.Protocol = otlp.HTTP
				o.Endpoint, calls = overHTTP(t, func(call int64, w http.ResponseWriter, r *http.Request) {
					if call == 1 {
						v.http(w, r)
					}
				})
			} else {
				o.Endpoint, calls = overGRPC(t, func(call int64, s grpc.ServerStream) error {
					if call == 1 {
						return v.grpc(s)
					}
					return nil
				})
			}
			e := newExporter(t, o)
			e.Record(span("x"))
			require.Eventually(t, func() bool { return e.Sent()+e.Dropped() == 1 }, patience, 5*time.Millisecond)
			want := []int64{0, 1, 1}
			if v.again {
				want = []int64{1, 0, 2}
			}
			assert.Equal(t, want, []int64{e.Sent(), e.Dropped(), calls.Load()})
		})
	}
}

func TestPartialSuccess(t *testing.T) {
	url, calls := overHTTP(t, func(_ int64, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-protobuf")
		_, _ = w.Write([]byte("\x0a\x0b\x08\x02\x12\x07too old")) // partial_success {rejected_spans: 2, error_message: "too old"}
	})
	e := newExporter(t, otlp.Options{Endpoint: url, Protocol: otlp.HTTP, Headers: headers})
	for range 5 {
		e.Record(span("x"))
	}
	require.NoError(t, e.Close())
	assert.Equal(t, []int64{3, 2, 1}, []int64{e.Sent(), e.Dropped(), calls.Load()})
}

// TestFlood: whatever the collector does, recording is quick, every span is counted and
// the end comes soon.
func TestFlood(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	hangs, _ := overGRPC(t, func(_ int64, s grpc.ServerStream) error { <-s.Context().Done(); return nil })
	takes, _ := overGRPC(t, func(int64, grpc.ServerStream) error { return nil })
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()
	for name, addr := range map[string]string{"refuses": l.Addr().String(), "hangs": hangs, "takes all": takes, "accepts and is silent": silent.Addr().String()} {
		for _, p := range []otlp.Protocol{otlp.GRPC, otlp.HTTP} {
			t.Run(name+" "+string(p), func(t *testing.T) {
				e := newExporter(t, otlp.Options{Endpoint: addr, Protocol: p, Headers: headers, Delivery: telemetry.DeliveryOptions{Linger: 200 * time.Millisecond}})
				s := span("x")
				began := time.Now()
				for range 100_000 {
					e.Record(s)
				}
				assert.Less(t, time.Since(began), 5*time.Second, "of 100,000 spans, on a busy machine")
				began = time.Now()
				require.NoError(t, e.Close())
				assert.Less(t, time.Since(began), 10*time.Second)
				assert.Equal(t, int64(100_000), e.Sent()+e.Dropped())
				assert.Positive(t, e.Dropped())
			})
		}
	}
}

// TestTheEnvironmentIsNotAsked: what it says of exporters changes nothing.
func TestTheEnvironmentIsNotAsked(t *testing.T) {
	for k, v := range map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://127.0.0.1:1/x", "OTEL_EXPORTER_OTLP_INSECURE": "false",
		"OTEL_EXPORTER_OTLP_HEADERS": "authorization=nobody", "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip", "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
		"HTTP_PROXY": "http://127.0.0.1:1", "HTTPS_PROXY": "http://127.0.0.1:1", "OTEL_SERVICE_NAME": "nobody",
	} {
		t.Setenv(k, v)
	}
	url, _ := overHTTP(t, func(int64, http.ResponseWriter, *http.Request) {})
	addr, _ := overGRPC(t, func(int64, grpc.ServerStream) error { return nil })
	for _, o := range []otlp.Options{{Endpoint: url, Protocol: otlp.HTTP}, {Endpoint: addr}} {
		o.Headers = headers
		o.Endpoint = strings.Replace(o.Endpoint, "127.0.0.1", "0.0.0.0", 1) // which proxies are asked for: see TestMain
		e := newExporter(t, o)
		e.Record(span("x"))
		require.NoError(t, e.Close())
		assert.Equal(t, int64(1), e.Sent(), o.Protocol)
	}
}

func TestTLS(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	addr, _ := overGRPC(t, func(int64, grpc.ServerStream) error { return nil },
		grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: s.TLS.Certificates, MinVersion: tls.VersionTLS12})))
	trusting := func() (*tls.Config, error) {
		return &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12, NextProtos: nil}, nil // the name is the endpoint's
	}
	for _, o := range []otlp.Options{{Endpoint: s.URL, Protocol: otlp.HTTP}, {Endpoint: addr}, {Endpoint: "https://" + addr}} {
		o.Headers, o.TLS = headers, trusting
		e := newExporter(t, o)
		e.Record(span("x"))
		require.NoError(t, e.Close())
		assert.Equal(t, int64(1), e.Sent(), "%s %s", o.Protocol, o.Endpoint)

		o.Endpoint, o.TLS = "https://"+addr, nil
		e = newExporter(t, o)
		e.Record(span("not trusted"))
		require.NoError(t, e.Close())
		assert.Equal(t, int64(0), e.Sent(), "%s %s", o.Protocol, o.Endpoint)
	}
	_, err := otlp.New(otlp.Options{Endpoint: "http://c", TLS: trusting})
	assert.ErrorContains(t, err, "says not to use TLS")
	_, err = otlp.New(otlp.Options{Endpoint: "c", Protocol: "thrift"})
	assert.ErrorContains(t, err, `protocol "thrift" is neither grpc nor http`)
}

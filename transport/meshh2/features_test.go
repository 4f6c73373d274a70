package meshh2_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2/hpack"

	"github.com/weft-mesh/weft/balancer"
	"github.com/weft-mesh/weft/circuit"
	"github.com/weft-mesh/weft/internal/testcert"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshh2"
)

// spans keeps what it is told.
type spans struct {
	mu  sync.Mutex
	all []telemetry.Span
}

func (s *spans) Record(span telemetry.Span) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, span)
}

func (s *spans) take() []telemetry.Span {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.all
	s.all = nil
	return all
}

func TestSpans(t *testing.T) {
	var got spans
	s := setup{
		mesh:    meshh2.Options{Tracers: telemetry.NewTracers(telemetry.Sampled{Tracer: &got, Rate: 1})},
		service: services(transport.ServiceOptions{}, meshh2.ServiceSettings{Classifier: meshh2.All}),
	}
	inWorld(t, s, func(w *world) {
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, true, "GET", "dog")
		ds.peer().respond(1, true, "500")
		ds.peer().respond(3, true, "200")
		c.got()
		all := got.take()
		require.Len(t, all, 3)
		first, second, server := all[0], all[1], all[2]
		assert.Equal(t, telemetry.ServerSpan, server.Kind)
		assert.Equal(t, "r1 /svc/dog", server.Name)
		assert.Equal(t, "200", server.Lookup("http.status_code"))
		assert.Equal(t, "1", server.Lookup(telemetry.TagRetry))
		assert.Equal(t, "/#/w/dog", server.Lookup(telemetry.TagClient))
		for i, span := range []telemetry.Span{first, second} {
			assert.Equal(t, telemetry.ClientSpan, span.Kind)
			assert.Equal(t, server.Trace.Span, span.Trace.Parent)
			assert.Equal(t, []string{"500", "200"}[i], span.Lookup("http.status_code"))
		}
		assert.NotEqual(t, first.Trace.Span, second.Trace.Span)

		c.request(3, true, "GET", "neg")
		c.got()
		all = got.take()
		require.Len(t, all, 1)
		assert.Equal(t, "ClientAcquisition", all[0].Lookup(telemetry.TagFailure))
	})
}

func TestAccessLog(t *testing.T) {
	var lines []string
	s := setup{client: clients(transport.ClientOptions{}, meshh2.ClientSettings{AccessLog: func(e meshh2.AccessEntry) {
		lines = append(lines, e.Request.Get(":authority")+" "+e.Request.Get("l5d-dst-client")+" "+e.Response.Get(":status")+" "+e.Response.Get("x")+" "+e.Remote.Network())
		assert.Equal(t, "/svc/dog /#/w/dog #1", e.Service.String()+" "+e.Client.String()+" #"+strconv.Itoa(e.Attempt))
		assert.NotEmpty(t, e.Endpoint)
		assert.False(t, e.Trace.IsZero())
	}})}
	inWorld(t, s, func(w *world) {
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, true, "GET", "dog")
		ds.peer().respond(1, false, "200", "x", "y")
		c.got()
		assert.Equal(t, []string{"dog /#/w/dog 200 y tcp"}, lines)
	})
}

// With WaitHealthy a request waits for an endpoint to become healthy.
func TestWaitHealthy(t *testing.T) {
	s := setup{client: clients(transport.ClientOptions{
		Balancer: balancer.Options{OnAllUnhealthy: balancer.WaitHealthy, MaxWait: time.Minute},
		Accrual:  circuit.ConsecutiveFailures{N: 1},
	}, meshh2.ClientSettings{})}
	inWorld(t, s, func(w *world) {
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, true, "GET", "dog")
		ds.peer().respond(1, true, "500")
		assert.Equal(t, "500", endOf(c))
		ds.peer().got()
		c.request(3, true, "GET", "dog")
		assert.Empty(t, ds.peer().got(), "its breaker is shut")
		time.Sleep(20 * time.Second)
		assert.Equal(t, []string{"HEADERS 3 :path=/ end"}, ds.peer().got(), "the probe")
		ds.peer().respond(3, true, "200")
		assert.Equal(t, "200", endOf(c))
	})
}

func TestIdentifyExplains(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		path, local, err := w.relay.Identify([]hpack.HeaderField{{Name: ":authority", Value: "dog"}, {Name: "l5d-dtab", Value: "/a=>/b"}})
		require.NoError(t, err)
		assert.Equal(t, "/svc/dog", path.String())
		assert.Equal(t, "/a=>/b", local.String())
		_, _, err = w.relay.Identify(nil)
		require.Error(t, err)
	})
}

// Requests that wait for a binding fail when the relay is closed.
func TestCloseFailsWhatIsParked(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		c := w.caller()
		c.request(1, true, "GET", "pending")
		assert.Empty(t, c.got())
		require.NoError(t, w.relay.Close())
		assert.Equal(t, []string{"RST 1 REFUSED_STREAM"}, c.got())
		c.request(3, true, "GET", "pending")
		assert.Equal(t, []string{"RST 3 REFUSED_STREAM"}, c.got())
	})
}

// A name that moves while requests come fails none of them.
func TestEndpointsMove(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		answer := func(rw http.ResponseWriter, _ *http.Request) {
			time.Sleep(5 * time.Millisecond)
			_, _ = io.WriteString(rw, "woof")
		}
		a := w.serve("", answer)
		b := w.serve("", answer)
		w.put("dog", a)
		ctx, stop := context.WithCancel(w.t.Context())
		var callers sync.WaitGroup
		for range 10 {
			callers.Go(func() {
				c := w.http()
				for ctx.Err() == nil {
					resp, body := w.get(c, "dog")
					assert.Equal(t, 200, resp.StatusCode)
					assert.Equal(t, "woof", body)
				}
			})
		}
		for i := range 20 {
			time.Sleep(7 * time.Millisecond)
			w.put("dog", []string{a, b}[i%2])
		}
		stop()
		callers.Wait()
		assert.Equal(t, 0, w.service("dog", "failures"))
		assert.Equal(t, 0, w.service("dog", "pending"))
	})
}

// Over TLS, with the caller's certificate passed on.
func TestTLSToEndpoints(t *testing.T) {
	var ca *testcert.Authority // of the bubble's time
	s := setup{client: clients(transport.ClientOptions{}, meshh2.ClientSettings{TLS: func() (*tls.Config, error) {
		return &tls.Config{RootCAs: ca.Pool(), ServerName: "dog.test"}, nil
	}})}
	inWorld(t, s, func(w *world) {
		ca = testcert.New(t, "mesh", nil)
		cfg := ca.Issue(t, "dog", "dog.test").Config(t)
		cfg.NextProtos = []string{"h2"}
		addr := w.address()
		l, err := w.net.Listen(addr)
		require.NoError(t, err)
		srv := &http.Server{
			TLSConfig: cfg,
			Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				assert.Equal(t, 2, r.ProtoMajor)
				assert.Empty(t, r.Header.Get("X-Forwarded-Client-Cert"))
				_, _ = io.WriteString(rw, "woof")
			}),
		}
		go func() { _ = srv.ServeTLS(l, "", "") }()
		w.t.Cleanup(func() { _ = srv.Close() })
		w.put("dog", addr)
		_, body := w.get(w.http(), "dog")
		assert.Equal(t, "woof", body)
	})
	s.client = clients(transport.ClientOptions{}, meshh2.ClientSettings{TLS: func() (*tls.Config, error) { return nil, errors.New("no certificate") }})
	inWorld(t, s, func(w *world) {
		w.put("dog", "10.7.7.7:80")
		resp, body := w.get(w.http(), "dog")
		assert.Equal(t, 502, resp.StatusCode)
		assert.Contains(t, body, "no certificate")
		assert.Equal(t, 0, w.client("dog", "retries", "requeues"), "it would be the same again")
	})
}

package http1_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/transport/http1"
)

func TestTransportOverHTTPAndHTTPS(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, "%s %s %s %t", r.Method, r.URL, b, r.TLS != nil)
	})
	plain, secure := httptest.NewServer(h), httptest.NewTLSServer(h)
	defer plain.Close()
	defer secure.Close()
	tr := &http1.Transport{TLSClientConfig: secure.Client().Transport.(*http.Transport).TLSClientConfig}
	defer tr.Close()
	client := &http.Client{Transport: tr}
	for range 3 {
		for _, srv := range []*httptest.Server{plain, secure} {
			resp, err := client.Post(srv.URL+"/x?y", "text/plain", strings.NewReader("hello"))
			require.NoError(t, err)
			b, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			assert.Equal(t, fmt.Sprintf("POST /x?y hello %t", srv == secure), string(b))
			assert.Equal(t, srv == secure, resp.TLS != nil)
			if resp.TLS != nil {
				assert.Equal(t, "http/1.1", resp.TLS.NegotiatedProtocol)
			}
		}
	}
	client.CloseIdleConnections()
}

// Connections over TLS that the server has closed while they were idle are noticed.
func TestTransportNoticesDeadTLSConnections(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }))
	defer srv.Close()
	tr := &http1.Transport{TLSClientConfig: srv.Client().Transport.(*http.Transport).TLSClientConfig}
	defer tr.Close()
	for range 20 {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL, strings.NewReader("x"))
		assert.Equal(t, "ok", do(t, tr, req))
		srv.CloseClientConnections()
	}
}

func TestTransportErrors(t *testing.T) {
	srv := httptest.NewTLSServer(http.NotFoundHandler())
	srv.Config.ErrorLog = nil
	defer srv.Close()
	tr := &http1.Transport{}
	defer tr.Close()
	for _, c := range []struct {
		url     string
		refused bool
	}{{srv.URL, false}, {"http://127.0.0.1:1/", false}, {"ftp://a/", true}, {"http:///x", true}} {
		body := &closeCounter{Reader: strings.NewReader("x")}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url, body)
		require.NoError(t, err)
		_, err = tr.RoundTrip(req)
		if c.refused {
			_, ok := errors.AsType[*http1.RequestError](err)
			assert.True(t, ok, "%v", err)
		} else {
			connect, ok := errors.AsType[*http1.ConnectError](err)
			require.True(t, ok, "%v", err)
			assert.Equal(t, strings.HasPrefix(c.url, "https"), connect.Handshake)
		}
		assert.Equal(t, 1, body.closed)
	}
}

func TestTransportBoundsItsPools(t *testing.T) {
	var mu sync.Mutex
	dialled := map[string]int{}
	endpoint := listen(t, func(c *net.TCPConn) {
		r := bufio.NewReader(c)
		for {
			if _, err := http.ReadRequest(r); err != nil {
				return
			}
			_, _ = io.WriteString(c, ok)
		}
	})
	tr := &http1.Transport{MaxPools: 2, Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
		assert.Equal(t, "tcp", network)
		mu.Lock()
		dialled[addr]++
		mu.Unlock()
		return endpoint(ctx)
	}}
	defer tr.Close()
	ask := func(host string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+host+"/", http.NoBody)
		require.NoError(t, err)
		assert.Equal(t, "ok", do(t, tr, req))
	}
	ask("a")
	ask("b:81")
	ask("a")
	ask("[::1]") // b is let go
	ask("a")
	ask("b:81")
	assert.Equal(t, map[string]int{"a:80": 1, "b:81": 2, "[::1]:80": 1}, dialled)
	require.NoError(t, tr.Close())
	ask("a")
	assert.Equal(t, 2, dialled["a:80"])
}

// Requests go on while pools are being let go.
func TestTransportUnderChangingPools(t *testing.T) {
	endpoint := listen(t, func(c *net.TCPConn) {
		r := bufio.NewReader(c)
		for {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, req.Body)
			_, _ = io.WriteString(c, ok)
		}
	})
	tr := &http1.Transport{MaxPools: 1, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) { return endpoint(ctx) }}
	defer tr.Close()
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for j := range 100 {
				req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, fmt.Sprintf("http://h%d/", (i+j)%3), strings.NewReader("hello"))
				resp, err := tr.RoundTrip(req)
				if !assert.NoError(t, err) {
					return
				}
				_, err = io.Copy(io.Discard, resp.Body)
				assert.NoError(t, err)
				_ = resp.Body.Close()
			}
		})
	}
	wg.Wait()
}

func ExampleTransport() {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
	defer srv.Close()
	tr := &http1.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}
	defer tr.Close()
	resp, err := (&http.Client{Transport: tr}).Get(srv.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	fmt.Println(resp.Status, string(b))
	// Output: 200 OK hello
}

func ExamplePool() {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Host) }))
	defer srv.Close()
	p := http1.NewPool(http1.PoolOptions{
		MaxConns: 10,
		Dial: func(ctx context.Context) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", srv.Listener.Addr().String())
		},
	})
	defer p.Close()
	req, _ := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://users.example/", http.NoBody)
	var x http1.Exchange
	resp, err := p.Send(req, &x) // whatever the URL's host
	if err != nil {
		fmt.Println(err, x.Sent)
		return
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	fmt.Println(string(b), x.Fresh)
	// Output: users.example true
}

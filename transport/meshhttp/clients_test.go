package meshhttp_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// onAllClients runs f with an http.RoundTripper for every face. Unlike onAllFaces
// it leaves bodies to be read, and lets net/http write the requests.
func onAllClients(t *testing.T, s setup, f func(w *world, rt http.RoundTripper)) {
	t.Helper()
	t.Run("in-process", func(t *testing.T) {
		inWorld(t, s, func(w *world) { f(w, w.mesh) })
	})
	t.Run("proxied", func(t *testing.T) {
		inWorld(t, s, func(w *world) { f(w, w.proxyClient(nil)) })
	})
	t.Run("http_proxy", func(t *testing.T) {
		inWorld(t, s, func(w *world) { f(w, w.proxyClient(&url.URL{Scheme: "http", Host: proxyAddr})) })
	})
}

// proxyClient is a plain client whose requests go to the listener: because it
// takes that for the server, or because it is told of the proxy.
func (w *world) proxyClient(proxy *url.URL) http.RoundTripper {
	tr := &http.Transport{DisableCompression: true}
	if proxy != nil {
		tr.Proxy = http.ProxyURL(proxy)
		tr.DialContext = w.net.DialContext
	} else {
		tr.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) { return w.net.Dial(ctx, proxyAddr) }
	}
	w.t.Cleanup(tr.CloseIdleConnections)
	return tr
}

func newRequest(t *testing.T, method, target string, body io.Reader) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, target, body)
	require.NoError(t, err)
	return req
}

// roundTrip sends a request and returns the response with its body still to read.
func roundTrip(t *testing.T, rt http.RoundTripper, req *http.Request) *http.Response {
	t.Helper()
	resp, err := rt.RoundTrip(req)
	require.NoError(t, err)
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

// get is roundTrip of a GET whose body is read.
func get(t *testing.T, rt http.RoundTripper, target string) reply {
	t.Helper()
	return readReply(roundTrip(t, rt, newRequest(t, http.MethodGet, target, nil)))
}

// chunked hides from net/http how long a body is.
type chunked struct{ io.Reader }

func bodyOf(s string) io.Reader { return chunked{strings.NewReader(s)} }

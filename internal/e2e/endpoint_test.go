package e2e_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// endpoint is an HTTP server that remembers what it was asked.
type endpoint struct {
	addr   string
	server *http.Server

	mu        sync.Mutex
	seen      []*http.Request
	forgetful bool // nothing is remembered
}

// endpointAt serves h at an address; a port of 0 is any free one.
func endpointAt(t *testing.T, addr string, h http.HandlerFunc) *endpoint {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	require.NoError(t, err)
	return endpointOn(t, l, h)
}

func endpointOn(t *testing.T, l net.Listener, h http.HandlerFunc) *endpoint {
	t.Helper()
	e := &endpoint{addr: l.Addr().String()}
	e.server = &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.mu.Lock()
		if !e.forgetful {
			e.seen = append(e.seen, r)
		}
		e.mu.Unlock()
		h(w, r)
	})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = e.server.Serve(l)
	}()
	t.Cleanup(func() {
		_ = e.server.Close()
		<-done
	})
	return e
}

// saying answers with a text.
func saying(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }
}

// requests returns what was asked so far.
func (e *endpoint) requests() []*http.Request {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]*http.Request(nil), e.seen...)
}

// last returns the latest request.
func (e *endpoint) last(t *testing.T) *http.Request {
	t.Helper()
	all := e.requests()
	require.NotEmpty(t, all, "no request reached the endpoint")
	return all[len(all)-1]
}

// line is the endpoint as a line of the fs namer's files.
func (e *endpoint) line() string { return strings.Replace(e.addr, ":", " ", 1) + "\n" }

// lay copies a directory of testdata into a new directory.
func lay(t *testing.T, from string) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS(filepath.Join("testdata", from))))
	return dir
}

// write replaces a file atomically.
func write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	tmp := filepath.Join(filepath.Dir(path), ".tmp")
	require.NoError(t, os.WriteFile(tmp, []byte(text), 0o644))
	require.NoError(t, os.Rename(tmp, path))
}

package meshhttp_test

import (
	"bufio"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/memhttp"
)

// seen is a request as a downstream got it.
type seen struct {
	*http.Request
	body string
}

// l5d returns the names of the l5d headers, sorted.
func (s seen) l5d() []string {
	var names []string
	for name := range s.Header {
		if strings.HasPrefix(name, "L5d-") {
			names = append(names, strings.ToLower(name))
		}
	}
	slices.Sort(names)
	return names
}

// downstream is a server behind the mesh that remembers what it got.
type downstream struct {
	*memhttp.Server
	addr string

	mu   sync.Mutex
	got  []seen
	open int // connections accepted
}

// serve starts a downstream that is the only endpoint of name. A nil handler says
// 200 and the name.
func (w *world) serve(name string, h http.HandlerFunc) *downstream {
	d := w.listen(w.address(), name, h)
	w.put(name, d.addr)
	return d
}

func (w *world) listen(addr, body string, h http.HandlerFunc) *downstream {
	w.t.Helper()
	if h == nil {
		h = func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, body) }
	}
	d := &downstream{addr: addr}
	srv := &http.Server{
		Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			s := seen{Request: r.Clone(r.Context())}
			s.Header = maps.Clone(r.Header)
			d.mu.Lock()
			d.got = append(d.got, s)
			at := len(d.got) - 1
			d.mu.Unlock()
			if r.ContentLength != 0 && r.Header.Get("Test-Read") == "" {
				b, _ := io.ReadAll(r.Body)
				d.mu.Lock()
				d.got[at].body, d.got[at].Trailer = string(b), r.Trailer
				d.mu.Unlock()
			}
			h(rw, r)
		}),
		ConnState: func(_ net.Conn, s http.ConnState) {
			if s == http.StateNew {
				d.mu.Lock()
				defer d.mu.Unlock()
				d.open++
			}
		},
		DisableGeneralOptionsHandler: true,
	}
	var err error
	d.Server, err = memhttp.Start(&w.net, d.addr, srv)
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = d.Server.Close() })
	return d
}

func (d *downstream) requests() []seen {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.got)
}

func (d *downstream) connections() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.open
}

// last returns the last request; the test fails if there was none.
func (d *downstream) last(t *testing.T) seen {
	t.Helper()
	got := d.requests()
	require.NotEmpty(t, got, "the downstream got no request")
	return got[len(got)-1]
}

// raw starts a downstream that answers every request on every connection with the
// given bytes and, if hang up is set, closes the connection after that.
func (w *world) raw(name string, hangUp bool, answers ...string) *memhttp.Listener {
	w.t.Helper()
	addr := w.address()
	l, err := w.net.Listen(addr)
	require.NoError(w.t, err)
	w.put(name, addr)
	var wg sync.WaitGroup
	var mu sync.Mutex
	n := 0
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				br := bufio.NewReader(conn)
				for {
					req, err := http.ReadRequest(br)
					if err != nil {
						return
					}
					_, _ = io.Copy(io.Discard, req.Body)
					mu.Lock()
					answer := answers[min(n, len(answers)-1)]
					n++
					mu.Unlock()
					_, _ = io.WriteString(conn, answer)
					if hangUp {
						return
					}
				}
			})
		}
	})
	w.t.Cleanup(func() { l.Kill(); wg.Wait() })
	return l
}

// alternate returns a handler that gives the statuses in turn, the last one for
// ever, with a header if one is given.
func alternate(header string, codes ...int) http.HandlerFunc {
	var mu sync.Mutex
	n := 0
	return func(rw http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		code := codes[min(n, len(codes)-1)]
		n++
		mu.Unlock()
		if name, value, ok := strings.Cut(header, ": "); ok && code >= 500 {
			rw.Header().Set(name, value)
		}
		rw.WriteHeader(code)
	}
}

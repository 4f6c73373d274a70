package httpapi_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/httpapi"
	"github.com/weft-mesh/weft/namerd/store/memory"
	"github.com/weft-mesh/weft/naming"
)

// limit is for what must happen but has no time of its own.
const limit = 20 * time.Second

// fickle is a store that can be made to fail.
type fickle struct {
	namerd.Store
	reads, writes atomic.Pointer[error]
	hang          atomic.Bool // reads wait until their context ends
	got           func()      // called after Get, unless nil

	list  weft.Source[naming.State[[]string]]      // in place of Namespaces, unless nil
	dtabs weft.Source[naming.State[namerd.Stored]] // in place of Observe, unless nil
}

func newFickle(t *testing.T) *fickle {
	t.Helper()
	f := &fickle{Store: memory.New(memory.Options{Namespaces: map[string]dtab.Dtab{"default": dtab.MustParse("/svc=>/#/n")}})}
	t.Cleanup(func() { assert.NoError(t, f.Store.Close()) })
	return f
}

func (f *fickle) read(ctx context.Context) error {
	if f.hang.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	if err := f.reads.Load(); err != nil {
		return *err
	}
	return nil
}

func (f *fickle) List(ctx context.Context) ([]string, error) {
	if err := f.read(ctx); err != nil {
		return nil, err
	}
	return f.Store.List(ctx)
}

func (f *fickle) Get(ctx context.Context, ns string) (namerd.Stored, error) {
	if err := f.read(ctx); err != nil {
		return namerd.Stored{}, err
	}
	s, err := f.Store.Get(ctx, ns)
	if f.got != nil {
		f.got()
	}
	return s, err
}

func (f *fickle) History(ctx context.Context, ns string, n int) ([]namerd.Change, error) {
	if err := f.read(ctx); err != nil {
		return nil, err
	}
	return f.Store.History(ctx, ns, n)
}

func (f *fickle) Namespaces(ctx context.Context) weft.Source[naming.State[[]string]] {
	if f.list != nil {
		return f.list
	}
	return f.Store.Namespaces(ctx)
}

func (f *fickle) Observe(ctx context.Context, ns string) weft.Source[naming.State[namerd.Stored]] {
	if f.dtabs != nil {
		return f.dtabs
	}
	return f.Store.Observe(ctx, ns)
}

func (f *fickle) write() error {
	if err := f.writes.Load(); err != nil {
		return *err
	}
	return nil
}

func (f *fickle) Create(ctx context.Context, ns string, d dtab.Dtab, note namerd.Note) (namerd.Version, error) {
	if err := f.write(); err != nil {
		return "", err
	}
	return f.Store.Create(ctx, ns, d, note)
}

func (f *fickle) Put(ctx context.Context, ns string, d dtab.Dtab, note namerd.Note) (namerd.Version, error) {
	if err := f.write(); err != nil {
		return "", err
	}
	return f.Store.Put(ctx, ns, d, note)
}

func (f *fickle) Update(ctx context.Context, ns string, d dtab.Dtab, v namerd.Version, note namerd.Note) (namerd.Version, error) {
	if err := f.write(); err != nil {
		return "", err
	}
	return f.Store.Update(ctx, ns, d, v, note)
}

func (f *fickle) Delete(ctx context.Context, ns string, v namerd.Version, note namerd.Note) error {
	if err := f.write(); err != nil {
		return err
	}
	return f.Store.Delete(ctx, ns, v, note)
}

// site is a handler and its server.
type site struct {
	*httpapi.Handler
	n      *namerd.Namerd
	server *httptest.Server
}

func serve(t *testing.T, store namerd.Store, o httpapi.Options, namers ...naming.Prefixed) *site {
	t.Helper()
	n, err := namerd.New(namerd.Options{Store: store, Namers: namers})
	require.NoError(t, err)
	h := httpapi.New(n, o)
	s := &site{h, n, httptest.NewServer(h)}
	t.Cleanup(func() {
		assert.NoError(t, h.Close())
		s.server.Close()
		assert.NoError(t, n.Close())
		http.DefaultClient.CloseIdleConnections()
	})
	return s
}

// under is a namer of /#/n.
func under(f naming.NamerFunc) naming.Prefixed {
	return naming.Prefixed{Prefix: dtab.MustPath("/#/n"), Namer: f}
}

type answer struct {
	status int
	header http.Header
	body   string
}

func (s *site) send(t *testing.T, method, path, body string, header ...string) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	rsp := s.open(ctx, t, method, path, body, header...)
	defer rsp.Body.Close()
	b, err := io.ReadAll(rsp.Body)
	require.NoError(t, err)
	return answer{rsp.StatusCode, rsp.Header, string(b)}
}

func (s *site) open(ctx context.Context, t *testing.T, method, path, body string, header ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, s.server.URL+path, strings.NewReader(body))
	require.NoError(t, err)
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	rsp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	return rsp
}

func (s *site) get(t *testing.T, path string) answer {
	t.Helper()
	return s.send(t, http.MethodGet, path, "")
}

// stream begins a watch.
func (s *site) stream(t *testing.T, path string) *bufio.Reader {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	rsp := s.open(ctx, t, http.MethodGet, path, "")
	t.Cleanup(func() { rsp.Body.Close() })
	require.Equal(t, http.StatusOK, rsp.StatusCode)
	return bufio.NewReader(rsp.Body)
}

func line(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	l, err := r.ReadString('\n')
	require.NoError(t, err, "after %q", l)
	return strings.TrimSuffix(l, "\n")
}

func contextWithin(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), d)
}

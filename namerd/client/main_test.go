package client_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/client"
	"github.com/weft-mesh/weft/namerd/httpapi"
	"github.com/weft-mesh/weft/namerd/store/memory"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/static"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// long is how long anything may take that happens in the end.
const long = 20 * time.Second

// world is a namerd with the store of the specification's vectors.
type world struct {
	store *memory.Store
	api   *httpapi.Handler
	http  *httptest.Server
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{store: memory.New(memory.Options{Namespaces: map[string]dtab.Dtab{
		"yeezus": dtab.MustParse("/yeezy=>/yeezus"),
		"tlop":   dtab.MustParse("/yeezy=>/pablo"),
	}})}
	names, err := static.New(static.Config{Names: map[string][]string{"web": {"127.0.0.1:1", "127.0.0.1:2"}, "web-v2": {"127.0.0.1:3"}}})
	require.NoError(t, err)
	n, err := namerd.New(namerd.Options{Store: w.store, Namers: naming.Under(names)})
	require.NoError(t, err)
	w.api = httpapi.New(n, httpapi.Options{})
	w.http = httptest.NewServer(w.api)
	t.Cleanup(func() {
		assert.NoError(t, w.api.Close())
		w.http.Close()
		assert.NoError(t, n.Close())
		assert.NoError(t, w.store.Close())
	})
	return w
}

func (w *world) client(t *testing.T, o client.Options) *client.Client {
	t.Helper()
	return open(t, w.http.URL, o)
}

func open(t *testing.T, base string, o client.Options) *client.Client {
	t.Helper()
	c, err := client.New(base, o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	return c
}

// serve returns the address of a server.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// until waits for a value of src.
func until[T any](t *testing.T, src weft.Source[T], ok func(T) bool) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	v, err := weft.Until(ctx, src, ok)
	require.NoError(t, err, "the last value is %v", v)
	return v
}

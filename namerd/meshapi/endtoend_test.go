package meshapi_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/internal/testcert"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/meshapi"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/interpreter/mesh"
)

// TestFollow: names and endpoints, through writes, a missing namespace, and a server
// that is away for some time.
func TestFollow(t *testing.T) {
	w := newWorld(t, nil)
	w.set("a", "1.2.3.4:1")
	w.set("b", "1.2.3.4:2")
	s := w.serve(meshapi.Options{})
	in := client(t, mesh.Config{}, s.addr)
	src := in.Bind(t.Context(), dtab.MustParse("/local=>/svc/a"), dtab.MustPath("/local/x"))
	await(t, src, shows("~")) // as with an empty dtab
	w.put("default", "/svc=>/#/io.l5d.static")
	st := await(t, src, shows("/#/io.l5d.static/a+/x"))
	ends := st.Value.Value.Addrs(t.Context())
	await(t, ends, has("1.2.3.4:1"))
	w.set("a", "1.2.3.4:1", "1.2.3.5:1")
	await(t, ends, has("1.2.3.4:1", "1.2.3.5:1"))
	require.NoError(t, w.store.Delete(t.Context(), "default", "", namerd.Note{}))
	await(t, src, shows("~"))
	w.put("default", "/svc/a=>/#/io.l5d.static/b")
	await(t, src, shows("/#/io.l5d.static/b+/x"))

	require.NoError(t, s.Shutdown(context.Background()))
	st = await(t, src, func(st tree) bool { return st.Err != nil })
	assert.Equal(t, "/#/io.l5d.static/b+/x", show(st.Value), "the last good one")
	w.put("default", "/svc/a=>/#/io.l5d.static/a") // while it is away
	w.serveAt(s.addr, meshapi.Options{})
	await(t, src, shows("/#/io.l5d.static/a+/x"))
	await(t, ends, has("1.2.3.4:1", "1.2.3.5:1"))

	rules := await(t, in.Dtab(t.Context()), func(st naming.State[dtab.Dtab]) bool { return st.Known })
	assert.Equal(t, "/svc/a=>/#/io.l5d.static/a", rules.Value.String())
}

// TestExplain: an explanation is the one that the control plane gives itself.
func TestExplain(t *testing.T) {
	w := newWorld(t, map[string]string{"default": "/svc=>/#/io.l5d.static; /two=>/svc/a & 3*/svc/b; /either=>/svc/nope | ! | $"})
	w.set("a", "1.2.3.4:1")
	w.set("b", "1.2.3.4:2")
	in := client(t, mesh.Config{}, w.serve(meshapi.Options{}).addr)
	for _, p := range []string{"/two", "/svc/a/x", "/svc/nope", "/either", "/nowhere"} {
		want, err := w.namerd.Delegate(within(t), "default", dtab.MustParse("/nowhere=>/two"), dtab.MustPath(p))
		require.NoError(t, err)
		got, err := in.Delegate(within(t), dtab.MustParse("/nowhere=>/two"), dtab.MustPath(p))
		require.NoError(t, err)
		assert.Equal(t, asJSON(t, want), asJSON(t, got))
	}
}

func asJSON(t *testing.T, d naming.Delegation) string {
	t.Helper()
	b, err := d.MarshalJSON()
	require.NoError(t, err)
	return string(b)
}

// TestTLS: with a certificate of the server, and with one of the client.
func TestTLS(t *testing.T) {
	ca := testcert.New(t, "ca", nil)
	w := newWorld(t, map[string]string{"default": "/svc=>/#/io.l5d.static"})
	w.set("a", "1.2.3.4:1")
	pair := ca.Issue(t, "namerd", "namerd.example").Config(t)
	bind := func(s *running, c *tls.Config) naming.State[dtab.Tree[*naming.Bound]] {
		t.Helper()
		src := client(t, mesh.Config{TLS: c}, s.addr).Bind(t.Context(), nil, dtab.MustPath("/svc/a"))
		return await(t, src, func(st tree) bool { return !st.Pending() })
	}
	roots := &tls.Config{RootCAs: ca.Pool(), ServerName: "namerd.example"}
	s := w.serve(meshapi.Options{TLS: pair})
	assert.True(t, bind(s, roots).Known)
	assert.False(t, bind(s, nil).Known, "cleartext")
	assert.False(t, bind(s, &tls.Config{RootCAs: testcert.New(t, "other", nil).Pool(), ServerName: "namerd.example"}).Known, "somebody else's")
	assert.False(t, bind(w.serve(meshapi.Options{}), roots).Known, "TLS with a server that has none")

	mutual := pair.Clone()
	mutual.ClientAuth, mutual.ClientCAs = tls.RequireAndVerifyClientCert, ca.Pool()
	s = w.serve(meshapi.Options{TLS: &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return mutual, nil }}})
	assert.False(t, bind(s, roots).Known, "no certificate")
	with := ca.Issue(t, "proxy", "proxy.example").Config(t)
	with.RootCAs, with.ServerName = ca.Pool(), "namerd.example"
	assert.True(t, bind(s, with).Known)
}

// TestManyClients: a write reaches a hundred connections at once.
func TestManyClients(t *testing.T) {
	const clients, writes = 100, 5
	w := newWorld(t, map[string]string{"default": "/svc=>/#/io.l5d.static/w0"})
	for i := range writes + 1 {
		w.set(fmt.Sprintf("w%d", i), "1.2.3.4:1")
	}
	s := w.serve(meshapi.Options{})
	seen := make(chan time.Duration, clients)
	var at [writes + 1]time.Time
	var wg sync.WaitGroup
	ready := make(chan struct{}, clients)
	round := make([]chan struct{}, writes+1)
	for i := range round {
		round[i] = make(chan struct{})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*eventually)
	defer cancel()
	for range clients {
		in := client(t, mesh.Config{}, s.addr)
		src := in.Bind(ctx, nil, dtab.MustPath("/svc"))
		wg.Go(func() {
			for i := 0; ; {
				st, stale := src.Load()
				if st.Known && show(st.Value) == fmt.Sprintf("/#/io.l5d.static/w%d", i) {
					if i == 0 {
						ready <- struct{}{}
					} else {
						<-round[i] // at is set
						seen <- time.Since(at[i])
					}
					if i++; i > writes {
						return
					}
					continue
				}
				select {
				case <-stale:
				case <-ctx.Done():
					return
				}
			}
		})
		next(t, ready)
	}
	var all []time.Duration
	for i := 1; i <= writes; i++ {
		at[i] = time.Now()
		close(round[i])
		w.put("default", fmt.Sprintf("/svc=>/#/io.l5d.static/w%d", i))
		for range clients {
			all = append(all, next(t, seen))
		}
	}
	wg.Wait()
	slices.Sort(all)
	t.Logf("%d clients saw %d writes: median %s, p99 %s, last %s", clients, writes, all[len(all)/2], all[len(all)*99/100], all[len(all)-1])
}

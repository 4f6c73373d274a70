package fs_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/fs"
)

// hosts is a resolver whose answers the test sets.
type hosts struct {
	mu   sync.Mutex
	vars map[string]*weft.Var[endpoints]
	live map[string]int // resolutions that are kept up to date
}

func newHosts() *hosts {
	return &hosts{vars: map[string]*weft.Var[endpoints]{}, live: map[string]int{}}
}

func (h *hosts) of(name string) *weft.Var[endpoints] {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.vars[name] == nil {
		h.vars[name] = &weft.Var[endpoints]{}
	}
	return h.vars[name]
}

func (h *hosts) resolve(ctx context.Context, host, port string) weft.Source[endpoints] {
	name := host + ":" + port
	v := h.of(name)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.live[name]++
	context.AfterFunc(ctx, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.live[name]--
	})
	return v
}

func (h *hosts) set(name string, addrs ...string) {
	set := weft.EndpointSet{}
	for _, a := range addrs {
		set.Endpoints = append(set.Endpoints, weft.Endpoint{Addr: a})
	}
	h.of(name).Store(naming.Ok(set))
}

func (h *hosts) observed(name string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.live[name]
}

func TestHostNamesAreFollowed(t *testing.T) {
	dir, h := t.TempDir(), newHosts()
	n := newNamer(t, dir, fs.Options{Resolve: h.resolve})
	write(t, "10.0.0.1 80\na.test 80 * 3\n10.0.0.9 80\n", dir, "web")
	web := watch(t, n, "/web")
	web.comes("/#/io.l5d.fs/web: 10.0.0.1:80 10.0.0.9:80") // what is known has to do

	h.set("a.test:80", "10.1.0.1:80", "10.0.0.9:80")
	web.comes("/#/io.l5d.fs/web: 10.0.0.1:80 10.1.0.1:80*3 10.0.0.9:80*3")
	h.set("a.test:80", "10.1.0.2:80")
	web.comes("/#/io.l5d.fs/web: 10.0.0.1:80 10.1.0.2:80*3 10.0.0.9:80")

	h.of("a.test:80").Store(naming.Ok(weft.EndpointSet{Neg: true}))
	web.comes("/#/io.l5d.fs/web: 10.0.0.1:80 10.0.0.9:80 (stale)")
	s, _ := web.sets.Load()
	require.ErrorIs(t, s.Err, fs.ErrUnknownHost)
	h.set("a.test:80", "10.1.0.2:80")
	web.comes("/#/io.l5d.fs/web: 10.0.0.1:80 10.1.0.2:80*3 10.0.0.9:80")

	// Another host: until it is resolved the old set holds.
	write(t, "b.test 81\n", dir, "web")
	web.stays("/#/io.l5d.fs/web: 10.0.0.1:80 10.1.0.2:80*3 10.0.0.9:80", 50*time.Millisecond)
	h.of("b.test:81").Store(naming.Failed[weft.EndpointSet](errors.New("no name server")))
	web.comes("/#/io.l5d.fs/web: 10.0.0.1:80 10.1.0.2:80*3 10.0.0.9:80 (stale)")
	h.set("b.test:81", "10.2.0.1:81")
	web.comes("/#/io.l5d.fs/web: 10.2.0.1:81")
	eventually(t, "0", func() string { return string(rune('0' + h.observed("a.test:80"))) })

	// Nor does a part of the new set take over before the rest is known.
	write(t, "10.0.0.1 80\nc.test 82\n", dir, "web")
	web.stays("/#/io.l5d.fs/web: 10.2.0.1:81", 50*time.Millisecond)
	h.set("c.test:82", "10.3.0.1:82")
	web.comes("/#/io.l5d.fs/web: 10.0.0.1:80 10.3.0.1:82")
	write(t, "c.test 82\n", dir, "web")
	web.comes("/#/io.l5d.fs/web: 10.3.0.1:82")
	h.set("c.test:82")
	web.comes("/#/io.l5d.fs/web:")
}

func TestFileOfHostsThatCannotBeResolved(t *testing.T) {
	dir, h := t.TempDir(), newHosts()
	write(t, "a.test 80\n", dir, "web")
	n := newNamer(t, dir, fs.Options{Resolve: h.resolve})
	web := watch(t, n, "/web")
	web.comes("/#/io.l5d.fs/web: pending")
	h.of("a.test:80").Store(naming.Failed[weft.EndpointSet](errors.New("no name server")))
	web.comes("/#/io.l5d.fs/web: failed")
	h.of("a.test:80").Store(naming.Ok(weft.EndpointSet{Neg: true}))
	eventually(t, "true", func() string {
		if s, _ := web.sets.Load(); errors.Is(s.Err, fs.ErrUnknownHost) {
			return "true"
		}
		return "false"
	})
}

func TestHostsAreNotResolvedAfterClose(t *testing.T) {
	dir, h := t.TempDir(), newHosts()
	write(t, "a.test 80\n", dir, "web")
	n := newNamer(t, dir, fs.Options{Resolve: h.resolve})
	h.set("a.test:80", "10.0.0.1:80")
	watch(t, n, "/web").comes("/#/io.l5d.fs/web: 10.0.0.1:80")
	assert.Equal(t, 1, h.observed("a.test:80"))
	require.NoError(t, n.Close())
	eventually(t, "0", func() string { return string(rune('0' + h.observed("a.test:80"))) })
}

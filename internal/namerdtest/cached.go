package namerdtest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/interpreter/remote"
)

// cached: a client that starts while namerd is away uses what the one before it knew,
// and follows namerd again when it is back.
func (h Harness) cached(t *testing.T) {
	s := h.server(t)
	dir := filepath.Join(t.TempDir(), "not", "there", "yet")
	rules := dtab.MustParse("/mine=>/x")
	settings := Settings{Cache: remote.CacheOptions{Dir: dir, Name: "rt: a/b", Rules: rules}}
	s.w.Tree("/svc/web").Store(naming.Ok(dtab.UnionOf(
		dtab.LeafOf(Bound("/#/v1", "/rest")).Weighing(0.99), dtab.LeafOf(Bound("/#/v2", "/")).Weighing(0.01))))
	s.w.Tree("/svc/other").Store(Leaf("/#/other", "/"))
	s.w.Addr("/#/v1").Store(naming.Ok(weft.EndpointSet{
		Meta: map[string]string{"authority": "web"}, Endpoints: []weft.Endpoint{{Addr: "10.0.0.1:80", Meta: map[string]string{"nodeName": "n"}}},
	}))

	before := h.client(t, settings, fixed(s.addr))
	tree := awaitTree(t, before.Bind(t.Context(), rules, dtab.MustPath("/svc/web")), eventually, "0.99*/#/v1/:/rest & 0.01*/#/v2")
	awaitAddrs(t, tree.Value.Kids[0].Value.Addrs(t.Context()), eventually, "10.0.0.1:80")
	awaitTree(t, before.Bind(t.Context(), dtab.MustParse("/mine=>/x;/invented=>/by/a/caller"), dtab.MustPath("/svc/other")), eventually, "/#/other")
	require.NoError(t, before.Close())
	s.stop()

	after := h.client(t, settings, fixed(s.addr))
	src := after.Bind(t.Context(), rules, dtab.MustPath("/svc/web"))
	old := await(t, src, eventually, "known from the file", func(st Tree) bool { return st.Known })
	require.Error(t, old.Err, "it is not what namerd says")
	assert.ErrorContains(t, old.Err, "what was known at ")
	assert.ErrorContains(t, old.Err, "connection refused")
	assert.Equal(t, "0.99*/#/v1/:/rest & 0.01*/#/v2", show(old.Value))
	ends := old.Value.Kids[0].Value.Addrs(t.Context())
	set := await(t, ends, eventually, "known from the file", func(st Addr) bool { return st.Known }).Value
	assert.Equal(t, "10.0.0.1:80", addrs(set))
	assert.Equal(t, "web", set.Meta["authority"])
	assert.Equal(t, "n", set.Endpoints[0].Meta["nodeName"])
	for name, local := range map[string]dtab.Dtab{
		"/svc/other": dtab.MustParse("/mine=>/x;/invented=>/by/a/caller"), // rules of a request
		"/svc/never": rules,
	} {
		other := after.Bind(t.Context(), local, dtab.MustPath(name))
		failed := await(t, other, eventually, "failed", func(st Tree) bool { return st.Err != nil })
		assert.False(t, failed.Known, name)
	}

	s.w.Tree("/svc/web").Store(Leaf("/#/v1", "/"))
	s.w.Addr("/#/v1").Store(Set("10.0.0.9:80"))
	s.start(t)
	awaitTree(t, src, eventually, "/#/v1")
	awaitAddrs(t, ends, eventually, "10.0.0.9:80")

	// Written while the client runs: it may not get to close it.
	require.Eventually(t, func() bool {
		files, _ := filepath.Glob(filepath.Join(dir, "rt__a_b-*.json"))
		if len(files) != 1 {
			return false
		}
		text, err := os.ReadFile(files[0])
		return err == nil && strings.Contains(string(text), "10.0.0.9:80") && strings.Contains(string(text), "/svc/web")
	}, eventually, 50*time.Millisecond)
	require.NoError(t, after.Close())
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.Len(t, files, 1, "nothing else is left behind")

	// What was answered to other rules is not believed, in whatever file it is.
	strange := settings
	strange.Cache.Dir, strange.Cache.Rules = filepath.Join(t.TempDir(), "strange"), dtab.MustParse("/other=>/rules")
	stranger := h.client(t, strange, fixed(s.addr))
	awaitTree(t, stranger.Bind(t.Context(), strange.Cache.Rules, dtab.MustPath("/svc/web")), eventually, "/#/v1")
	require.NoError(t, stranger.Close())
	s.stop()
	theirs, err := filepath.Glob(filepath.Join(strange.Cache.Dir, "*"))
	require.NoError(t, err)
	require.Len(t, theirs, 1)
	ours, err := os.ReadFile(files[0])
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(theirs[0], ours, 0o600))
	stranger = h.client(t, strange, fixed(s.addr))
	lost := await(t, stranger.Bind(t.Context(), strange.Cache.Rules, dtab.MustPath("/svc/web")), eventually, "failed", func(st Tree) bool { return st.Err != nil })
	assert.False(t, lost.Known)
	require.NoError(t, stranger.Close())

	require.NoError(t, os.WriteFile(files[0], []byte(`{"format":1,"names":{"/svc/web":{"tree":{"op":"lea`), 0o600))
	broken := h.client(t, settings, fixed(s.addr))
	st := await(t, broken.Bind(t.Context(), rules, dtab.MustPath("/svc/web")), eventually, "failed", func(st Tree) bool { return st.Err != nil })
	assert.False(t, st.Known, "a file that is broken says nothing")
	require.NoError(t, broken.Close())

	_, err = h.New(Settings{}, remote.Options{
		Cache:     remote.CacheOptions{Dir: files[0]},
		Endpoints: func(context.Context) weft.Source[Addr] { return fixed(s.addr) },
	})
	require.ErrorContains(t, err, "cacheDir: ", "a file is no directory")
}

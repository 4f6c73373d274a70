package namerd_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/memory"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/global"
	"github.com/weft-mesh/weft/naming/static"
)

// world is a namerd over a store in memory and one namer.
type world struct {
	*namerd.Namerd
	store *memory.Store
	namer *static.Namer
}

func newWorld(t *testing.T, namespaces map[string]string) *world {
	t.Helper()
	o := memory.Options{Namespaces: map[string]dtab.Dtab{}}
	for ns, text := range namespaces {
		o.Namespaces[ns] = dtab.MustParse(text)
	}
	w := &world{store: memory.New(o)}
	var err error
	w.namer, err = static.New(static.Config{Prefix: dtab.MustPath("/#/n"), Names: map[string][]string{
		"web": {"10.0.0.1:80"}, "api": {"10.0.0.2:80"}, "gone": {},
	}})
	require.NoError(t, err)
	w.Namerd, err = namerd.New(namerd.Options{
		Store: w.store, Namers: naming.Under(w.namer), Global: global.New(global.Options{}), Linger: -1,
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.NoError(t, w.Close())
		assert.NoError(t, w.store.Close())
	})
	return w
}

// await waits for a state of src.
func await[T any](t *testing.T, src weft.Source[naming.State[T]], what string, ok func(naming.State[T]) bool) naming.State[T] {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	st, err := weft.Until(ctx, src, ok)
	require.NoError(t, err, "%s: it is %+v", what, st)
	return st
}

func show(t dtab.Tree[*naming.Bound]) string {
	return dtab.Show(t, func(b *naming.Bound) string { return b.ID.String() })
}

func bound(want string) func(naming.State[namerd.Binding]) bool {
	return func(s naming.State[namerd.Binding]) bool {
		return s.Known && s.Err == nil && show(s.Value.Tree) == want
	}
}

func TestBind(t *testing.T) {
	w := newWorld(t, map[string]string{"default": "/svc => /#/n", "other": "/svc => /#/n/api"})
	src := w.Bind(t.Context(), "default", nil, dtab.MustPath("/svc/web"))
	first := await(t, src, "bound", bound("/#/n/web"))
	assert.NotZero(t, first.Value.Revision.N)
	await(t, w.Bind(t.Context(), "other", nil, dtab.MustPath("/svc/web")), "each namespace has rules of its own", bound("/#/n/api"))
	await(t, w.Bind(t.Context(), "default", dtab.MustParse("/svc/web => /svc/api"), dtab.MustPath("/svc/web")), "those of the request win", bound("/#/n/api"))
	missing := w.Bind(t.Context(), "nowhere", dtab.MustParse("/x => /#/n/web"), dtab.MustPath("/x"))
	await(t, missing, "a namespace that does not exist is an empty dtab", bound("/#/n/web"))

	_, err := w.store.Put(t.Context(), "default", dtab.MustParse("/svc => /#/n ; /svc/web => 1 * /#/n/web & 9 * /#/n/api"), namerd.Note{})
	require.NoError(t, err)
	second := await(t, src, "followed", bound("/#/n/web & 9.00*/#/n/api"))
	assert.True(t, first.Value.Revision.Before(second.Value.Revision))

	// Rules that change nothing for the name still move the revision.
	_, err = w.store.Put(t.Context(), "default", dtab.MustParse("/z=>/y;/svc => /#/n ; /svc/web => 1 * /#/n/web & 9 * /#/n/api"), namerd.Note{})
	require.NoError(t, err)
	third := await(t, src, "a later revision", func(s naming.State[namerd.Binding]) bool {
		return second.Value.Revision.Before(s.Value.Revision)
	})
	assert.Equal(t, show(second.Value.Tree), show(third.Value.Tree))

	require.NoError(t, w.store.Delete(t.Context(), "default", "", namerd.Note{}))
	await(t, src, "deleted", bound("~"))
	_, err = w.store.Create(t.Context(), "default", dtab.MustParse("/svc => /#/n"), namerd.Note{})
	require.NoError(t, err)
	await(t, src, "made again", bound("/#/n/web"))
}

func TestAddr(t *testing.T) {
	w := newWorld(t, nil)
	addrs := func(want string) func(naming.State[weft.EndpointSet]) bool {
		return func(s naming.State[weft.EndpointSet]) bool {
			text := ""
			for _, e := range s.Value.Endpoints {
				text += e.Addr + " "
			}
			if s.Value.Neg {
				text = "neg"
			}
			return s.Known && text == want
		}
	}
	src := w.Addr(t.Context(), dtab.MustPath("/#/n/web"))
	await(t, src, "known", addrs("10.0.0.1:80 "))
	await(t, w.Addr(t.Context(), dtab.MustPath("/%/io.l5d.port/4141/#/n/web")), "transformers are dropped", addrs("10.0.0.1:80 "))
	require.NoError(t, w.namer.Set("web", "10.0.0.7:80", "10.0.0.8:80"))
	await(t, src, "followed", addrs("10.0.0.7:80 10.0.0.8:80 "))
	require.NoError(t, w.namer.Remove("web"))
	await(t, src, "gone", addrs("neg"))
	require.NoError(t, w.namer.Set("web", "10.0.0.9:80"))
	await(t, src, "there again", addrs("10.0.0.9:80 "))
	await(t, w.Addr(t.Context(), dtab.MustPath("/#/n/gone")), "without endpoints", addrs(""))
	await(t, w.Addr(t.Context(), dtab.MustPath("/#/unknown/x")), "an unknown namer", addrs("neg"))
	await(t, w.Addr(t.Context(), dtab.MustPath("/$/nil")), "empty", func(s naming.State[weft.EndpointSet]) bool { return s.Known && len(s.Value.Endpoints) == 0 })
	failed := await(t, w.Addr(t.Context(), dtab.MustPath("/$/fail")), "fail", func(s naming.State[weft.EndpointSet]) bool { return s.Err != nil })
	assert.ErrorContains(t, failed.Err, "name tree failed")
	require.NoError(t, w.namer.SetState("web", naming.Failed[weft.EndpointSet](errors.New("boom"))))
	stale := await(t, src, "stale", func(s naming.State[weft.EndpointSet]) bool { return s.Err != nil })
	assert.True(t, stale.Known, "the last good endpoints stay")
}

func TestDelegate(t *testing.T) {
	w := newWorld(t, map[string]string{"default": "/svc => /#/n"})
	d, err := w.Delegate(t.Context(), "default", dtab.MustParse("/svc/x => /svc/web"), dtab.MustPath("/svc/x"))
	require.NoError(t, err)
	require.NotEmpty(t, d.WayTo(dtab.MustPath("/#/n/web")), "%s", d.Text())
	d, err = w.Delegate(t.Context(), "", dtab.MustParse("/x => /#/n/web"), dtab.MustPath("/svc/x"))
	require.NoError(t, err)
	assert.Equal(t, naming.KindNeg, d.Kind, "without a namespace there are the given rules only")

	d, err = w.DelegateTree(t.Context(), "default", nil, dtab.MustTree("/svc/web | 0.3 * /svc/api & 0.7 * $ | ! | ~"))
	require.NoError(t, err)
	assert.Equal(t, naming.KindAlt, d.Kind)
	kinds := []naming.Kind{}
	for _, k := range d.Kids {
		kinds = append(kinds, k.Kind)
	}
	assert.Equal(t, []naming.Kind{naming.KindDelegate, naming.KindUnion, naming.KindFail, naming.KindNeg}, kinds)
	assert.InDelta(t, 0.3, d.Kids[1].Kids[0].Weight, 0)
	assert.Equal(t, naming.KindEmpty, d.Kids[1].Kids[1].Kind)

	require.NoError(t, w.Close())
	_, err = w.Delegate(t.Context(), "default", nil, dtab.MustPath("/svc/x"))
	require.ErrorIs(t, err, naming.ErrClosed)
}

func TestNamersMustBeTold(t *testing.T) {
	at := func(prefix string) naming.Prefixed { return naming.Prefixed{Prefix: dtab.MustPath(prefix)} }
	store := memory.New(memory.Options{})
	defer store.Close()
	_, err := namerd.New(namerd.Options{Store: store, Namers: naming.Namers{at("/#")}})
	require.EqualError(t, err, "Namers must not have an empty prefix")
	_, err = namerd.New(namerd.Options{Store: store, Namers: naming.Namers{at("/#/a"), at("/#/b"), at("/#/a/b")}})
	require.EqualError(t, err, "Namers must not have overlapping prefixes: /a & /a/b")
	_, err = namerd.New(namerd.Options{})
	require.EqualError(t, err, "namerd: no store")
}

// listing is a namer that can enumerate its names.
type listing struct {
	naming.Namer
	names func() ([]dtab.Path, error)
}

func (l listing) Names() ([]dtab.Path, error) { return l.names() }

func TestBoundNames(t *testing.T) {
	names := make(chan []dtab.Path, 1)
	now := []dtab.Path{dtab.MustPath("/#/l/b"), dtab.MustPath("/#/l/a"), dtab.MustPath("/#/l/a")}
	l := listing{names: func() ([]dtab.Path, error) {
		select {
		case now = <-names:
		default:
		}
		if now == nil {
			return nil, errors.New("boom")
		}
		return now, nil
	}}
	store := memory.New(memory.Options{})
	n, err := namerd.New(namerd.Options{Store: store, Namers: naming.Namers{{Prefix: dtab.MustPath("/#/l"), Namer: l}, {Prefix: dtab.MustPath("/#/x"), Namer: naming.NamerFunc(nil)}}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, errors.Join(n.Close(), store.Close())) })
	src := n.BoundNames(t.Context())
	st := await(t, src, "known", func(s naming.State[[]dtab.Path]) bool { return s.Known })
	assert.Equal(t, []dtab.Path{dtab.MustPath("/#/l/a"), dtab.MustPath("/#/l/b")}, st.Value)
	names <- []dtab.Path{dtab.MustPath("/#/l/c")}
	await(t, src, "followed", func(s naming.State[[]dtab.Path]) bool { return len(s.Value) == 1 })
	names <- nil
	await(t, src, "what cannot be listed has no names", func(s naming.State[[]dtab.Path]) bool { return s.Known && len(s.Value) == 0 })
}

func TestErrors(t *testing.T) {
	for err, want := range map[*namerd.Error]string{
		{Is: namerd.ErrExists, Namespace: "x"}:                                  "The dtab namespace x already exists",
		{Is: namerd.ErrMissing, Namespace: "x"}:                                 "The dtab namespace x does not exist",
		{Is: namerd.ErrMismatch, Namespace: "x"}:                                "Could not update dtab: current version does not match provided version",
		{Is: namerd.ErrForbidden, Namespace: "x"}:                               "You do not have sufficient permissions",
		{Is: namerd.ErrInvalid, Namespace: "x", Detail: errors.New("only a-z")}: "invalid dtab namespace x: only a-z",
		{Is: namerd.ErrTooLarge, Namespace: "x"}:                                "The dtab for the namespace x is too large for the store",
	} {
		assert.EqualError(t, err, want)
		wrapped := fmt.Errorf("outside: %w", err)
		assert.ErrorIs(t, wrapped, err.Is)
	}
}

func TestChangeJSON(t *testing.T) {
	at := time.Date(2026, 11, 30, 12, 0, 0, 5, time.UTC)
	for _, c := range []namerd.Change{
		{Note: namerd.Note{Author: "a", Reason: "b \"c\""}, At: at, Version: "\x00\x01", Dtab: dtab.MustParse(`/a/*=>/\x2f | 0.001*/b & /c`)},
		{At: at, Version: "7", Dtab: dtab.Dtab{}},
		{At: at, Deleted: true},
	} {
		text, err := json.Marshal(c)
		require.NoError(t, err)
		var same namerd.Change
		require.NoError(t, json.Unmarshal(text, &same))
		assert.Equal(t, c.Note, same.Note)
		assert.True(t, c.At.Equal(same.At))
		assert.Equal(t, c.Version, same.Version)
		assert.Equal(t, c.Deleted, same.Deleted)
		assert.Equal(t, c.Dtab.Exact(), same.Dtab.Exact(), "%s", text)
	}
	for _, bad := range []string{`{}`, `{"dtab":"nonsense"}`, `{"dtab":1}`, `[]`, `{"at":"yesterday","deleted":true}`} {
		require.Error(t, json.Unmarshal([]byte(bad), &namerd.Change{}), bad)
	}
}

func TestRevision(t *testing.T) {
	assert.True(t, namerd.Revision{Of: "a", N: 1}.Before(namerd.Revision{Of: "a", N: 2}))
	assert.False(t, namerd.Revision{Of: "a", N: 2}.Before(namerd.Revision{Of: "a", N: 2}))
	assert.False(t, namerd.Revision{Of: "a", N: 1}.Before(namerd.Revision{Of: "b", N: 2}), "they cannot be compared")
	assert.False(t, namerd.Revision{Of: "a"}.Before(namerd.Revision{Of: "a", N: 2}), "an unknown place")
}

func Example() {
	store := memory.New(memory.Options{Namespaces: map[string]dtab.Dtab{"default": dtab.MustParse("/svc => /#/static")}})
	defer store.Close()
	namer, err := static.New(static.Config{Names: map[string][]string{"web": {"10.0.0.1:80"}}})
	if err != nil {
		panic(err)
	}
	n, err := namerd.New(namerd.Options{Store: store, Namers: naming.Under(namer)})
	if err != nil {
		panic(err)
	}
	defer n.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	src := n.Bind(ctx, "default", nil, dtab.MustPath("/svc/web"))
	st, err := weft.Until(ctx, src, func(s naming.State[namerd.Binding]) bool { return s.Known })
	if err != nil {
		panic(err)
	}
	fmt.Println(st.Value.Tree.Value.ID)
	// Output: /#/static/web
}

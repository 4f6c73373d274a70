package transformer_test

import (
	"context"
	"io"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/transformer"
)

// TestNamerLevel is X14 and the rule that trees with unbound leaves are passed on.
func TestNamerLevel(t *testing.T) {
	w := newWorld(t)
	in := w.behind(transformer.Namer(w, w.port(4141)), "/svc=>/#/n")
	const id = "/%/io.l5d.port/4141/#/n/web"
	assert.Equal(t, "L("+id+" + /r) {10.0.0.1:4141 n1, 10.0.1.1:4141 n2} authority=x", w.show(w.bind(in, "/svc/web/r")))
	assert.Equal(t, "D(/svc/web/r; L(/#/n/web/r; "+id+" + /r {10.0.0.1:4141 n1, 10.0.1.1:4141 n2} authority=x))", w.explain(in, "/svc/web/r"))
	assert.Equal(t, "L("+id+" + /r) {10.0.0.1:4141 n1, 10.0.1.1:4141 n2} authority=x", w.show(w.bind(in, "/svc/see/r")), "once, not twice")
	for name, want := range map[string]string{"neg": "Neg", "pend": "Pending", "fail": "Failed(boom)", "empty": "Empty"} {
		assert.Equal(t, want, w.show(w.bind(in, "/svc/"+name)))
	}
}

// TestNamerAnswersThatChange goes from bound to unbound and back, with transformers
// of every shape.
func TestNamerAnswersThatChange(t *testing.T) {
	for _, row := range []struct {
		name string
		tr   func(w *world) tf
		want string
	}{
		{"leaf by leaf", func(w *world) tf { return w.port(4141) }, "/%/io.l5d.port/4141/#/n/x"},
		{"with a reference", func(w *world) tf { return w.daemonset(false) }, "/%/io.l5d.k8s.daemonset/GW/port/l5d/#/n/x"},
		{"independent", func(w *world) tf {
			return w.made(transformer.NewConst(transformer.PathConfig{Path: path("/#/n/gw")}, w.binder()))
		}, "/%/io.l5d.const/#/n/gw"},
		{"by two things", func(w *world) tf {
			return w.made(transformer.NewReplace(transformer.PathConfig{Path: path("/#/n/gw")}, w.binder()))
		}, "/%/io.l5d.replace/#/n/gw"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.put("x", web())
				n := transformer.Namer(w, row.tr(w))
				defer func() { require.NoError(t, n.(io.Closer).Close()) }()
				src := n.Lookup(t.Context(), path("/x"))
				unbound := naming.Ok(dtab.LeafOf(naming.Name{Path: path("/elsewhere")}))
				for range 3 {
					pause()
					s, _ := src.Load()
					require.True(t, s.Known)
					assert.Equal(t, row.want, s.Value.Value.Bound.ID.String())
					_, stale := src.Load()
					w.says["x"].Store(unbound)
					pause()
					<-stale
					s, _ = src.Load()
					require.True(t, s.Known)
					assert.Equal(t, "/elsewhere", s.Value.Value.Path.String())
					w.says["x"].Store(naming.Ok(w.leaf("x")))
				}
			})
		})
	}
}

type rich struct{ naming.Namer }

func (rich) Names() ([]dtab.Path, error)   { return []dtab.Path{path("/#/n/web")}, nil }
func (rich) State() any                    { return "fine" }
func (rich) Prefix() dtab.Path             { return path("/#/n") }
func (rich) Watches() []naming.WatchStatus { return []naming.WatchStatus{{Watching: "inner"}} }
func (rich) Close() error                  { return io.ErrClosedPipe }

// TestWhatNamersAreStays: what a namer is besides, it is with transformers too.
func TestWhatNamersAreStays(t *testing.T) {
	w := newWorld(t)
	type lists = interface{ Names() ([]dtab.Path, error) }
	type states = interface{ State() any }
	n := transformer.Namer(rich{w}, w.port(1))
	names, err := n.(lists).Names()
	require.NoError(t, err)
	assert.Equal(t, []dtab.Path{path("/#/n/web")}, names)
	assert.Equal(t, "fine", n.(states).State())
	assert.Equal(t, "/#/n", n.(interface{ Prefix() dtab.Path }).Prefix().String())
	assert.Equal(t, "inner", n.(naming.Reporter).Watches()[0].Watching)
	assert.Equal(t, rich{w}, n.(interface{ Unwrap() naming.Namer }).Unwrap())
	assert.ErrorIs(t, n.(io.Closer).Close(), io.ErrClosedPipe)

	bare := transformer.Namer(w, w.port(1))
	_, is := bare.(lists)
	assert.False(t, is)
	_, is = bare.(states)
	assert.False(t, is)
	assert.NoError(t, bare.(io.Closer).Close())
	assert.Equal(t, naming.Namer(w), transformer.Namer(w), "no transformers, no wrapping")
}

type dark struct{ naming.Interpreter }

type held struct{ *naming.Default }

func (held) Stored() dtab.Dtab { return dtab.MustParse("/a=>/b") }

// TestWhatInterpretersAreStays does so for interpreters.
func TestWhatInterpretersAreStays(t *testing.T) {
	w := newWorld(t)
	type holds = interface{ Stored() dtab.Dtab }
	for _, row := range []struct {
		in             naming.Interpreter
		explains, held bool
	}{
		{w.binder(), true, false},
		{dark{w.binder()}, false, false},
		{held{w.binder()}, true, true},
		{struct {
			dark
			holds
		}{dark{w.binder()}, held{}}, false, true},
	} {
		in := transformer.Interpreter(row.in, w.port(4141))
		_, explains := in.(naming.Delegator)
		assert.Equal(t, row.explains, explains)
		h, is := in.(holds)
		assert.Equal(t, row.held, is)
		if is {
			assert.Equal(t, "/a=>/b", h.Stored().String())
		}
		assert.Equal(t, row.in, in.(interface{ Unwrap() naming.Interpreter }).Unwrap())
		assert.Equal(t, "L(/%/io.l5d.port/4141/#/n/gw) {10.0.0.9:4141 n1, 10.0.2.9:4141}", w.show(w.bind(in, "/#/n/gw")))
		assert.NoError(t, in.(io.Closer).Close())
	}
}

// TestCloseOrder: the transformers are closed after what they are put behind.
func TestCloseOrder(t *testing.T) {
	var order []string
	w := newWorld(t)
	ts := []tf{closing{w.port(1), "first", &order}, closing{w.port(2), "second", &order}}
	n := transformer.Namer(closingNamer{w, &order}, ts...)
	require.NoError(t, n.(io.Closer).Close())
	assert.Equal(t, []string{"namer", "second", "first"}, order)
}

type closing struct {
	tf
	name  string
	order *[]string
}

func (c closing) Close() error { *c.order = append(*c.order, c.name); return nil }

type closingNamer struct {
	naming.Namer
	order *[]string
}

func (c closingNamer) Close() error { *c.order = append(*c.order, "namer"); return nil }

func (c closingNamer) Lookup(ctx context.Context, p dtab.Path) weft.Source[names] {
	return c.Namer.Lookup(ctx, p)
}

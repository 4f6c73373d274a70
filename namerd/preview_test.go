package namerd_test

import (
	"context"
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

// never is a namer that does not answer.
func never(context.Context, dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
	return new(weft.Var[naming.State[dtab.Tree[naming.Name]]])
}

func previewing(t *testing.T) *namerd.Namerd {
	t.Helper()
	store := memory.New(memory.Options{Namespaces: map[string]dtab.Dtab{"default": dtab.MustParse("/svc=>/#/s"), "other": nil}})
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	s, err := static.New(static.Config{Prefix: dtab.MustPath("/#/s"), Names: map[string][]string{"a": {"127.0.0.1:1"}, "b": {"127.0.0.1:2"}}})
	require.NoError(t, err)
	namers := append(naming.Under(s), naming.Prefixed{Prefix: dtab.MustPath("/#/never"), Namer: naming.NamerFunc(never)})
	n, err := namerd.New(namerd.Options{Store: store, Linger: -1, Namers: namers, Global: global.New(global.Options{})})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Close()) })
	return n
}

func TestActiveNames(t *testing.T) {
	n := previewing(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	bind := func(ns, local, name string) { n.Bind(ctx, ns, dtab.MustParse(local), dtab.MustPath(name)) }
	bind("default", "", "/svc/b")
	bind("default", "/x=>/y", "/svc/a")
	bind("default", "", "/svc/a")
	bind("other", "", "/svc/c")

	names, total := n.Active("default", 10)
	assert.Equal(t, 3, total)
	require.Len(t, names, 3)
	for i, want := range []string{"/svc/a with ", "/svc/a with /x=>/y", "/svc/b with "} {
		assert.Equal(t, want, names[i].Name.String()+" with "+names[i].Local.String())
	}

	names, total = n.Active("default", 1)
	assert.Len(t, names, 1, "bounded")
	assert.Equal(t, 3, total)
	names, total = n.Active("nope", 10)
	assert.Empty(t, names)
	assert.Zero(t, total)

	cancel()
	require.Eventually(t, func() bool { _, total := n.Active("default", 10); return total == 0 }, 10*time.Second, 5*time.Millisecond, "nobody asks any more")
}

func TestPreview(t *testing.T) {
	n := previewing(t)
	for name, row := range map[string]struct {
		before, after, local, path string
		differs                    bool
	}{
		"the same rules":                     {"/svc=>/#/s", "/svc=>/#/s", "", "/svc/a", false},
		"a rule that does not matter":        {"/svc=>/#/s", "/svc=>/#/s;/x=>/y", "", "/svc/a", false},
		"another way to the same":            {"/svc=>/#/s", "/svc=>/h;/h=>/#/s", "", "/svc/a", false},
		"another name":                       {"/svc=>/#/s", "/svc=>/#/s;/svc/a=>/#/s/b", "", "/svc/a", true},
		"another residual":                   {"/svc=>/#/s/b", "/svc=>/#/s/b/x", "", "/svc/a", true},
		"other weights":                      {"/svc=>/#/s/a & /#/s/b", "/svc=>2*/#/s/a & /#/s/b", "", "/svc", true},
		"a failover that is not needed":      {"/svc=>/#/s/a", "/svc=>/#/s/a | /#/s/b", "", "/svc", false},
		"a branch that nobody knows":         {"/svc=>/#/s/a", "/svc=>/#/s/z | /#/s/a", "", "/svc", false},
		"lost":                               {"/svc=>/#/s", "", "", "/svc/a", true},
		"found":                              {"", "/svc=>/#/s", "", "/svc/a", true},
		"never bound":                        {"", "/x=>/y", "", "/svc/a", false},
		"the name's own rules decide":        {"/svc=>/#/s", "/svc=>/$/fail", "/svc/a=>/#/s/b", "/svc/a", false},
		"the name's own rules lead to these": {"/h=>/#/s/a", "/h=>/#/s/b", "/svc=>/h", "/svc", true},
		"rules without end":                  {"/svc=>/#/s", "/svc=>/svc/x", "", "/svc/a", true},
	} {
		a := namerd.Active{Name: dtab.MustPath(row.path), Local: dtab.MustParse(row.local)}
		got := n.Preview(t.Context(), dtab.MustParse(row.before), dtab.MustParse(row.after), []namerd.Active{a})
		require.Len(t, got, 1)
		assert.Equal(t, row.differs, got[0].Differs(), name)
	}
}

func TestPreviewEndsWithoutAnswers(t *testing.T) {
	n := previewing(t)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	a := []namerd.Active{{Name: dtab.MustPath("/svc/a")}, {Name: dtab.MustPath("/#/s/b")}}
	got := n.Preview(ctx, dtab.MustParse("/svc=>/#/s"), dtab.MustParse("/svc=>/#/never"), a)
	require.Len(t, got, 2)
	assert.True(t, got[0].Before.Known)
	assert.True(t, got[0].After.Pending())
	assert.True(t, got[0].Differs())
	assert.False(t, got[1].Differs(), "what does not wait is answered all the same")
}

package editor

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/naming"
)

func TestDelete(t *testing.T) {
	w := newWorld(t)
	remove := func(c obj) (int, obj) { return w.do(t, http.MethodPost, "/namespace/delete.json", c) }
	for name, row := range map[string]struct {
		removal obj
		field   any
	}{
		"no version":         {obj{"namespace": "default"}, "version"},
		"not a version":      {obj{"namespace": "default", "version": "!"}, "version"},
		"a long reason":      {obj{"namespace": "default", "version": "AAAAAAAAAAE=", "reason": strings.Repeat("x", maxNote+1)}, "reason"},
		"control characters": {obj{"namespace": "default", "version": "AAAAAAAAAAE=", "author": "a\x00b"}, "author"},
		"another member":     {obj{"namespace": "default", "version": "AAAAAAAAAAE=", "dtab": ""}, nil},
	} {
		status, a := remove(row.removal)
		assert.Equal(t, http.StatusBadRequest, status, "%s: %v", name, a)
		assert.Equal(t, row.field, a["field"], name)
	}

	// Somebody has changed it since.
	_, err := w.store.Put(t.Context(), "default", dtab.MustParse("/a=>/b"), namerd.Note{Author: "Bob"})
	require.NoError(t, err)
	status, a := remove(obj{"namespace": "default", "version": "AAAAAAAAAAE="})
	assert.Equal(t, http.StatusPreconditionFailed, status)
	assert.Equal(t, []any{true, "/a => /b ;\n", "AAAAAAAAAAI="}, []any{a["exists"], a["dtab"], a["version"]})
	assert.Equal(t, "Bob", a["change"].(obj)["author"])
	s, err := w.store.Get(t.Context(), "default")
	require.NoError(t, err)
	assert.True(t, s.Exists, "nothing of that was done")

	status, a = remove(obj{"namespace": "default", "version": a["version"], "author": "Ada", "reason": "moved"})
	assert.Equal(t, http.StatusOK, status, a)
	assert.Equal(t, obj{"deleted": true}, a)
	s, err = w.store.Get(t.Context(), "default")
	require.NoError(t, err)
	assert.False(t, s.Exists)
	h, err := w.store.History(t.Context(), "default", 1)
	require.NoError(t, err)
	assert.True(t, h[0].Deleted)
	assert.Equal(t, namerd.Note{Author: "Ada", Reason: "moved"}, h[0].Note)

	// Somebody has deleted it since.
	status, a = remove(obj{"namespace": "default", "version": "AAAAAAAAAAI="})
	assert.Equal(t, http.StatusPreconditionFailed, status)
	assert.Equal(t, false, a["exists"])
}

// TestPreviewOfADeletion: a preview of no rules says what a deletion does.
func TestPreviewOfADeletion(t *testing.T) {
	w := newWorld(t)
	name := dtab.MustPath("/svc/web")
	bound := w.n.Bind(t.Context(), "default", nil, name)
	own := w.n.Bind(t.Context(), "default", dtab.MustParse("/svc=>/#/s"), name)
	_, a := w.do(t, http.MethodPost, "/namespace/preview.json", obj{"namespace": "default", "dtab": "", "names": true})
	changed := a["names"].(obj)["changed"].([]any)
	require.Len(t, changed, 1, "rules of its own keep a name")
	assert.Equal(t, []any{"/svc/web", nil, "lost"}, []any{changed[0].(obj)["name"], changed[0].(obj)["local"], changed[0].(obj)["kind"]})

	status, _ := w.do(t, http.MethodPost, "/namespace/delete.json", obj{"namespace": "default", "version": a["version"]})
	require.Equal(t, http.StatusOK, status)
	_, err := weft.Until(t.Context(), bound, func(s naming.State[namerd.Binding]) bool { return s.Known && s.Value.Tree.Op == dtab.Neg })
	require.NoError(t, err)
	after, err := weft.Until(t.Context(), own, func(s naming.State[namerd.Binding]) bool { return s.Known })
	require.NoError(t, err)
	assert.Equal(t, dtab.Leaf, after.Value.Tree.Op)
}

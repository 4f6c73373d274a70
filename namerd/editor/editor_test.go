package editor

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/memory"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/global"
	"github.com/weft-mesh/weft/naming/static"
)

type world struct {
	*Editor
	n     *namerd.Namerd
	store *memory.Store
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{store: memory.New(memory.Options{Namespaces: map[string]dtab.Dtab{
		"default": dtab.MustParse("/s=>/#/s;/svc=>/s"), "a/b": nil,
	}})}
	namer, err := static.New(static.Config{Prefix: dtab.MustPath("/#/s"), Names: map[string][]string{
		"web": {"127.0.0.1:1", "127.0.0.1:2"}, "v2": {"127.0.0.1:3"}, "empty": {},
	}})
	require.NoError(t, err)
	w.n, err = namerd.New(namerd.Options{Store: w.store, Namers: naming.Under(namer), Global: global.New(global.Options{}), Linger: -1})
	require.NoError(t, err)
	w.Editor = New(w.n, Options{MaxNames: 3, NamerBudget: time.Second})
	t.Cleanup(func() {
		assert.NoError(t, w.Editor.Close())
		assert.NoError(t, w.n.Close())
		assert.NoError(t, w.store.Close())
	})
	return w
}

func (w *world) do(t *testing.T, method, target string, body any) (status int, answer map[string]any) {
	t.Helper()
	text, err := json.Marshal(body)
	require.NoError(t, err)
	r := httptest.NewRequest(method, target, strings.NewReader(string(text))).WithContext(t.Context())
	r.Header.Set("Content-Type", "application/json")
	rec := httptest.NewRecorder()
	w.Handlers()[r.URL.Path].ServeHTTP(rec, r)
	require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &answer), rec.Body.String())
	return rec.Code, answer
}

type obj = map[string]any

func TestListAndShow(t *testing.T) {
	w := newWorld(t)
	w.n.Bind(t.Context(), "default", dtab.MustParse("/x=>/y"), dtab.MustPath("/svc/web"))
	status, a := w.do(t, http.MethodGet, "/namespaces.json", nil)
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, []any{obj{"name": "a/b", "active": 0.0}, obj{"name": "default", "active": 1.0}}, a["namespaces"])

	status, a = w.do(t, http.MethodGet, "/namespace.json?namespace=default", nil)
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, "/s => /#/s ;\n/svc => /s ;\n", a["dtab"])
	assert.Equal(t, "AAAAAAAAAAE=", a["version"], "as the ETag of the API")
	assert.Equal(t, []any{obj{"name": "/svc/web", "local": "/x=>/y"}}, a["active"])
	assert.Len(t, a["history"], 1)

	for target, want := range map[string]int{
		"/namespace.json?namespace=nope": 404, "/namespace.json": 404,
		"/namespace.json?namespace=default&wait=soon": 400, "/namespace.json?namespace=default&wait=-1s": 400,
	} {
		status, a = w.do(t, http.MethodGet, target, nil)
		assert.Equal(t, want, status, target)
		assert.NotEmpty(t, a["error"], target)
	}
	for _, path := range []string{"/namespace/preview.json", "/namespace/save.json", "/namespace/delete.json"} {
		status, _ = w.do(t, http.MethodGet, path, nil)
		assert.Equal(t, http.StatusMethodNotAllowed, status)
	}
}

func TestShowWaitsForAnotherVersion(t *testing.T) {
	w := newWorld(t)
	target := "/namespace.json?" + url.Values{"namespace": {"default"}, "version": {"AAAAAAAAAAE="}, "wait": {"20s"}}.Encode()
	answers := make(chan obj, 1)
	go func() {
		_, a := w.do(t, http.MethodGet, target, nil)
		answers <- a
	}()
	_, err := w.store.Put(t.Context(), "default", dtab.MustParse("/new=>/x"), namerd.Note{Author: "Bob"})
	require.NoError(t, err)
	a := <-answers
	assert.Equal(t, "/new => /x ;\n", a["dtab"])
	assert.Equal(t, "Bob", a["history"].([]any)[0].(obj)["author"])

	// One that waits in vain ends with the Editor.
	began := time.Now()
	target = "/namespace.json?" + url.Values{"namespace": {"default"}, "version": {a["version"].(string)}, "wait": {"20s"}}.Encode()
	time.AfterFunc(20*time.Millisecond, w.cancel)
	status, _ := w.do(t, http.MethodGet, target, nil)
	assert.Less(t, time.Since(began), 15*time.Second)
	assert.Contains(t, []int{http.StatusOK, http.StatusServiceUnavailable}, status)
}

func TestPreviewShowsRulesAndNames(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"/svc/web", "/svc/nope", "/s/web"} {
		w.n.Bind(t.Context(), "default", nil, dtab.MustPath(name))
	}
	ask := func(text string) (effects map[string]string, a obj) {
		status, a := w.do(t, http.MethodPost, "/namespace/preview.json", obj{"namespace": "default", "dtab": text, "names": true})
		require.Equal(t, http.StatusOK, status, a)
		names := a["names"].(obj)
		assert.Equal(t, []any{3.0, 3.0}, []any{names["active"], names["checked"]})
		effects = map[string]string{}
		for _, e := range names["changed"].([]any) {
			e := e.(obj)
			effects[e["name"].(string)] = e["kind"].(string) + ": " + e["before"].(obj)["text"].(string) + " -> " + e["after"].(obj)["text"].(string)
		}
		return effects, a
	}
	effects, a := ask("/s=>/#/s;/svc=>/s")
	assert.Empty(t, effects)
	assert.Equal(t, "AAAAAAAAAAE=", a["version"])

	effects, a = ask("/s=>/#/s;/svc=>/s;/svc=>9*/s/web & 1*/s/v2;/s/nope=>/#/s/v2")
	assert.Equal(t, map[string]string{
		"/svc/web":  "rerouted: /#/s/web -> 9.00*/#/s/web/web & /#/s/v2/web",
		"/svc/nope": "found: no such name -> 9.00*/#/s/web/nope & /#/s/v2/nope",
	}, effects)
	assert.Equal(t, "/s => /#/s ;\n/svc => /s ;\n/svc => 9.00*/s/web & /s/v2 ;\n/s/nope => /#/s/v2 ;\n", a["dtab"])
	goes := a["names"].(obj)["changed"].([]any)[1].(obj)["after"].(obj)["goes"].([]any)
	assert.InDelta(t, 0.9, goes[0].(obj)["share"], 1e-9)
	assert.Equal(t, []any{2.0, "bound"}, []any{goes[0].(obj)["endpoints"], goes[0].(obj)["addr"]})

	effects, _ = ask("/s=>/#/s;/svc=>/$/fail")
	assert.Equal(t, map[string]string{"/svc/web": "lost: /#/s/web -> explicit failure", "/svc/nope": "failing: no such name -> explicit failure"}, effects)

	w.n.Bind(t.Context(), "default", nil, dtab.MustPath("/z"))
	_, a = w.do(t, http.MethodPost, "/namespace/preview.json", obj{"namespace": "default", "dtab": "", "names": true})
	assert.Equal(t, []any{4.0, 3.0}, []any{a["names"].(obj)["active"], a["names"].(obj)["checked"]}, "bounded, and it says so")
	_, a = w.do(t, http.MethodPost, "/namespace/preview.json", obj{"namespace": "default", "dtab": ""})
	assert.NotContains(t, a, "names", "nobody asked")
}

func TestPreviewOfWhatIsWrong(t *testing.T) {
	w := newWorld(t)
	status, a := w.do(t, http.MethodPost, "/namespace/preview.json", obj{"namespace": "default", "dtab": "/a=>/b;\n/c=/d"})
	assert.Equal(t, http.StatusBadRequest, status)
	assert.Equal(t, obj{"error": "Invalid dtab: '>' expected but '/' found at '/a=>/b;\n/c=[/]d'", "field": "dtab", "line": 2.0, "column": 4.0, "offset": 11.0}, a)
	status, a = w.do(t, http.MethodPost, "/namespace/preview.json", obj{"namespace": "default", "dtab": "", "base": "x"})
	assert.Equal(t, http.StatusBadRequest, status)
	assert.Equal(t, "base", a["field"])
	status, a = w.do(t, http.MethodPost, "/namespace/preview.json", obj{"namespace": "new", "dtab": "/a=>/b"})
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, false, a["exists"])
}

func TestSave(t *testing.T) {
	w := newWorld(t)
	save := func(c obj) (int, obj) { return w.do(t, http.MethodPost, "/namespace/save.json", c) }
	status, a := save(obj{"namespace": "default", "dtab": "/a => /b", "version": "AAAAAAAAAAE=", "author": "Ada", "reason": "because"})
	require.Equal(t, http.StatusOK, status, a)
	assert.Equal(t, "AAAAAAAAAAI=", a["version"])
	s, err := w.store.Get(t.Context(), "default")
	require.NoError(t, err)
	assert.Equal(t, "/a=>/b", s.Dtab.Exact())
	h, err := w.store.History(t.Context(), "default", 1)
	require.NoError(t, err)
	assert.Equal(t, namerd.Note{Author: "Ada", Reason: "because"}, h[0].Note)

	status, a = save(obj{"namespace": "default", "dtab": "/mine => /x", "version": "AAAAAAAAAAE="})
	assert.Equal(t, http.StatusPreconditionFailed, status)
	assert.Equal(t, []any{true, "/a => /b ;\n", "AAAAAAAAAAI="}, []any{a["exists"], a["dtab"], a["version"]})
	assert.Equal(t, "Ada", a["change"].(obj)["author"])
	_, a = w.do(t, http.MethodPost, "/namespace/preview.json", obj{"namespace": "default", "dtab": "/s=>/#/s;/svc=>/s;/mine=>/x", "base": "/s=>/#/s;/svc=>/s"})
	assert.Equal(t, []any{0.0}, a["conflicts"])
	assert.Equal(t, "/a => /b ;\n/mine => /x ;\n", a["dtab"], "both, mine last")
	assert.Len(t, a["theirs"], 3)

	status, _ = save(obj{"namespace": "made", "dtab": "/a => /b"})
	assert.Equal(t, http.StatusOK, status)
	for name, row := range map[string]struct {
		change obj
		status int
		field  any
	}{
		"made already":       {obj{"namespace": "made", "dtab": ""}, 412, nil},
		"gone":               {obj{"namespace": "nope", "dtab": "", "version": "AAAAAAAAAAE="}, 412, nil},
		"no rules":           {obj{"namespace": "default", "dtab": "x", "version": "AAAAAAAAAAI="}, 400, "dtab"},
		"no version":         {obj{"namespace": "default", "dtab": "", "version": "!"}, 400, "version"},
		"a long reason":      {obj{"namespace": "default", "dtab": "", "version": "AAAAAAAAAAI=", "reason": strings.Repeat("x", maxNote+1)}, 400, "reason"},
		"control characters": {obj{"namespace": "default", "dtab": "", "version": "AAAAAAAAAAI=", "author": "a\x00b"}, 400, "author"},
		"no name":            {obj{"namespace": "", "dtab": ""}, 400, nil},
		"another member":     {obj{"namespace": "default", "dtba": ""}, 400, nil},
	} {
		status, a := save(row.change)
		assert.Equal(t, row.status, status, "%s: %v", name, a)
		assert.NotEmpty(t, a["error"], name)
		assert.Equal(t, row.field, a["field"], name)
	}
	s, err = w.store.Get(t.Context(), "default")
	require.NoError(t, err)
	assert.Equal(t, "/a=>/b", s.Dtab.Exact(), "nothing of that was made")
}

// down is a store that has failed.
type down struct{ namerd.Store }

func (down) Get(context.Context, string) (namerd.Stored, error) { return namerd.Stored{}, errDown }
func (down) List(context.Context) ([]string, error)             { return nil, errDown }
func (down) Update(context.Context, string, dtab.Dtab, namerd.Version, namerd.Note) (namerd.Version, error) {
	return "", errDown
}

func (down) Delete(context.Context, string, namerd.Version, namerd.Note) error { return errDown }

var errDown = errors.New("no connection")

func TestTheStoreIsDown(t *testing.T) {
	store := memory.New(memory.Options{})
	n, err := namerd.New(namerd.Options{Store: down{store}, Linger: -1})
	require.NoError(t, err)
	w := &world{Editor: New(n, Options{}), n: n}
	t.Cleanup(func() { _ = w.Editor.Close(); _ = n.Close(); _ = store.Close() })
	for _, target := range []string{"/namespaces.json", "/namespace.json?namespace=default"} {
		status, a := w.do(t, http.MethodGet, target, nil)
		assert.Equal(t, http.StatusServiceUnavailable, status)
		assert.Equal(t, "no connection", a["error"])
	}
	status, a := w.do(t, http.MethodPost, "/namespace/save.json", obj{"namespace": "default", "dtab": "", "version": "AAAAAAAAAAE="})
	assert.Equal(t, http.StatusServiceUnavailable, status)
	assert.Contains(t, a["error"], "may have been made or not")
	status, a = w.do(t, http.MethodPost, "/namespace/delete.json", obj{"namespace": "default", "version": "AAAAAAAAAAE="})
	assert.Equal(t, http.StatusServiceUnavailable, status)
	assert.Contains(t, a["error"], "may have been made or not")
	status, _ = w.do(t, http.MethodPost, "/namespace/preview.json", obj{"namespace": "default", "dtab": ""})
	assert.Equal(t, http.StatusServiceUnavailable, status)
}

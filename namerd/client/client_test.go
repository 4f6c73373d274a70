package client_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/client"
)

func TestReadsAndWrites(t *testing.T) {
	c := newWorld(t).client(t, client.Options{Note: namerd.Note{Author: "ye", Reason: "first\nreason ü"}})
	ctx := t.Context()

	names, err := c.List(ctx)
	require.NoError(t, err)
	assert.Equal(t, []string{"tlop", "yeezus"}, names)

	none, err := c.Get(ctx, "graduation")
	require.NoError(t, err)
	assert.Equal(t, namerd.Stored{}, none)

	v1, err := c.Create(ctx, "graduation", dtab.MustParse("/yeezy=>/kanye"))
	require.NoError(t, err)
	st, err := c.Get(ctx, "graduation")
	require.NoError(t, err)
	assert.Equal(t, namerd.Stored{Exists: true, Dtab: dtab.MustParse("/yeezy=>/kanye"), Version: v1}, st)
	assert.NotEmpty(t, v1)

	v2, err := c.WithNote(namerd.Note{Author: "west"}).Update(ctx, "graduation", dtab.MustParse("/yeezy=>/west"), v1)
	require.NoError(t, err)
	assert.NotEqual(t, v1, v2)
	v3, err := c.Put(ctx, "graduation", nil)
	require.NoError(t, err)
	st, err = c.Get(ctx, "graduation")
	require.NoError(t, err)
	assert.Equal(t, namerd.Stored{Exists: true, Version: v3}, st)

	require.ErrorIs(t, c.Delete(ctx, "graduation", v1), namerd.ErrMismatch)
	require.NoError(t, c.Delete(ctx, "graduation", v3))

	all, err := c.History(ctx, "graduation", 10)
	require.NoError(t, err)
	require.Len(t, all, 4)
	assert.True(t, all[0].Deleted)
	assert.Equal(t, []namerd.Version{"", v3, v2, v1}, []namerd.Version{all[0].Version, all[1].Version, all[2].Version, all[3].Version})
	assert.Equal(t, namerd.Note{Author: "west"}, all[2].Note)
	assert.Equal(t, namerd.Note{Author: "ye", Reason: "first reason ü"}, all[3].Note)
	some, err := c.History(ctx, "graduation", 2)
	require.NoError(t, err)
	assert.Equal(t, all[:2], some)
}

func TestRefusals(t *testing.T) {
	w := newWorld(t)
	c := w.client(t, client.Options{})
	ctx := t.Context()
	d := dtab.MustParse("/a=>/b")
	stale, err := client.ParseETag("AAAAAAAAAAk=")
	require.NoError(t, err)
	second := func(_ any, err error) error { return err }
	for _, row := range []struct {
		what string
		err  error
		is   error
		code int
	}{
		{"create twice", second(c.Create(ctx, "yeezus", d)), namerd.ErrExists, http.StatusConflict},
		{"update of another version", second(c.Update(ctx, "yeezus", d, stale)), namerd.ErrMismatch, http.StatusPreconditionFailed},
		{"update of none", second(c.Update(ctx, "nope", d, stale)), namerd.ErrMissing, http.StatusNotFound},
		{"delete of none", c.Delete(ctx, "nope", ""), namerd.ErrMissing, http.StatusNotFound},
		{"delete of another version", c.Delete(ctx, "yeezus", stale), namerd.ErrMismatch, http.StatusPreconditionFailed},
		{"update of no version", second(c.Update(ctx, "yeezus", d, "")), namerd.ErrMismatch, 0},
		{"the empty namespace: Get", second(c.Get(ctx, "")), namerd.ErrInvalid, 0},
		{"the empty namespace: Put", second(c.Put(ctx, "", d)), namerd.ErrInvalid, 0},
		{"the empty namespace: Delete", c.Delete(ctx, "", ""), namerd.ErrInvalid, 0},
		{"the empty namespace: History", second(c.History(ctx, "", 1)), namerd.ErrInvalid, 0},
		{"the empty namespace: Bind", second(c.Bind(ctx, "", nil, dtab.MustPath("/a"))), namerd.ErrInvalid, 0},
		{"the empty namespace: Edit", second(c.Edit(ctx, "", nil)), namerd.ErrInvalid, 0},
		{"edit of none", second(c.Edit(ctx, "nope", nil)), namerd.ErrMissing, 0},
	} {
		require.ErrorIs(t, row.err, row.is, row.what)
		refused, ok := errors.AsType[*client.StatusError](row.err)
		assert.Equal(t, row.code != 0, ok, row.what)
		if ok {
			assert.Equal(t, row.code, refused.Code, row.what)
			assert.NotEmpty(t, refused.Message, row.what)
		}
	}
	st, err := c.Get(ctx, "yeezus")
	require.NoError(t, err)
	assert.Equal(t, dtab.MustParse("/yeezy=>/yeezus"), st.Dtab)
	assert.Equal(t, "AAAAAAAAAAE=", client.ETag(st.Version))
}

func TestStatusError(t *testing.T) {
	for code, is := range map[int]error{
		400: namerd.ErrInvalid, 401: namerd.ErrForbidden, 403: namerd.ErrForbidden, 404: namerd.ErrMissing,
		409: namerd.ErrExists, 412: namerd.ErrMismatch, 413: namerd.ErrTooLarge,
	} {
		c := open(t, serve(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "because", code) }), client.Options{})
		_, err := c.List(t.Context())
		require.ErrorIs(t, err, is)
		assert.Contains(t, err.Error(), http.StatusText(code)+": because")
		assert.Contains(t, err.Error(), "GET http://127.0.0.1:")
	}
	denied := open(t, serve(t, func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "You do not have sufficient permissions: user x", http.StatusInternalServerError)
	}), client.Options{})
	_, err := denied.Create(t.Context(), "a", nil)
	require.ErrorIs(t, err, namerd.ErrForbidden)

	bare := open(t, serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("weft-error", "the reason")
		w.WriteHeader(http.StatusInternalServerError)
	}), client.Options{})
	_, err = bare.Create(t.Context(), "a", nil)
	require.ErrorContains(t, err, "500 Internal Server Error: the reason")
	assert.Nil(t, errors.Unwrap(err))
}

func TestNames(t *testing.T) {
	w := newWorld(t)
	c := w.client(t, client.Options{})
	ctx := t.Context()
	_, err := c.Put(ctx, "default", dtab.MustParse("/svc=>/#/static; /svc/split => 9 * /svc/web & 1 * /svc/web-v2"))
	require.NoError(t, err)

	tree, err := c.Bind(ctx, "default", nil, dtab.MustPath("/svc/split"))
	require.NoError(t, err)
	require.Equal(t, dtab.Union, tree.Op)
	require.Len(t, tree.Kids, 2)
	assert.InDelta(t, 9, tree.Kids[0].Weight, 0)
	for i, want := range []struct {
		id    string
		addrs []string
	}{{"/#/static/web", []string{"127.0.0.1:1", "127.0.0.1:2"}}, {"/#/static/web-v2", []string{"127.0.0.1:3"}}} {
		leaf := tree.Kids[i].Value
		assert.Equal(t, want.id, leaf.ID.String())
		st, _ := leaf.Addrs(ctx).Load()
		require.True(t, st.Known)
		var addrs []string
		for _, e := range st.Value.Endpoints {
			addrs = append(addrs, e.Addr)
		}
		assert.ElementsMatch(t, want.addrs, addrs)
	}

	override := dtab.MustParse("/svc/web=>/#/static/web-v2")
	set, err := c.Resolve(ctx, "default", override, dtab.MustPath("/svc/web"))
	require.NoError(t, err)
	require.Len(t, set.Endpoints, 1)
	assert.Equal(t, "127.0.0.1:3", set.Endpoints[0].Addr)
	set, err = c.Addr(ctx, "default", dtab.MustPath("/#/nobody/x"))
	require.NoError(t, err)
	assert.True(t, set.Neg)

	d, err := c.Delegate(ctx, "default", override, dtab.MustPath("/svc/web"))
	require.NoError(t, err)
	assert.Contains(t, d.Text(), "/#/static/web-v2")
	d, err = c.Delegate(ctx, "", dtab.MustParse("/foo=>/bar"), dtab.MustPath("/foo"))
	require.NoError(t, err)
	assert.Contains(t, d.Text(), "/bar")
	// One that would not fit into the first line of a request.
	var long dtab.Dtab
	for range 300 {
		long = append(long, override...)
	}
	d, err = c.Delegate(ctx, "default", long, dtab.MustPath("/svc/web"))
	require.NoError(t, err)
	assert.Contains(t, d.Text(), "/#/static/web-v2")
	d, err = c.Delegate(ctx, "", long, dtab.MustPath("/svc/web"))
	require.NoError(t, err)
	assert.Contains(t, d.Text(), "/#/static/web-v2")

	names, err := c.BoundNames(ctx)
	require.NoError(t, err)
	assert.NotNil(t, names)
}

// TestLinkerdsNamerd is what namerd 1.7.5 does otherwise.
func TestLinkerdsNamerd(t *testing.T) {
	c := open(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.Method + " " + r.URL.Path {
		case "GET /api/1/bound-names":
			_, _ = w.Write([]byte("[\"\"]\n"))
		case "GET /api/1/dtabs/quoted":
			w.Header().Set("ETag", `W/"AAAAAAAAAAE="`)
			_, _ = w.Write([]byte("[]\n"))
		case "GET /api/1/dtabs/foreign":
			w.Header().Set("ETag", `"!"`)
			_, _ = w.Write([]byte("[]\n"))
		case "PUT /api/1/dtabs/x", "POST /api/1/dtabs/x":
			w.WriteHeader(http.StatusNoContent)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}), client.Options{})
	ctx := t.Context()
	names, err := c.BoundNames(ctx)
	require.NoError(t, err)
	assert.Empty(t, names)
	_, err = c.History(ctx, "quoted", 10)
	require.ErrorIs(t, err, client.ErrNoHistory)
	st, err := c.Get(ctx, "quoted")
	require.NoError(t, err)
	assert.Equal(t, "AAAAAAAAAAE=", client.ETag(st.Version))
	_, err = c.Get(ctx, "foreign")
	require.EqualError(t, err, `the version "\"!\"" is not base64`)
	v, err := c.Put(ctx, "x", nil)
	require.NoError(t, err)
	assert.Empty(t, v)
}

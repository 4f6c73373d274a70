package httpapi_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/httpapi"
	"github.com/weft-mesh/weft/naming"
)

var errAway = errors.New("no route to the store")

func TestStoreIsAway(t *testing.T) {
	f := newFickle(t)
	s := serve(t, f, httpapi.Options{})
	tag := s.get(t, "/api/1/dtabs/default").header.Get("ETag")
	require.NotEmpty(t, tag)
	f.reads.Store(&errAway)

	// What is known is served, with the reason.
	for path, want := range map[string]string{
		"/api/1/dtabs":         "[\"default\"]\n",
		"/api/1/dtabs/default": "[{\"prefix\":\"/svc\",\"dst\":\"/#/n\"}]\n",
	} {
		a := s.get(t, path)
		assert.Equal(t, http.StatusOK, a.status)
		assert.Equal(t, want, a.body)
		assert.Equal(t, errAway.Error(), a.header.Get("weft-stale"))
	}
	assert.Equal(t, tag, s.get(t, "/api/1/dtabs/default").header.Get("ETag"))
	a := s.get(t, "/api/1/dtabs/other")
	assert.Equal(t, http.StatusNotFound, a.status)
	assert.Equal(t, errAway.Error(), a.header.Get("weft-stale"))
	a = s.get(t, "/api/1/history/default")
	assert.Equal(t, http.StatusServiceUnavailable, a.status)
	assert.Equal(t, "The store cannot be asked: no route to the store", a.body)

	f.reads.Store(nil)
	a = s.get(t, "/api/1/dtabs/default")
	assert.Equal(t, http.StatusOK, a.status)
	assert.Empty(t, a.header["Weft-Stale"])
}

func TestStoreWasNeverThere(t *testing.T) {
	f := newFickle(t)
	f.list = weft.Const[naming.State[[]string]]{V: naming.Failed[[]string](errAway)}
	f.dtabs = weft.Const[naming.State[namerd.Stored]]{V: naming.Failed[namerd.Stored](errAway)}
	f.reads.Store(&errAway)
	s := serve(t, f, httpapi.Options{})
	for _, path := range []string{
		"/api/1/dtabs", "/api/1/dtabs/default", "/api/1/history/default", "/api/1/dtabs?watch=true", "/api/1/dtabs/default?watch=true",
	} {
		a := s.get(t, path)
		assert.Equal(t, http.StatusServiceUnavailable, a.status, path)
		assert.Contains(t, a.body, errAway.Error(), path)
		assert.Contains(t, a.header.Get("weft-error"), errAway.Error(), path)
	}
	a := s.get(t, "/api/1/bind/default?path=/svc")
	assert.Equal(t, http.StatusInternalServerError, a.status)
	assert.Equal(t, errAway.Error(), a.body)
}

func TestStoreDoesNotAnswer(t *testing.T) {
	f := newFickle(t)
	f.hang.Store(true)
	s := serve(t, f, httpapi.Options{StoreBudget: 50 * time.Millisecond})
	a := s.get(t, "/api/1/dtabs/default")
	assert.Equal(t, http.StatusOK, a.status)
	assert.Equal(t, "context deadline exceeded", a.header.Get("weft-stale"))
}

// TestStoreForbids is vector 53 and the column Forbidden of 4.1.
func TestStoreForbids(t *testing.T) {
	var forbidden error = &namerd.Error{Is: namerd.ErrForbidden}
	f := newFickle(t)
	f.list = weft.Const[naming.State[[]string]]{V: naming.Failed[[]string](forbidden)}
	f.dtabs = weft.Const[naming.State[namerd.Stored]]{V: naming.Failed[namerd.Stored](forbidden)}
	f.reads.Store(&forbidden)
	f.writes.Store(&forbidden)
	s := serve(t, f, httpapi.Options{})
	for _, r := range []struct {
		method, path string
		status       int
		header       []string
	}{
		{http.MethodGet, "/api/1/dtabs", http.StatusForbidden, nil},
		{http.MethodGet, "/api/1/dtabs?watch=true", http.StatusForbidden, nil},
		{http.MethodGet, "/api/1/dtabs/default", http.StatusForbidden, nil},
		{http.MethodGet, "/api/1/dtabs/default?watch=true", http.StatusForbidden, nil},
		{http.MethodHead, "/api/1/dtabs/default", http.StatusForbidden, nil},
		{http.MethodGet, "/api/1/history/default", http.StatusForbidden, nil},
		{http.MethodPut, "/api/1/dtabs/default", http.StatusForbidden, nil},
		{http.MethodPut, "/api/1/dtabs/default", http.StatusInternalServerError, []string{"If-Match", "AAAAAAAAAAE="}},
		{http.MethodPost, "/api/1/dtabs/other", http.StatusInternalServerError, nil},
		{http.MethodDelete, "/api/1/dtabs/default", http.StatusInternalServerError, nil},
	} {
		a := s.send(t, r.method, r.path, "/a=>/b", append(r.header, "Content-Type", "application/dtab")...)
		assert.Equal(t, r.status, a.status, r)
		if r.method != http.MethodHead {
			assert.Equal(t, "You do not have sufficient permissions", a.body, r)
		}
	}
}

// TestWriteErrors are the statuses of what stores say.
func TestWriteErrors(t *testing.T) {
	f := newFickle(t)
	s := serve(t, f, httpapi.Options{})
	for is, status := range map[error]int{
		namerd.ErrExists:    http.StatusConflict,
		namerd.ErrMissing:   http.StatusNotFound,
		namerd.ErrMismatch:  http.StatusPreconditionFailed,
		namerd.ErrInvalid:   http.StatusBadRequest,
		namerd.ErrTooLarge:  http.StatusRequestEntityTooLarge,
		namerd.ErrForbidden: http.StatusInternalServerError,
	} {
		var err error = &namerd.Error{Is: is, Namespace: "ns", Detail: errors.New("because")}
		f.writes.Store(&err)
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete} {
			a := s.send(t, method, "/api/1/dtabs/ns", "/a=>/b", "Content-Type", "text/plain", "If-Match", "AAAAAAAAAAE=")
			assert.Equal(t, status, a.status, "%s: %v", method, is)
			assert.Equal(t, err.Error(), a.body)
			assert.Equal(t, err.Error(), a.header.Get("weft-error"))
		}
	}
	f.writes.Store(&errAway)
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete} {
		a := s.send(t, method, "/api/1/dtabs/ns", "/a=>/b", "Content-Type", "text/plain")
		assert.Equal(t, http.StatusInternalServerError, a.status)
		assert.Equal(t, "The store has failed, and the change may have been made or not: no route to the store", a.body)
	}
	f.writes.Store(nil)
	long := make([]byte, 2000)
	for i := range long {
		long[i] = 'x'
	}
	a := s.send(t, http.MethodPut, "/api/1/dtabs/ns", "/a=>/b", "Content-Type", "text/plain", "weft-reason", string(long))
	assert.Equal(t, http.StatusBadRequest, a.status)
	assert.Equal(t, "The header weft-reason is longer than 1024 bytes", a.body)
}

// TestAnyVersionIsTried: a * holds also if somebody else writes in between.
func TestAnyVersionIsTried(t *testing.T) {
	f := newFickle(t)
	s := serve(t, f, httpapi.Options{})
	others := 3
	f.got = func() {
		if others--; others >= 0 {
			_, err := f.Store.Put(t.Context(), "default", nil, namerd.Note{})
			assert.NoError(t, err)
		}
	}
	a := s.send(t, http.MethodPut, "/api/1/dtabs/default", "/a=>/b", "Content-Type", "text/plain", "If-Match", "*")
	assert.Equal(t, http.StatusNoContent, a.status, a.body)
	now, err := f.Store.Get(t.Context(), "default")
	require.NoError(t, err)
	assert.Equal(t, "/a=>/b", now.Dtab.String())
	// A list names versions, of which none is there any more.
	others = 1
	tag := s.get(t, "/api/1/dtabs/default").header.Get("ETag")
	a = s.send(t, http.MethodPut, "/api/1/dtabs/default", "/a=>/b", "Content-Type", "text/plain", "If-Match", `"`+tag+`", "AAAA"`)
	assert.Equal(t, http.StatusPreconditionFailed, a.status)
}

package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/httpapi"
	"github.com/weft-mesh/weft/namerd/store/memory"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/global"
	"github.com/weft-mesh/weft/naming/static"
)

// FuzzRequests: whatever is sent, nothing panics, nothing hangs, an error says what is
// wrong, and the store is not at fault. A 500 is about a name that cannot be bound.
func FuzzRequests(f *testing.F) {
	for _, seed := range []struct{ method, path, query, header, value, body string }{
		{"GET", "/api/1/dtabs", "", "Accept", "text/plain;q=0.9,,;,application/json", ""},
		{"GET", "/api/1/dtabs/yeezus", "watch=true", "Accept", "application/dtab", ""},
		{"HEAD", "/api/1/dtabs/yeezus", "", "", "", ""},
		{"POST", "/api/1/dtabs/x", "", "Content-Type", "application/json", `[{"prefix":"/a/*","dst":"/b & 0.1*/c | ~"}]`},
		{"POST", "/api/1/dtabs/x", "", "Content-Type", "application/json", `[null]`},
		{"PUT", "/api/1/dtabs/yeezus", "", "If-Match", `W/"AAAAAAAAAAE=", *`, "/a=>/b"},
		{"PUT", "/api/1/dtabs/a/b%2Fc", "", "Content-Type", "text/plain; x", "/a=>/b;#"},
		{"DELETE", "/api/1/dtabs/yeezus", "", "If-Match", "yolo", ""},
		{"GET", "/api/1/bind/yeezus", "path=/foo&dtab=/foo=>/%23/static/web;/svc=>/foo & /bar", "", "", ""},
		{"GET", "/api/1/bind/yeezus", "path=/a&dtab=/a=>/a", "", "", ""},
		{"GET", "/api/1/addr/x", "path=/$/fail", "", "", ""},
		{"GET", "/api/1/addr/x", "path=/%25/io.l5d.port/1/%23/static/web", "", "", ""},
		{"GET", "/api/1/resolve/x", "path=/%23/static/web&watch=1", "", "", ""},
		{"GET", "/api/1/delegate/yeezus", "path=/yeezy", "", "", ""},
		{"POST", "/api/1/delegate", "", "Content-Type", "application/json", `{"namespace":"yeezus","dtab":"/a=>/a","path":"/a"}`},
		{"GET", "/api/1/bound-names", "watch=t", "", "", ""},
		{"GET", "/api/1/history/yeezus", "limit=1", "", "", ""},
		{"OPTIONS", "*", "", "Origin", "null", ""},
		{"PUT", "/api/1/dtabs/yeezus", "", "Sec-Fetch-Site", "cross-site", ""},
		{"GET", "/api/1/bind/x", "path=%zz", "", "", ""},
	} {
		f.Add(seed.method, seed.path, seed.query, seed.header, seed.value, seed.body)
	}
	store := memory.New(memory.Options{Namespaces: map[string]dtab.Dtab{"yeezus": dtab.MustParse("/yeezy=>/yeezus")}})
	names, err := static.New(static.Config{Names: map[string][]string{"web": {"127.0.0.1:1"}}})
	require.NoError(f, err)
	n, err := namerd.New(namerd.Options{Store: store, Namers: naming.Under(names), Global: global.New(global.Options{}), Linger: time.Second})
	require.NoError(f, err)
	h := httpapi.New(n, httpapi.Options{})
	f.Cleanup(func() {
		h.Close()
		n.Close()
		store.Close()
	})
	f.Fuzz(func(t *testing.T, method, path, query, header, value, body string) {
		u := &url.URL{Path: path, RawQuery: query}
		r, err := http.NewRequestWithContext(t.Context(), method, u.String(), strings.NewReader(body))
		if err != nil {
			t.Skip("net/http would refuse it")
		}
		r.URL.RawQuery = query
		r.RequestURI = path
		if header != "" {
			r.Header[http.CanonicalHeaderKey(header)] = []string{value}
		}
		// A name may have no answer, and watches go on.
		ctx, cancel := contextWithin(t, 300*time.Millisecond)
		defer cancel()
		w := httptest.NewRecorder()
		began := time.Now()
		h.ServeHTTP(w, r.WithContext(ctx))
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("it took %s", took)
		}
		message := w.Header().Get("weft-error")
		switch {
		case w.Code >= 400 && message == "":
			t.Errorf("%d without a message", w.Code)
		case w.Code == http.StatusInternalServerError && !aboutNames(r):
			t.Errorf("500: %s", w.Body)
		case w.Code > http.StatusInternalServerError && w.Code != http.StatusServiceUnavailable:
			t.Errorf("%d: %s", w.Code, w.Body)
		case strings.ContainsAny(message, "\r\n"):
			t.Errorf("a header with a line break: %q", message)
		}
	})
}

// aboutNames reports whether a request can fail because its name cannot be bound.
func aboutNames(r *http.Request) bool {
	return slices.ContainsFunc([]string{"bind", "addr", "resolve", "delegate"}, func(api string) bool {
		return strings.HasPrefix(r.URL.Path, "/api/1/"+api) || strings.HasPrefix(r.RequestURI, "/api/1/"+api)
	})
}

package meshhttp_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// TestIdentifiers sends every request through the mesh and looks at the name and
// the URI that arrive. The ids are those of the specification.
func TestIdentifiers(t *testing.T) {
	mah := func(pfx string, uri bool) meshhttp.Identifier {
		return meshhttp.MethodAndHost{Prefix: dtab.MustPath(pfx), URI: uri}
	}
	segs := func(n int, consume bool) meshhttp.Identifier {
		return meshhttp.PathSegments{Prefix: dtab.MustPath("/http"), N: n, Consume: consume}
	}
	svc := dtab.MustPath("/svc")
	list := meshhttp.Chain{meshhttp.MethodAndHost{Prefix: svc}, meshhttp.PathSegments{Prefix: svc}}
	header := meshhttp.HeaderPath{Prefix: dtab.MustPath("/http"), Header: "my-header"}
	rows := []struct {
		id   string
		by   meshhttp.Identifier
		call call
		path string // empty: 400
		uri  string // as the downstream gets it; empty: as it was sent
	}{
		{"V5", mah("/https", false), call{host: "DoMaiN", uri: "/some/path?other=stuff"}, "/https/1.1/GET/domain", ""},
		{"V6, I02", mah("/https", true), call{host: "domain", uri: "/some/path?other=stuff"}, "/https/1.1/GET/domain/some/path", ""},
		{"V8, I03", mah("/prefix", false), call{method: "POST", uri: "/drum/bass", proto: "HTTP/1.0"}, "/prefix/1.0/POST", ""},
		{"V9, I03", mah("/prefix", true), call{method: "POST", uri: "/drum/bass", proto: "HTTP/1.0"}, "/prefix/1.0/POST/drum/bass", ""},
		{"I04", mah("/https", false), call{uri: "/"}, "", ""},
		{"root adds nothing", mah("/https", true), call{host: "d"}, "/https/1.1/GET/d", ""},
		{"V10", nil, call{host: "host.com", uri: "/one/two/three"}, "/svc/host.com", ""},
		{"port and case kept", nil, call{host: "Web:8080"}, "/svc/Web:8080", ""},
		{"V11", list, call{host: "host.com", uri: "/one/two"}, "/svc/1.1/GET/host.com", ""},
		{"V12", list, call{uri: "/one/two"}, "/svc/one", ""},
		{"V13", header, call{host: "h", header: []string{"my-header: /a/b/c"}}, "/http/a/b/c", ""},
		{"V15 missing", header, call{host: "h"}, "", ""},
		{"V15 empty", header, call{host: "h", header: []string{"my-header:"}}, "", ""},
		{"no path", header, call{host: "h", header: []string{"my-header: a b"}}, "", ""},
		{"V16, I05", segs(2, false), call{host: "h", uri: "/mysvc?other=stuff"}, "", ""},
		{"V17, I05", segs(2, false), call{host: "h", uri: "/mysvc/subsvc/some/path?other=stuff"}, "/http/mysvc/subsvc", ""},
		{"V18, I05", segs(2, false), call{host: "h", uri: "/mysvc/subsvc/!"}, "/http/mysvc/subsvc", ""},
		{"V19", segs(2, false), call{host: "h", uri: "/mysvc/subsvc/path1/"}, "/http/mysvc/subsvc", ""},
		{"V20", segs(2, true), call{host: "h", uri: "/mysvc/subsvc/some/path?other=stuff"}, "/http/mysvc/subsvc", "/some/path?other=stuff"},
		{"I06", segs(2, true), call{host: "h", uri: "/mysvc/subsvc"}, "/http/mysvc/subsvc", "/"},
		{"V22, I06", segs(2, true), call{host: "h", uri: "/mysvc/subsvc/"}, "/http/mysvc/subsvc", "/"},
		{"V23, I06", segs(2, true), call{host: "h", uri: "/mysvc/subsvc/path1/"}, "/http/mysvc/subsvc", "/path1/"},
		{"V24", segs(2, true), call{host: "h", uri: "/mysvc/subsvc/path1/path2"}, "/http/mysvc/subsvc", "/path1/path2"},
		{"V25", segs(2, true), call{host: "h", uri: "/mysvc/subsvc/path1/path2/"}, "/http/mysvc/subsvc", "/path1/path2/"},
		{"V26", segs(2, true), call{host: "h", uri: "/mysvc/subsvc/path1/?foo=bar"}, "/http/mysvc/subsvc", "/path1/?foo=bar"},
		{"V27, I06", segs(2, true), call{host: "h", uri: "/mysvc/subsvc/path1?foo=bar/"}, "/http/mysvc/subsvc", "/path1?foo=bar/"},
		{"I07", segs(1, true), call{host: "h", uri: "/mysvc?other=stuff"}, "/http/mysvc", "/?other=stuff"},
		{"V29, I07", segs(1, true), call{host: "h", uri: "/mysvc/?other=stuff"}, "/http/mysvc", "/?other=stuff"},
		{"not decoded", segs(1, true), call{host: "h", uri: "/my%2Fsvc/a%2Fb%20c?x=%26"}, "/http/my%2Fsvc", "/a%2Fb%20c?x=%26"},
		{"static", meshhttp.Static{Prefix: svc, Path: dtab.MustPath("/all")}, call{host: "h"}, "/svc/all", ""},
		{"empty list", meshhttp.Chain{}, call{host: "h"}, "", ""},
	}
	for _, r := range rows {
		t.Run(r.id, func(t *testing.T) {
			s := setup{rules: "/svc=>/#/w/ds; /https=>/#/w/ds; /http=>/#/w/ds; /prefix=>/#/w/ds"}
			s.mesh.Identifier = r.by
			onAllFaces(t, s, func(w *world, do func(call) reply) {
				t := w.t
				ds := w.serve("ds", nil)
				resp := do(r.call)
				if r.path == "" {
					assert.Equal(t, 400, resp.StatusCode, resp.body)
					assert.Contains(t, resp.body, "Unknown destination: Request(\""+r.call.withDefaults().method+" "+r.call.withDefaults().uri)
					assert.NotEmpty(t, resp.Header.Get("l5d-err"))
					assert.Empty(t, ds.requests())
					return
				}
				assert.Equal(t, 200, resp.StatusCode, resp.body)
				got := ds.last(t)
				assert.Equal(t, r.path, got.Header.Get("l5d-dst-service"))
				want := r.uri
				if want == "" {
					want = r.call.withDefaults().uri
				}
				assert.Equal(t, want, got.RequestURI)
			})
		})
	}
}

// TestMalformedNames is about requests that an identifier understands and cannot
// make a name of.
func TestMalformedNames(t *testing.T) {
	t.Run("V30", func(t *testing.T) {
		s := setup{mesh: meshhttp.Options{Identifier: meshhttp.PathSegments{Prefix: dtab.MustPath("/svc")}}}
		onAllFaces(t, s, func(w *world, do func(call) reply) {
			t := w.t
			resp := do(call{host: "h", uri: "//x"})
			assert.Equal(t, 502, resp.StatusCode)
			assert.Equal(t, "requirement failed", resp.body)
		})
	})
	t.Run("methodAndHost with a bad URI", func(t *testing.T) {
		s := setup{mesh: meshhttp.Options{Identifier: meshhttp.MethodAndHost{Prefix: dtab.MustPath("/svc"), URI: true}}}
		onAllFaces(t, s, func(w *world, do func(call) reply) {
			t := w.t
			for _, uri := range []string{"/a/", "/a//b"} {
				assert.Equal(t, 502, do(call{host: "h", uri: uri}).StatusCode, uri)
			}
		})
	})
}

// TestURIsAreNotRespelled is about what package url would write in another way.
func TestURIsAreNotRespelled(t *testing.T) {
	for _, uri := range []string{
		"/", "/?", "/a?", "/a%2fb", "/a%2Fb", "/a|b", "/a\"b", "/a^b`c", "/%7Efoo", "/~foo", "/a;b=c,d", "/a?x=R%26D", "/a?x=|\"",
		"/foo?text=hello%20world", "/a//b", "//a/b", "/[x]",
	} {
		t.Run(uri, func(t *testing.T) {
			for _, f := range faces()[1:] {
				inWorld(t, setup{}, func(w *world) {
					t := w.t
					ds := w.serve("h", nil)
					assert.Equal(t, 200, f.do(t, w, call{host: "h", uri: uri}).StatusCode)
					assert.Equal(t, uri, ds.last(t).RequestURI, f.name)
				})
			}
		})
	}
}

package meshh2_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/transport/meshh2"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

func TestIdentifiers(t *testing.T) {
	svc, pfx := dtab.MustPath("/svc"), dtab.MustPath("/pfx")
	token := meshh2.HeaderToken{Prefix: svc}
	path := func(n int) meshh2.Identifier { return meshh2.HeaderPath{Prefix: pfx, Segments: n} }
	for _, row := range []struct {
		id   string
		by   meshh2.Identifier
		in   *meshh2.Head
		want string // a path, or the reason
	}{
		{"V104", token, head(":authority", "dog"), "/svc/dog"},
		{"token keeps case and port", token, head(":authority", "Web:80"), "/svc/Web:80"},
		{"token is one segment", token, head(":authority", "a/b"), `/svc/\x61\x2f\x62`},
		{"token missing", token, head(":path", "/"), "missing header: ':authority'"},
		{"token empty", token, head(":authority", ""), "missing header: ':authority'"},
		{"token of another header", meshh2.HeaderToken{Prefix: svc, Header: "my-header"}, head(":authority", "dog", "my-header", "cat"), "/svc/cat"},
		{"token of a header spelled otherwise", meshh2.HeaderToken{Prefix: svc, Header: "My-Header"}, head("my-header", "cat"), "/svc/cat"},
		{"token of another header missing", meshh2.HeaderToken{Prefix: svc, Header: "my-header"}, head(":authority", "dog"), "missing header: 'my-header'"},
		{"token at the root", meshh2.HeaderToken{}, head(":authority", "dog"), "/dog"},
		{"V125 all", path(0), head(":path", "/one/two"), "/pfx/one/two"},
		{"V125 one", path(1), head(":path", "/one/two"), "/pfx/one"},
		{"V125 query", path(0), head(":path", "/one/two/?three=four"), "/pfx/one/two"},
		{"path of gRPC", path(0), head(":path", "/pkg.Service/Method"), "/pfx/pkg.Service/Method"},
		{"path of gRPC, service", path(1), head(":path", "/pkg.Service/Method"), "/pfx/pkg.Service"},
		{"path exactly long enough", path(2), head(":path", "/one/two"), "/pfx/one/two"},
		{"path too short", path(3), head(":path", "/one/two/"), "Path must have at least 3 segment(s)"},
		{"path too short by far", path(1), head(":path", "/"), "Path must have at least 1 segment(s)"},
		{"path missing, segments", path(2), head(":method", "GET"), "Path must have at least 2 segment(s)"},
		{"path missing", path(0), head(":method", "GET"), "Missing destination path"},
		{"path empty", path(0), head(":path", "/"), "Missing destination path"},
		{"path of query only", path(0), head(":path", "/?a=/b"), "Missing destination path"},
		{"path of another header", meshh2.HeaderPath{Prefix: pfx, Header: "l5d-name"}, head(":path", "/x", "l5d-name", "/a/b"), "/pfx/a/b"},
		{"path with what no path has, after the segments", path(1), head(":path", "/users/~me"), "/pfx/users"},
		{"path with escapes", path(0), head(":path", `/a\x2fb`), `/pfx/\x61\x2f\x62`},
		{"asterisk", path(1), head(":path", "*"), "Path must have at least 1 segment(s)"},
		{"chain", meshh2.Chain{path(3), token}, head(":path", "/one", ":authority", "dog"), "/svc/dog"},
		{"chain, first", meshh2.Chain{path(1), token}, head(":path", "/one", ":authority", "dog"), "/pfx/one"},
		{"chain, none", meshh2.Chain{path(3), token}, head(":path", "/one"), "missing header: ':authority'"},
		{"chain, empty", meshh2.Chain{}, head(":path", "/one"), "empty identifier list"},
	} {
		t.Run(row.id, func(t *testing.T) {
			before := pairs(row.in.Fields)
			p, err := row.by.Identify(row.in)
			assert.Equal(t, before, pairs(row.in.Fields), "it is not changed")
			if err != nil {
				var un *meshhttp.Unidentified
				require.ErrorAs(t, err, &un)
				assert.Equal(t, row.want, un.Reason)
				return
			}
			assert.Equal(t, row.want, p.String())
		})
	}
}

func TestUnreadablePathIsUnidentified(t *testing.T) {
	for _, in := range []string{"/a~b", "//a", "/a//b", "http://x/y", "/a\\"} {
		_, err := meshh2.HeaderPath{}.Identify(head(":path", in))
		var un *meshhttp.Unidentified
		require.ErrorAs(t, err, &un, in)
		var syntax *dtab.SyntaxError
		assert.ErrorAs(t, err, &syntax, "%s: with the parser's message", in)
	}
}

type broken struct{}

var errBroken = errors.New("broken")

func (broken) Identify(*meshh2.Head) (dtab.Path, error) { return dtab.Path{}, errBroken }

func TestChainEndsAtAnyOtherError(t *testing.T) {
	_, err := meshh2.Chain{broken{}, meshh2.HeaderToken{}}.Identify(head(":authority", "dog"))
	assert.ErrorIs(t, err, errBroken)
}

package meshhttp

import (
	"bufio"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
)

// FuzzEncodeErr: what comes out can be in a header, is within the limit, and says
// what went in as far as ISO-8859-1 can.
func FuzzEncodeErr(f *testing.F) {
	f.Add("foo\nbar", 0)
	f.Add("a b/\u00fc\u20ac%", 10)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		got := encodeErr(text, limit)
		if limit <= 0 {
			limit = 8 << 10
		}
		require.LessOrEqual(t, len(got), limit)
		for i := range len(got) {
			c := got[i]
			require.True(t, c > ' ' && c < 0x7f, "%q", got)
		}
		raw, err := url.QueryUnescape(got)
		require.NoError(t, err, "no half escapes")
		if len(text)*3 < limit && strings.IndexFunc(text, func(r rune) bool { return r > 0x7f }) < 0 {
			require.Equal(t, text, raw)
		}
	})
}

// FuzzStripHopByHop: nothing that concerns one connection is left, nothing that is
// not named goes, and a second time changes nothing.
func FuzzStripHopByHop(f *testing.F) {
	f.Add("Connection: close, foo\r\nFoo: bar\r\nX: y\r\n")
	f.Add("connection: ,,keep-alive\r\nConnection: x\r\nTE: trailers\r\n")
	f.Fuzz(func(t *testing.T, head string) {
		mime, _ := textproto.NewReader(bufio.NewReader(strings.NewReader(head + "\r\n"))).ReadMIMEHeader()
		h := http.Header(mime)
		if h == nil {
			return
		}
		before := h.Clone()
		stripHopByHop(h)
		named := ""
		if c := before["Connection"]; len(c) > 0 {
			named = "," + strings.ToLower(c[0]) + ","
		}
		for name := range before {
			_, kept := h[name]
			switch name {
			case "Connection", "Te", "Upgrade", "Trailer", "Transfer-Encoding", "Proxy-Authenticate", "Proxy-Authorization":
				require.False(t, kept, name)
			default:
				require.True(t, kept || strings.Contains(named, strings.ToLower(name)), name)
			}
		}
		after := h.Clone()
		stripHopByHop(h)
		require.Equal(t, after, h)
	})
}

// FuzzIdentifiers: no request makes an identifier panic, what it finds is a name
// under its prefix, and what it makes of the URI can be sent.
func FuzzIdentifiers(f *testing.F) {
	f.Add("GET", "/a/b?c", "host", "/x/y")
	f.Add("POST", "//x", "", "")
	f.Add("BREW", "*", "h:1", "a b")
	f.Fuzz(func(t *testing.T, method, uri, host, header string) {
		u, err := url.ParseRequestURI(uri)
		if err != nil {
			return
		}
		pfx := dtab.MustPath("/svc")
		req := &http.Request{Method: method, URL: u, RequestURI: uri, Host: host, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"L5d-Name": {header}}}
		all := []Identifier{
			HeaderToken{Prefix: pfx},
			HeaderPath{Prefix: pfx},
			MethodAndHost{Prefix: pfx, URI: true},
			PathSegments{Prefix: pfx},
			PathSegments{Prefix: pfx, N: 3, Consume: true},
			Static{Prefix: pfx, Path: pfx},
		}
		all = append(all, Chain(all))
		for _, r := range []*http.Request{req, originForm(req), clientForm(req)} {
			for _, i := range all {
				id, err := i.Identify(r)
				if err != nil {
					require.NotEmpty(t, err.Error())
					continue
				}
				require.Equal(t, "svc", id.Path.Elem(0))
				out := outgoingURL(r, id.URI)
				require.NotEmpty(t, out.RequestURI())
			}
		}
	})
}

// FuzzOutgoingURL: a URI arrives as it was sent.
func FuzzOutgoingURL(f *testing.F) {
	for _, uri := range []string{"/", "/a%2fb?x=%26", "/a|b", "//a", "/?", "/%7e"} {
		f.Add(uri)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		u, err := url.ParseRequestURI(uri)
		if err != nil || !strings.HasPrefix(uri, "/") || !ascii(uri) || strings.Contains(uri, "#") && strings.HasPrefix(uri, "//") {
			return
		}
		out := outgoingURL(&http.Request{URL: u, RequestURI: uri}, "")
		if strings.HasPrefix(uri, "//") {
			assert.True(t, strings.HasPrefix(out.RequestURI(), "/"))
			return
		}
		require.Equal(t, uri, out.RequestURI())
	})
}

package apitest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

const (
	leafFoo = `{"type":"leaf","bound":{"addr":{"type":"bound","addrs":[{"ip":"127.0.0.1","port":1,"meta":{}}],"meta":{}},"id":"/#/io.l5d.namer/foo","path":"/"}}`
	leafBar = `{"type":"leaf","bound":{"addr":{"type":"bound","addrs":[],"meta":{}},"id":"/#/io.l5d.namer/bar","path":"/"}}`
	neg     = `{"type":"neg"}`
	one     = `{"type":"bound","addrs":[{"ip":"127.0.0.1","port":1,"meta":{}}],"meta":{}}`
	two     = `{"type":"bound","addrs":[{"ip":"127.0.0.1","port":1,"meta":{}},{"ip":"127.0.0.1","port":2,"meta":{}}],"meta":{}}`
)

// set sets the endpoints of a name of the namer.
func (s *site) set(t *testing.T, name string, addrs ...string) {
	t.Helper()
	require.NoError(t, s.namer.Set(name, addrs...))
}

// inUnion adds the weights of branches to the metadata of the sets in them.
func inUnion(tree string, weights ...string) string {
	for _, w := range weights {
		tree = strings.Replace(tree, `],"meta":{}}`, `],"meta":{"namer_nametree_weight":`+w+`}}`, 1)
	}
	return tree
}

func watching() []row {
	return []row{
		{"4", "the list", func(t *testing.T, s *site) {
			t.Helper()
			l := s.watch(t, "/api/1/dtabs?watch=true")
			assert.Equal(t, typeJSON, l.header.Get("Content-Type"))
			l.until(t, `["tlop","yeezus"]`)
			s.put(t, "graduation", "")
			l.next(t, `["graduation","tlop","yeezus"]`)
			s.send(t, http.MethodDelete, "/api/1/dtabs/tlop", "")
			l.next(t, `["graduation","yeezus"]`)
		}},
		{"12", "a dtab", func(t *testing.T, s *site) {
			t.Helper()
			l := s.watch(t, "/api/1/dtabs/yeezus?watch=true")
			assert.Equal(t, typeJSON, l.header.Get("Content-Type"))
			assert.Empty(t, l.header["Etag"])
			l.until(t, `[{"prefix":"/yeezy","dst":"/yeezus"}]`)
			s.put(t, "yeezus", kanyeText)
			l.next(t, kanyeJSON)
		}},
		{"12", "a dtab as text", func(t *testing.T, s *site) {
			t.Helper()
			l := s.watch(t, "/api/1/dtabs/yeezus?watch=T", "Accept", typeDtab)
			assert.Equal(t, typeDtab, l.header.Get("Content-Type"))
			l.until(t, "/yeezy=>/yeezus")
			s.put(t, "yeezus", kanyeText)
			l.next(t, kanyeText)
		}},
		{"d", "a dtab that comes, goes and comes", func(t *testing.T, s *site) {
			t.Helper()
			l := s.watch(t, "/api/1/dtabs/graduation?watch=1", "Accept", typeText)
			s.put(t, "graduation", "/a=>/b")
			l.next(t, "/a=>/b")
			a := s.send(t, http.MethodDelete, "/api/1/dtabs/graduation", "")
			assert.Equal(t, http.StatusNoContent, a.status)
			s.put(t, "graduation", "/a=>/c")
			l.next(t, "/a=>/c")
		}},
		{"d", "watch is something else", func(t *testing.T, s *site) {
			t.Helper()
			assert.Equal(t, "[\"tlop\",\"yeezus\"]\n", s.get(t, "/api/1/dtabs?watch=yes").body)
		}},
		{"36", "bind: leaf, neg, another leaf", func(t *testing.T, s *site) {
			t.Helper()
			s.set(t, "foo", "127.0.0.1:1")
			s.set(t, "bar")
			s.put(t, "default", "/foo=>/#/io.l5d.namer/foo")
			l := s.watch(t, "/api/1/bind/default?path=/foo&watch=true")
			assert.Empty(t, l.header["Content-Type"])
			l.until(t, leafFoo)
			s.put(t, "default", "")
			l.next(t, neg)
			s.put(t, "default", "/foo=>/#/io.l5d.namer/bar")
			l.next(t, leafBar)
		}},
		{"36", "bind waits for endpoints", func(t *testing.T, s *site) {
			t.Helper()
			require.NoError(t, s.namer.SetState("late", naming.State[weft.EndpointSet]{}))
			s.set(t, "bar")
			s.put(t, "default", "/foo=>/#/io.l5d.namer/bar")
			l := s.watch(t, "/api/1/bind/default?path=/foo&watch=true")
			l.until(t, leafBar)
			s.put(t, "default", "/foo=>0.9 * /#/io.l5d.namer/late & 0.1 * /#/io.l5d.namer/bar")
			s.set(t, "late", "127.0.0.1:1")
			l.next(t, inUnion(`{"type":"union","union":[`+
				`{"weight":0.9,"tree":{"type":"leaf","bound":{"addr":`+one+`,"id":"/#/io.l5d.namer/late","path":"/"}}},`+
				`{"weight":0.1,"tree":`+leafBar+`}]}`, "0.9", "0.1"))
		}},
		{"40", "addr: one, two, neg, one", func(t *testing.T, s *site) {
			t.Helper()
			s.set(t, "foo", "127.0.0.1:1")
			l := s.watch(t, "/api/1/addr/default?path=/#/io.l5d.namer/foo&watch=true")
			assert.Empty(t, l.header["Content-Type"])
			l.next(t, one)
			s.set(t, "foo", "127.0.0.1:1", "127.0.0.1:2")
			l.next(t, two)
			require.NoError(t, s.namer.Remove("foo"))
			l.next(t, neg)
			s.set(t, "foo", "127.0.0.1:1")
			l.next(t, one)
		}},
		{"44", "resolve: one, two, neg", func(t *testing.T, s *site) {
			t.Helper()
			s.set(t, "foo", "127.0.0.1:1")
			s.put(t, "default", "/foo=>/#/io.l5d.namer/foo")
			l := s.watch(t, "/api/1/resolve/default?path=/foo&watch=true")
			assert.Equal(t, typeJSON, l.header.Get("Content-Type"))
			l.until(t, one)
			s.set(t, "foo", "127.0.0.1:1", "127.0.0.1:2")
			l.next(t, two)
			require.NoError(t, s.namer.Remove("foo"))
			l.next(t, neg)
		}},
	}
}

package apitest

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

func names() []row {
	bad := func(path, message string) func(*testing.T, *site) {
		return func(t *testing.T, s *site) {
			t.Helper()
			a := s.get(t, path)
			assert.Equal(t, http.StatusBadRequest, a.status)
			assert.Contains(t, a.body, message)
		}
	}
	const invalid, missing = "Invalid path: '/' expected but 'i' found at '[i]nvalid'", "Invalid path: the parameter path is missing"
	const badDtab = "Invalid dtab: '/' expected but 'i' found at '[i]nvalid'"
	return []row{
		{"33", "bind", func(t *testing.T, s *site) {
			t.Helper()
			s.set(t, "foo", "127.0.0.1:1")
			s.put(t, "default", "/foo=>/#/io.l5d.namer/foo")
			a := s.eventually(t, "/api/1/bind/default?path=/foo", leafFoo+"\n")
			assert.Equal(t, http.StatusOK, a.status)
			assert.Empty(t, a.header["Content-Type"])
		}},
		{"34", "bind with metadata", func(t *testing.T, s *site) {
			t.Helper()
			s.withMeta(t)
			s.put(t, "default", "/foo=>/#/io.l5d.namer/foo")
			s.eventually(t, "/api/1/bind/default?path=/foo/x", `{"type":"leaf","bound":{"addr":`+withMeta+`,"id":"/#/io.l5d.namer/foo","path":"/x"}}`+"\n")
		}},
		{"35", "bind with rules in the request, which win", func(t *testing.T, s *site) {
			t.Helper()
			s.set(t, "foo", "127.0.0.1:1")
			s.set(t, "bar")
			s.put(t, "default", "/foo=>/#/io.l5d.namer/foo")
			s.eventually(t, "/api/1/bind/default?path=/foo", leafFoo+"\n")
			a := s.get(t, "/api/1/bind/default?path=/foo&dtab=/bar=>/#/io.l5d.namer/bar;/foo=>/bar")
			assert.Equal(t, leafBar+"\n", a.body)
		}},
		{"35", "bind in a namespace that does not exist", func(t *testing.T, s *site) {
			t.Helper()
			assert.Equal(t, answerOf(http.StatusOK, neg+"\n"), s.get(t, "/api/1/bind/nope?path=/foo").brief())
		}},
		{"38", "bind of an invalid path", bad("/api/1/bind/default?path=invalid", invalid)},
		{"38", "bind of no path", bad("/api/1/bind/default", missing)},
		{"38", "bind with an invalid dtab", bad("/api/1/bind/default?path=/a&dtab=invalid", badDtab)},
		{"38", "bind with an invalid query", bad("/api/1/bind/default?path=/a&dtab=%zz", "Invalid query")},
		{"39", "addr", func(t *testing.T, s *site) {
			t.Helper()
			s.set(t, "foo", "127.0.0.1:1")
			a := s.get(t, "/api/1/addr/default?path=/#/io.l5d.namer/foo")
			assert.Equal(t, answerOf(http.StatusOK, one+"\n"), a.brief())
			assert.Empty(t, a.header["Content-Type"])
			a = s.get(t, "/api/1/addr/default?path=/%25/io.l5d.port/1/#/io.l5d.namer/foo")
			assert.Equal(t, one+"\n", a.body)
		}},
		{"41", "addr of a namer that there is not", func(t *testing.T, s *site) {
			t.Helper()
			assert.Equal(t, answerOf(http.StatusOK, neg+"\n"), s.get(t, "/api/1/addr/default?path=/#/io.l5d.other/foo").brief())
		}},
		{"42", "addr of an invalid path", bad("/api/1/addr/default?path=invalid", invalid)},
		{"42", "addr of no path", bad("/api/1/addr/default", missing)},
		{"43", "resolve", func(t *testing.T, s *site) {
			t.Helper()
			s.withMeta(t)
			s.put(t, "default", "/foo=>/#/io.l5d.namer/foo")
			a := s.eventually(t, "/api/1/resolve/default?path=/yeezy&dtab=/yeezy=>/foo", withMeta+"\n")
			assert.Equal(t, typeJSON, a.header.Get("Content-Type"))
		}},
		{"43", "resolve of what there is not", func(t *testing.T, s *site) {
			t.Helper()
			assert.Equal(t, answerOf(http.StatusOK, neg+"\n"), s.get(t, "/api/1/resolve/default?path=/foo").brief())
		}},
		{"45", "resolve of an invalid path", bad("/api/1/resolve/default?path=invalid", invalid)},
		{"50", "bound-names", func(t *testing.T, s *site) {
			t.Helper()
			assert.Equal(t, answerOf(http.StatusOK, "[]\n"), s.get(t, "/api/1/bound-names").brief())
		}},
		{"51", "POST to bound-names", func(t *testing.T, s *site) {
			t.Helper()
			assert.Equal(t, answerOf(http.StatusNotFound, ""), s.send(t, http.MethodPost, "/api/1/bound-names", "").brief())
		}},
		{"52", "a client follows", follows},
	}
}

const withMeta = `{"type":"bound","addrs":[{"ip":"127.0.0.1","port":1,"meta":{"endpoint_addr_weight":0.5,"node_meta":"n"}}],"meta":{"service_meta":"s"}}`

func (s *site) withMeta(t *testing.T) {
	t.Helper()
	require.NoError(t, s.namer.SetState("foo", naming.Ok(weft.EndpointSet{
		Endpoints: []weft.Endpoint{
			{Addr: "127.0.0.1:1", Weight: 0.5, Meta: map[string]string{"node_meta": "n"}},
			{Addr: "not.resolved:1"},
			{Addr: "0.0.0.0:0", Local: "http.status/401"},
		},
		Meta: map[string]string{"service_meta": "s"},
	})))
}

// brief is an answer without what only some rows are about.
type brief struct {
	status int
	body   string
}

func (a answer) brief() brief { return brief{a.status, a.body} }

func answerOf(status int, body string) brief { return brief{status, body} }

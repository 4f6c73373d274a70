package apitest

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
)

const (
	typeJSON = "application/json"
	typeDtab = "application/dtab"
	typeText = "text/plain"
)

func reading() []row {
	list := "[\"tlop\",\"yeezus\"]\n"
	listed := func(method, path string) func(*testing.T, *site) {
		return func(t *testing.T, s *site) {
			t.Helper()
			a := s.send(t, method, path, "")
			assert.Equal(t, http.StatusOK, a.status)
			assert.Equal(t, typeJSON, a.header.Get("Content-Type"))
			assert.Equal(t, list, a.body)
			s.untouched(t)
		}
	}
	missing := func(method, path string) func(*testing.T, *site) {
		return func(t *testing.T, s *site) {
			t.Helper()
			a := s.send(t, method, path, "")
			assert.Equal(t, http.StatusNotFound, a.status)
			assert.Empty(t, a.body)
			assert.NotEmpty(t, a.header.Get("weft-error"))
			s.untouched(t)
		}
	}
	shown := func(body, contentType string, header ...string) func(*testing.T, *site) {
		return func(t *testing.T, s *site) {
			t.Helper()
			a := s.get(t, "/api/1/dtabs/yeezus", header...)
			assert.Equal(t, http.StatusOK, a.status)
			assert.Equal(t, []string{contentType}, a.header["Content-Type"])
			assert.Equal(t, []string{s.v1}, a.header["Etag"])
			assert.Equal(t, body+"\n", a.body)
		}
	}
	const asJSON, asText = `[{"prefix":"/yeezy","dst":"/yeezus"}]`, "/yeezy=>/yeezus"
	return []row{
		{"1", "list", listed(http.MethodGet, "/api/1/dtabs")},
		{"2", "list with a slash", listed(http.MethodGet, "/api/1/dtabs/")},
		{"3", "not quite dtabs", missing(http.MethodGet, "/api/1/dtabsexpialidocious")},
		{"6", "any method lists: DELETE", listed(http.MethodDelete, "/api/1/dtabs")},
		{"6", "any method lists: PATCH", listed(http.MethodPatch, "/api/1/dtabs/")},
		{"7", "no Accept", shown(asJSON, typeJSON)},
		{"8", "the first type that is known: dtab", shown(asText, typeDtab, "Accept", "application/dtab, application/json")},
		{"9", "q does not count", shown(asText, typeDtab, "Accept", "application/dtab;q=0.9, application/json")},
		{"10", "text/plain", shown(asText, typeText, "Accept", "text/plain;q=0.9, application/json")},
		{"10", "in several fields and in capitals", shown(asText, typeDtab, "Accept", "text/html", "Accept", "Application/Dtab")},
		{"10", "unknown", shown(asJSON, typeJSON, "Accept", "image/png, */*")},
		{"11", "no such namespace", missing(http.MethodGet, "/api/1/dtabs/graduation")},
		{"13", "HEAD", func(t *testing.T, s *site) {
			t.Helper()
			a := s.send(t, http.MethodHead, "/api/1/dtabs/yeezus", "")
			assert.Equal(t, http.StatusOK, a.status)
			assert.Equal(t, s.v1, a.header.Get("ETag"))
			assert.Empty(t, a.header["Content-Length"])
			assert.Empty(t, a.body)
		}},
		{"14", "HEAD of no such namespace", func(t *testing.T, s *site) {
			t.Helper()
			a := s.send(t, http.MethodHead, "/api/1/dtabs/graduation", "")
			assert.Equal(t, http.StatusNotFound, a.status)
			assert.Empty(t, a.header["Etag"])
		}},
		{"15", "PATCH", missing(http.MethodPatch, "/api/1/dtabs/yeezus")},
		{"a", "OPTIONS", missing(http.MethodOptions, "/api/1/dtabs/yeezus")},
		{"a", "another API", missing(http.MethodGet, "/api/2/dtabs")},
		{"a", "the root", missing(http.MethodGet, "/")},
		{"a", "bindX", missing(http.MethodGet, "/api/1/bindX?path=/foo")},
		{"a", "bind without a namespace", missing(http.MethodGet, "/api/1/bind?path=/foo")},
		{"a", "POST to bind", missing(http.MethodPost, "/api/1/bind/yeezus?path=/foo")},
	}
}

package apitest

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
)

func explaining() []row {
	const (
		stored = `{"type":"delegate","path":"/yeezy","delegate":{"type":"neg","path":"/yeezus","dentry":{"prefix":"/yeezy","dst":"/yeezus"}}}`
		sent   = `{"type":"delegate","path":"/foo","delegate":{"type":"neg","path":"/bar","dentry":{"prefix":"/foo","dst":"/bar"}}}`
		both   = `{"type":"alt","path":"/yeezy","alt":[` +
			`{"type":"neg","path":"/bar","dentry":{"prefix":"/yeezy","dst":"/bar"}},` +
			`{"type":"neg","path":"/yeezus","dentry":{"prefix":"/yeezy","dst":"/yeezus"}}]}`
	)
	explained := func(path, want string) func(*testing.T, *site) {
		return func(t *testing.T, s *site) {
			t.Helper()
			a := s.eventually(t, path, want)
			assert.Equal(t, http.StatusOK, a.status)
			assert.Equal(t, typeJSON, a.header.Get("Content-Type"))
		}
	}
	posted := func(path, body string, status int, want string, header ...string) func(*testing.T, *site) {
		return func(t *testing.T, s *site) {
			t.Helper()
			s.eventually(t, "/api/1/delegate/yeezus?path=/yeezy", stored)
			assert.Equal(t, answerOf(status, want), s.send(t, http.MethodPost, path, body, header...).brief())
		}
	}
	bad := func(path, want string) func(*testing.T, *site) {
		return func(t *testing.T, s *site) {
			t.Helper()
			assert.Equal(t, answerOf(http.StatusBadRequest, want), s.get(t, path).brief())
		}
	}
	const asked = `{"namespace":"yeezus","dtab":"/yeezy=>/bar","path":"/yeezy"}`
	return []row{
		{"46", "delegate", explained("/api/1/delegate/yeezus?path=/yeezy", stored)},
		{"47", "delegate by what is sent", explained("/api/1/delegate?dtab=/foo=>/bar&path=/foo", sent)},
		{"47", "delegateX", explained("/api/1/delegateX?dtab=/foo=>/bar&path=/foo", sent)},
		{"47", "the namespace as a parameter", explained("/api/1/delegate?namespace=yeezus&path=/yeezy", stored)},
		{"48", "delegate by both", explained("/api/1/delegate/yeezus?path=/yeezy&dtab=/yeezy=>/bar", both)},
		{"49", "POST", posted("/api/1/delegate", asked, http.StatusOK, both, "Content-Type", typeJSON)},
		{"49", "POST to a namespace", posted("/api/1/delegate/yeezus", `{"path":"/yeezy"}`, http.StatusOK, stored, "Content-Type", "application/json; charset=utf-8")},
		{"49", "POST of text", posted("/api/1/delegate", asked, http.StatusUnsupportedMediaType, "The content type has to be application/json", "Content-Type", typeText)},
		{"49", "POST of null", posted("/api/1/delegate", "null", http.StatusBadRequest, "Malformed delegation request: null", "Content-Type", typeJSON)},
		{"49", "POST of half an object", posted("/api/1/delegate", "{", http.StatusBadRequest, "Malformed delegation request: unexpected end of JSON input", "Content-Type", typeJSON)},
		{"e", "another method", func(t *testing.T, s *site) {
			t.Helper()
			a := s.send(t, http.MethodPut, "/api/1/delegate/yeezus?path=/yeezy", "")
			assert.Equal(t, http.StatusMethodNotAllowed, a.status)
			assert.NotEmpty(t, a.body)
			assert.NotEmpty(t, a.header.Get("Allow"))
		}},
		{"e", "an invalid path", bad("/api/1/delegate/yeezus?path=invalid-param", "Invalid path: '/' expected but 'i' found at '[i]nvalid-param'")},
		{"e", "an invalid dtab", bad("/api/1/delegate?path=/a&dtab=invalid-param", "Invalid dtab: '/' expected but 'i' found at '[i]nvalid-param'")},
		{"e", "no path", bad("/api/1/delegate/yeezus", "Invalid path: the parameter path is missing: the name that is asked for, such as /svc/web")},
	}
}

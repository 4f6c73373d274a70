package apitest

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	kanyeJSON = `[{"prefix":"/yeezy","dst":"/kanye"}]`
	kanyeText = "/yeezy=>/kanye"
)

// made checks that a write was answered as it should and is there, at the version that
// the answer says.
func (s *site) made(t *testing.T, a answer, ns, text string) {
	t.Helper()
	require.Equal(t, http.StatusNoContent, a.status, a.body)
	assert.Empty(t, a.body)
	got := s.get(t, "/api/1/dtabs/"+ns, "Accept", typeDtab)
	assert.Equal(t, http.StatusOK, got.status)
	assert.Equal(t, text+"\n", got.body)
	assert.NotEmpty(t, got.header.Get("ETag"))
	assert.Equal(t, got.header["Etag"], a.header["Etag"])
}

func writing() []row {
	created := func(body, want string, header ...string) func(*testing.T, *site) {
		return func(t *testing.T, s *site) {
			t.Helper()
			s.made(t, s.send(t, http.MethodPost, "/api/1/dtabs/graduation", body, header...), "graduation", want)
			assert.Equal(t, "[\"graduation\",\"tlop\",\"yeezus\"]\n", s.get(t, "/api/1/dtabs").body)
		}
	}
	replaced := func(body string, header ...string) func(*testing.T, *site) {
		return func(t *testing.T, s *site) {
			t.Helper()
			s.made(t, s.send(t, http.MethodPut, "/api/1/dtabs/yeezus", body, header...), "yeezus", kanyeText)
			assert.NotEqual(t, s.v1, s.get(t, "/api/1/dtabs/yeezus").header.Get("ETag"))
			assert.Equal(t, "/yeezy=>/pablo", s.text(t, "tlop"))
		}
	}
	// refused expects a status and a body; an empty one has its message in a header.
	refused := func(method, ns, body string, status int, message string, header ...string) func(*testing.T, *site) {
		return func(t *testing.T, s *site) {
			t.Helper()
			a := s.send(t, method, "/api/1/dtabs/"+ns, body, header...)
			assert.Equal(t, status, a.status)
			assert.Equal(t, message, a.body)
			assert.NotEmpty(t, a.header.Get("weft-error"))
			s.untouched(t)
		}
	}
	const post, put = http.MethodPost, http.MethodPut
	return []row{
		{"16", "POST JSON", created(kanyeJSON, kanyeText, "Content-Type", typeJSON)},
		{"17", "POST JSON with a charset", created(kanyeJSON, kanyeText, "Content-Type", "application/json;charset=UTF-8")},
		{"18", "POST text", created("/yeezy => /kanye", kanyeText, "Content-Type", typeText)},
		{"19", "POST dtab", created("/yeezy => /kanye ;\n # a comment\n", kanyeText, "Content-Type", typeDtab)},
		{"19", "POST an empty dtab", created("", "", "Content-Type", typeDtab)},
		{"19", "POST an empty list", created("[]", "", "Content-Type", typeJSON)},
		{"19", "POST with fields that are unknown", created(`[{"x":[],"dst":"/a & 0.5*/b","prefix":"/s/*"}]`, "/s/*=>/a & 0.50*/b", "Content-Type", typeJSON)},
		{"20", "POST without a type", refused(post, "graduation", kanyeJSON, http.StatusBadRequest, "")},
		{"20", "POST with an unknown type", refused(post, "graduation", kanyeJSON, http.StatusBadRequest, "", "Content-Type", "text/html")},
		{"21", "POST of one that exists", refused(post, "yeezus", kanyeText, http.StatusConflict, "The dtab namespace yeezus already exists", "Content-Type", typeText)},
		{"22", "POST with a null", refused(post, "x", "[null]", http.StatusBadRequest, "The dtab contains invalid dentries: [null]", "Content-Type", typeJSON)},
		{"23", "POST of nonsense", refused(post, "x", "nonsense", http.StatusBadRequest, "", "Content-Type", typeText)},
		{"23", "POST of JSON nonsense", refused(post, "x", `[{"prefix":"nonsense","dst":"/a"}]`, http.StatusBadRequest, "", "Content-Type", typeJSON)},
		{"23", "POST of half a rule", refused(post, "x", `[{"prefix":"/a"}]`, http.StatusBadRequest, "", "Content-Type", typeJSON)},
		{"23", "POST of no JSON", refused(post, "x", "", http.StatusBadRequest, "", "Content-Type", typeJSON)},
		{"24", "PUT JSON", replaced(kanyeJSON, "Content-Type", typeJSON)},
		{"24", "PUT JSON with a charset", replaced(kanyeJSON, "Content-Type", "application/json;charset=UTF-8")},
		{"24", "PUT text", replaced(kanyeText, "Content-Type", typeText)},
		{"24", "PUT dtab", replaced(kanyeText, "Content-Type", typeDtab)},
		{"29", "PUT makes one", func(t *testing.T, s *site) {
			t.Helper()
			s.made(t, s.send(t, put, "/api/1/dtabs/new", kanyeText, "Content-Type", typeDtab), "new", kanyeText)
		}},
		{"30", "PUT with an unknown type", refused(put, "yeezus", kanyeText, http.StatusBadRequest, `Invalid Content-Type "image/png". `, "Content-Type", "image/png")},
		{"30", "PUT without a type", refused(put, "yeezus", kanyeText, http.StatusBadRequest, `Invalid Content-Type "". `)},
		{"b", "PUT of nonsense", refused(put, "yeezus", "nonsense", http.StatusBadRequest, "'/' expected but 'n' found at '[n]onsense'", "Content-Type", typeDtab)},
		{"b", "PUT of JSON nonsense", refused(put, "yeezus", "{}", http.StatusBadRequest, "", "Content-Type", typeJSON)},
		{"b", "PUT with a null", refused(put, "yeezus", "[null]", http.StatusBadRequest, "", "Content-Type", typeJSON)},
		{"b", "PUT of null", refused(put, "yeezus", "null", http.StatusBadRequest, "", "Content-Type", typeJSON)},
		{"31", "DELETE", func(t *testing.T, s *site) {
			t.Helper()
			a := s.send(t, http.MethodDelete, "/api/1/dtabs/yeezus", "")
			assert.Equal(t, http.StatusNoContent, a.status)
			assert.Empty(t, a.body)
			assert.Equal(t, http.StatusNotFound, s.get(t, "/api/1/dtabs/yeezus").status)
			assert.Equal(t, "[\"tlop\"]\n", s.get(t, "/api/1/dtabs").body)
		}},
		{"32", "DELETE of none", refused(http.MethodDelete, "nope", "", http.StatusNotFound, "The dtab namespace nope does not exist")},
	}
}

package apitest

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/namerd"
)

// beyond are the rows of what namerd 1.7.5 does not have, and of what must not happen.
func beyond() []row {
	strange := func(ns string) func(*testing.T, *site) {
		return func(t *testing.T, s *site) {
			t.Helper()
			a := s.send(t, http.MethodPut, "/api/1/dtabs/"+ns, kanyeText, "Content-Type", typeDtab)
			if a.status == http.StatusBadRequest { // the store cannot have it
				assert.Contains(t, a.body, "invalid dtab namespace "+ns)
				s.untouched(t)
				assert.Contains(t, []int{http.StatusNotFound, http.StatusBadRequest}, s.get(t, "/api/1/dtabs/"+ns).status)
				return
			}
			s.made(t, a, ns, kanyeText)
			var all []string
			require.NoError(t, json.Unmarshal([]byte(s.get(t, "/api/1/dtabs").body), &all))
			assert.ElementsMatch(t, []string{ns, "tlop", "yeezus"}, all)
			s.eventually(t, "/api/1/delegate/"+ns+"?path=/yeezy",
				`{"type":"delegate","path":"/yeezy","delegate":{"type":"neg","path":"/kanye","dentry":{"prefix":"/yeezy","dst":"/kanye"}}}`)
			assert.Equal(t, http.StatusNoContent, s.send(t, http.MethodDelete, "/api/1/dtabs/"+ns, "").status)
			s.untouched(t)
		}
	}
	return []row{
		{"f", "history", history},
		{"f", "history of none", func(t *testing.T, s *site) {
			t.Helper()
			assert.Equal(t, answerOf(http.StatusOK, "[]\n"), s.get(t, "/api/1/history/nope").brief())
		}},
		{"f", "history without end", func(t *testing.T, s *site) {
			t.Helper()
			assert.Equal(t, http.StatusBadRequest, s.get(t, "/api/1/history/yeezus?limit=-1").status)
			assert.Equal(t, http.StatusBadRequest, s.get(t, "/api/1/history/yeezus?limit=all").status)
		}},
		{"f", "a body that is too large", func(t *testing.T, s *site) {
			t.Helper()
			body := "/a=>/b;# " + strings.Repeat("x", 1<<20)
			for _, method := range []string{http.MethodPut, http.MethodPost} {
				a := s.send(t, method, "/api/1/dtabs/large", body, "Content-Type", typeDtab)
				assert.Equal(t, answerOf(http.StatusRequestEntityTooLarge, "The request body is larger than 1048576 bytes"), a.brief())
			}
			s.untouched(t)
		}},
		{"f", "a page of another origin", func(t *testing.T, s *site) {
			t.Helper()
			for _, method := range []string{http.MethodPut, http.MethodPost, http.MethodDelete} {
				a := s.send(t, method, "/api/1/dtabs/yeezus", kanyeText, "Content-Type", typeText, "Sec-Fetch-Site", "cross-site")
				assert.Equal(t, http.StatusForbidden, a.status)
				assert.NotEmpty(t, a.body)
			}
			s.untouched(t)
		}},
		{"g", "a namespace with a slash", strange("a/b")},
		{"g", "a namespace with escapes", strange("%2e%2E")},
		{"g", "a namespace with an escaped slash", strange("a%2Fb")},
		{"g", "a namespace with signs", strange("b@dn@m35p@c3")},
		{"g", "a namespace of dots", strange("..")},
	}
}

func history(t *testing.T, s *site) {
	t.Helper()
	note := []string{"Content-Type", typeDtab, "weft-author", "ye", "weft-reason", "a new album"}
	made := s.send(t, http.MethodPut, "/api/1/dtabs/yeezus", kanyeText, note...)
	require.Equal(t, http.StatusNoContent, made.status, made.body)
	a := s.get(t, "/api/1/history/yeezus")
	require.Equal(t, http.StatusOK, a.status, a.body)
	assert.Equal(t, typeJSON, a.header.Get("Content-Type"))
	var all []namerd.Change
	require.NoError(t, json.Unmarshal([]byte(a.body), &all))
	require.Len(t, all, 2)
	assert.Equal(t, namerd.Note{Author: "ye", Reason: "a new album"}, all[0].Note)
	assert.Equal(t, kanyeText, all[0].Dtab.String())
	assert.Equal(t, made.header.Get("ETag"), base64.StdEncoding.EncodeToString([]byte(all[0].Version)))
	assert.Equal(t, "/yeezy=>/yeezus", all[1].Dtab.String())
	a = s.get(t, "/api/1/history/yeezus?limit=1")
	require.NoError(t, json.Unmarshal([]byte(a.body), &all))
	assert.Len(t, all, 1)
}

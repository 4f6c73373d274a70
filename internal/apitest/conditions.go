package apitest

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
)

// conditions are the rows of If-Match, whose values may have {v1}, the tag of yeezus,
// and {other}, one that it does not have.
func conditions() []row {
	met := func(method, match string) func(*testing.T, *site) {
		return func(t *testing.T, s *site) {
			t.Helper()
			a := s.send(t, method, "/api/1/dtabs/yeezus", kanyeText, "Content-Type", typeDtab, "If-Match", s.fill(match))
			if method == http.MethodDelete {
				assert.Equal(t, http.StatusNoContent, a.status)
				assert.Equal(t, http.StatusNotFound, s.get(t, "/api/1/dtabs/yeezus").status)
				return
			}
			s.made(t, a, "yeezus", kanyeText)
			assert.NotEqual(t, s.v1, a.header.Get("ETag"))
			if s.o.Literal {
				assert.Equal(t, "AAAAAAAAAAI=", a.header.Get("ETag"))
			}
		}
	}
	mismatch := "Could not update dtab: current version does not match provided version"
	missed := func(method, ns, match string, status int, message string) func(*testing.T, *site) {
		return func(t *testing.T, s *site) {
			t.Helper()
			a := s.send(t, method, "/api/1/dtabs/"+ns, kanyeText, "Content-Type", typeDtab, "If-Match", s.fill(match))
			assert.Equal(t, status, a.status)
			assert.Contains(t, a.body, message)
			assert.Empty(t, a.header["Etag"])
			s.untouched(t)
		}
	}
	const (
		put, del = http.MethodPut, http.MethodDelete
		failed   = http.StatusPreconditionFailed
		missing  = http.StatusNotFound
	)
	return []row{
		{"25", "PUT of the version", met(put, "{v1}")},
		{"25", "quoted", met(put, `"{v1}"`)},
		{"25", "weak", met(put, `W/"{v1}"`)},
		{"25", "one of a list", met(put, `"{other}", "{v1}"`)},
		{"25", "any", met(put, "*")},
		{"26", "PUT of garbage", missed(put, "yeezus", "yolo", failed, mismatch)},
		{"26", "PUT of what is no base64", missed(put, "yeezus", "%%%", failed, mismatch)},
		{"26", "PUT of nothing", missed(put, "yeezus", "", failed, mismatch)},
		{"26", "PUT of an empty tag", missed(put, "yeezus", `""`, failed, mismatch)},
		{"27", "PUT of another version", missed(put, "yeezus", "{other}", failed, mismatch)},
		{"27", "none of a list", missed(put, "yeezus", `"{other}", "yolo", ""`, failed, mismatch)},
		{"27", "PUT of an old version", func(t *testing.T, s *site) {
			t.Helper()
			s.put(t, "yeezus", "/a=>/b")
			a := s.send(t, put, "/api/1/dtabs/yeezus", kanyeText, "Content-Type", typeDtab, "If-Match", s.v1)
			assert.Equal(t, failed, a.status)
			assert.Equal(t, "/a=>/b", s.text(t, "yeezus"))
		}},
		{"28", "PUT of a version of none", missed(put, "nope", "{v1}", missing, "The dtab namespace nope does not exist")},
		{"28", "PUT of any version of none", missed(put, "nope", "*", missing, "The dtab namespace nope does not exist")},
		{"c", "PUT of a version that was before", func(t *testing.T, s *site) {
			t.Helper()
			assert.Equal(t, http.StatusNoContent, s.send(t, del, "/api/1/dtabs/yeezus", "").status)
			a := s.send(t, http.MethodPost, "/api/1/dtabs/yeezus", "/yeezy=>/yeezus", "Content-Type", typeDtab)
			assert.Equal(t, http.StatusNoContent, a.status)
			a = s.send(t, put, "/api/1/dtabs/yeezus", kanyeText, "Content-Type", typeDtab, "If-Match", s.v1)
			assert.Equal(t, failed, a.status)
			s.untouched(t)
		}},
		{"c", "DELETE of the version", met(del, "{v1}")},
		{"c", "DELETE of any", met(del, "*")},
		{"c", "DELETE of another version", missed(del, "yeezus", "{other}", failed, mismatch)},
		{"c", "DELETE of garbage", missed(del, "yeezus", "yolo", failed, mismatch)},
		{"c", "DELETE of nothing", missed(del, "yeezus", "", failed, mismatch)},
		{"c", "DELETE of a version of none", missed(del, "nope", "{v1}", missing, "The dtab namespace nope does not exist")},
		{"c", "of writers with one version one wins", oneWins},
	}
}

func oneWins(t *testing.T, s *site) {
	t.Helper()
	const writers = 8
	got := make(chan int, writers)
	for range writers {
		go func() {
			got <- s.send(t, http.MethodPut, "/api/1/dtabs/yeezus", kanyeText, "Content-Type", typeDtab, "If-Match", s.v1).status
		}()
	}
	all := map[int]int{}
	for range writers {
		all[<-got]++
	}
	assert.Equal(t, map[int]int{http.StatusNoContent: 1, http.StatusPreconditionFailed: writers - 1}, all)
}

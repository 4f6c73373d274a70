package meshh2_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"golang.org/x/net/http2/hpack"
	"pgregory.net/rapid"

	"github.com/weft-mesh/weft/propagation"
	"github.com/weft-mesh/weft/transport/meshh2"
)

var _ propagation.Carrier = (*meshh2.Head)(nil)

// head makes a block of names and values in turn.
func head(pairs ...string) *meshh2.Head {
	h := &meshh2.Head{}
	for i := 0; i+1 < len(pairs); i += 2 {
		h.Fields = append(h.Fields, hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]})
	}
	return h
}

// pairs is the inverse of head.
func pairs(fields []hpack.HeaderField) []string {
	var out []string
	for _, f := range fields {
		out = append(out, f.Name, f.Value)
	}
	return out
}

func TestHeadKeepsOrderAndRepeatedFields(t *testing.T) {
	h := head(":method", "GET", ":path", "/", "cookie", "a=1", "x", "1", "cookie", "b=2", "x", "")
	assert.Equal(t, []string{"a=1", "b=2"}, h.Values("Cookie"))
	assert.Equal(t, "a=1", h.Get("COOKIE"))
	_, ok := h.Lookup("nothing")
	assert.False(t, ok)
	assert.Nil(t, h.Values("nothing"))
	assert.Equal(t, 6, h.Len())

	h.Set("X", "2")
	assert.Equal(t, []string{":method", "GET", ":path", "/", "cookie", "a=1", "x", "2", "cookie", "b=2"}, pairs(h.Fields))
	h.Add(":authority", "web")
	h.Set("Y-Z", "3")
	assert.Equal(t, []string{":method", "GET", ":path", "/", ":authority", "web", "cookie", "a=1", "x", "2", "cookie", "b=2", "y-z", "3"}, pairs(h.Fields))
	h.Del("Cookie")
	h.Del("nothing")
	assert.Equal(t, []string{":method", "GET", ":path", "/", ":authority", "web", "x", "2", "y-z", "3"}, pairs(h.Fields))

	var all []string
	for name, value := range h.All() {
		all = append(all, name, value)
	}
	assert.Equal(t, pairs(h.Fields), all)
	for range h.All() {
		break
	}

	fields := []hpack.HeaderField{{Name: "a", Value: "b", Sensitive: true}}
	h.Load(fields)
	fields[0].Value = "changed"
	assert.Equal(t, []hpack.HeaderField{{Name: "a", Value: "b", Sensitive: true}}, h.Fields, "it is a copy")
}

func TestHeadDropsTheTextOfRemovedFields(t *testing.T) {
	h := head("a", "1", "b", "2", "a", "3")
	h.Del("a")
	assert.Equal(t, []hpack.HeaderField{{Name: "b", Value: "2"}, {}, {}}, h.Fields[:3])
}

// TestPropagationSpelling: every key that package propagation uses is found and
// written in lower case.
func TestPropagationSpelling(t *testing.T) {
	for _, key := range []string{
		propagation.HeaderDeadline, propagation.HeaderCtxDtab, propagation.HeaderDtab, propagation.HeaderTrace, propagation.HeaderSample,
		propagation.HeaderReqID, "X-B3-Traceid", "X-B3-Spanid", "X-B3-Parentspanid", "X-B3-Sampled", "X-B3-Flags", "Other-Thing", "lower-Then-Upper", "",
	} {
		h := head(strings.ToLower(key), "1")
		assert.Equal(t, []string{"1"}, h.Values(key), key)
		h.Set(key, "2")
		assert.Equal(t, []string{strings.ToLower(key), "2"}, pairs(h.Fields), key)
		h.Del(key)
		assert.Empty(t, h.Fields, key)
		h.Add(key, "3")
		assert.Equal(t, []string{strings.ToLower(key), "3"}, pairs(h.Fields), key)
	}
}

// TestHeadIsLikeHTTPHeader compares a Head with an http.Header under the same
// operations.
func TestHeadIsLikeHTTPHeader(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h, want := &meshh2.Head{}, http.Header{}
		names := rapid.SampledFrom([]string{"a", "A", "l5d-ctx-trace", "L5d-Ctx-Trace", "cookie", "Cookie", "x-y"})
		for range rapid.IntRange(0, 30).Draw(t, "steps") {
			name, value := names.Draw(t, "name"), rapid.StringMatching(`[a-z]{0,3}`).Draw(t, "value")
			switch rapid.IntRange(0, 3).Draw(t, "op") {
			case 0:
				h.Add(name, value)
				want.Add(name, value)
			case 1:
				h.Set(name, value)
				want.Set(name, value)
			case 2:
				h.Del(name)
				want.Del(name)
			default:
				assert.Equal(t, want.Values(name), h.Values(name))
				assert.Equal(t, want.Get(name), h.Get(name))
			}
		}
		got := http.Header{}
		for name, value := range h.All() {
			assert.Equal(t, strings.ToLower(name), name)
			got.Add(name, value)
		}
		assert.Equal(t, want, got)
	})
}

type field = hpack.HeaderField

func names(fields []hpack.HeaderField) []string {
	var out []string
	for _, f := range fields {
		out = append(out, f.Name)
	}
	return out
}

func without(all []string, one string) []string {
	return slices.DeleteFunc(all, func(s string) bool { return s == one })
}

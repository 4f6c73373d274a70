package client_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd/client"
	"github.com/weft-mesh/weft/naming"
)

func FuzzEscape(f *testing.F) {
	for _, s := range []string{"default", "a b", "%2e%2E", "%", "%zz", "a/b?c#d", "ü", "\x00", "//", "..", "[x]", "a\\b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, ns string) {
		once := client.Escape(ns)
		assert.Equal(t, once, client.Escape(once), "what a namerd lists is found again")
		u, err := url.Parse("http://namerd/api/1/dtabs/" + once)
		require.NoError(t, err)
		assert.Equal(t, "/api/1/dtabs/"+once, u.RequestURI(), "it is sent as it is")
	})
}

func FuzzParseETag(f *testing.F) {
	for _, s := range []string{"", "AAAAAAAAAAE=", `"AAE="`, `W/"AAE="`, "yolo", `"`, `W/AAE=`, "W/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, tag string) {
		v, err := client.ParseETag(tag)
		if err != nil {
			return
		}
		again, err := client.ParseETag(`W/"` + client.ETag(v) + `"`)
		require.NoError(t, err)
		assert.Equal(t, v, again)
	})
}

func FuzzParseBound(f *testing.F) {
	for _, s := range []string{
		`{"type":"leaf","bound":{"addr":{"type":"bound","addrs":[{"ip":"127.0.0.1","port":1,"meta":{}}],"meta":{}},"id":"/#/x","path":"/"}}`,
		`{"type":"union","union":[{"weight":0.5,"tree":{"type":"leaf","bound":{"addr":{"type":"neg"},"id":"/#/x","path":"/y"}}},{"weight":1,"tree":{"type":"neg"}}]}`,
		`{"type":"alt","alt":[{"type":"fail"},{"type":"empty"}]}`, `null`, `{"type":"leaf"}`, `{"type":"leaf","bound":{"id":"/#/x","path":"/"}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		tree, err := client.ParseBound(b)
		if err != nil {
			return
		}
		dtab.Map(tree, func(l *naming.Bound) struct{} {
			st, _ := l.Addrs(t.Context()).Load()
			assert.True(t, st.Known || st.Err != nil || st.Pending())
			return struct{}{}
		})
	})
}

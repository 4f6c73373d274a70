package rancher

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const containersDoc = `[
	{"create_index":11,"health_state":null,"hostname":"web-1","ips":["10.42.0.1"],"labels":{"a":"b"},"name":"shop_web_1","ports":["10.0.0.1:80:80/tcp"],
		"primary_ip":"10.42.0.1","service_index":"1","service_name":"web","stack_name":"shop","start_count":1,"state":"running","system":false},
	{"name":"Network Agent","primary_ip":"10.42.0.9","service_name":null,"stack_name":null,"state":"running"},
	{"name":"shop_web_2","primary_ip":null,"service_name":"web","stack_name":"shop","state":"starting"},
	{"name":"shop_web_3","primary_ip":"fd00::1","service_name":"Web","stack_name":"SHOP","state":"running"}]`

func TestDecodeVersion(t *testing.T) {
	for text, want := range map[string]string{
		"42\n": "42", `"42"`: "42", "c6a1-b": "c6a1-b", ` "a" `: "a", `"\u0041"`: "A",
		"": "", "a b": "", `"`: "", `"a" b`: "", "<p>": "", `""`: "", "é": "", strings.Repeat("a", 257): "",
	} {
		got, err := decodeVersion([]byte(text))
		assert.Equal(t, want, got, text)
		assert.Equal(t, want == "", err != nil, text)
	}
}

func FuzzDecodeContainers(f *testing.F) {
	for _, s := range []string{containersDoc, "[]", "null", "{}", `[null]`, `[{"primary_ip":"x","state":"running","stack_name":"a","service_name":"b"}]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		all, bad, err := decodeContainers(body)
		if err != nil {
			require.ErrorIs(t, err, errGarbled)
			require.Nil(t, all)
			return
		}
		require.NotNil(t, all)
		var list []json.RawMessage
		require.NoError(t, json.Unmarshal(body, &list))
		n := 0
		for s, addrs := range all {
			require.Equal(t, strings.ToLower(s.stack), s.stack)
			require.NotEmpty(t, addrs)
			n += len(addrs)
			require.Len(t, all.at(s, 80).Endpoints, len(addrs))
		}
		require.LessOrEqual(t, n+len(bad), len(list))
	})
}

func FuzzDecodeVersion(f *testing.F) {
	for _, s := range []string{"42\n", `"42"`, "", "<html>", "a b"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		v, err := decodeVersion(body)
		if err != nil {
			require.ErrorIs(t, err, errGarbled)
			return
		}
		require.NotEmpty(t, v)
		require.NotContains(t, v, " ")
	})
}

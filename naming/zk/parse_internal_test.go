package zk

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
)

// The rows are those of Finagle's ServersetPathTest and what the specification adds.
func TestParseJob(t *testing.T) {
	for _, tt := range []struct {
		path     string
		want     job
		possible bool
		err      bool
	}{
		{"", job{path: "/", shard: -1}, true, false},
		{"a", job{path: "/a", shard: -1}, true, false},
		{"a b c", job{path: "/a/b/c", shard: -1}, true, false},
		{"a b:http", job{path: "/a/b", endpoint: "http", shard: -1}, true, false},
		{"a b#7", job{path: "/a/b", shard: 7}, true, false},
		{"a b:http#0", job{path: "/a/b", endpoint: "http", shard: 0}, true, false},
		{"a:x b", job{path: "/a:x/b", shard: -1}, true, false},
		{"a .", job{path: "", shard: -1}, false, false},
		{"a/b c", job{path: "", shard: -1}, false, false},
		{"a:b:c", job{}, false, true},
		{":b", job{}, false, true},
		{"a:", job{}, false, true},
		{"#1", job{}, false, true},
		{"a#", job{}, false, true},
		{"a#-1", job{}, false, true},
		{"a#+1", job{}, false, true},
		{"a#1:http", job{}, false, true},
		{"a#2147483648", job{}, false, true},
		{"a:b#1#2", job{}, false, true},
	} {
		p, err := dtab.PathOf(strings.Fields(tt.path)...)
		require.NoError(t, err)
		got, possible, err := parseJob(p)
		assert.Equal(t, tt.err, err != nil, tt.path)
		assert.Equal(t, tt.possible, possible, tt.path)
		assert.Equal(t, tt.want, got, tt.path)
		if tt.err {
			assert.ErrorContains(t, err, "invalid job syntax: "+tt.path, tt.path)
		}
	}
}

func TestParseMember(t *testing.T) {
	m, err := parseMember("member_1", []byte(`{"serviceEndpoint":{"host":"h","port":80},
		"additionalEndpoints":{"ok":{"host":"h","port":1},"bad":{"host":"h"},"worse":7},"status":"ALIVE","shard":3,"metadata":{"a":"b"}}`))
	require.NoError(t, err)
	assert.Equal(t, member{name: "member_1", service: hostPort{"h", 80}, additional: map[string]hostPort{"ok": {"h", 1}}, status: "ALIVE", shard: 3}, m)
	m, err = parseMember("member_1", []byte(`{"additionalEndpoints":{"ok":{"host":"h","port":1}},"status":"ALIVE"}`))
	require.NoError(t, err)
	_, ok := m.at("")
	assert.False(t, ok)
	for text, want := range map[string]string{
		``:                                   "want JSON of a serverset's member",
		`[]`:                                 "want JSON of a serverset's member",
		`{}`:                                 "want JSON with serviceEndpoint",
		`{"serviceEndpoint":{"host":"h"}}`:   `serviceEndpoint: want a host and a port from 1 to 65535, have "h" and 0`,
		`{"serviceEndpoint":{"port":80}}`:    `serviceEndpoint: want a host and a port from 1 to 65535, have "" and 80`,
		`{"serviceEndpoint":{"port":70000}}`: "serviceEndpoint: want a host",
	} {
		_, err := parseMember("member_1", []byte(text))
		assert.ErrorContains(t, err, want, text)
	}
}

func TestWeights(t *testing.T) {
	one := member{name: "member_1", service: hostPort{"10.0.0.1", 80}, shard: 1}
	two := member{name: "member_2", service: hostPort{"10.0.0.2", 80}, shard: -1}
	v, err := parseVector([]byte(`{"vector":[{"select":"inet=10.0.0.1:80","weight":2},{"select":"shard=1","weight":3},{"select":"member=member_2"},
		{"select":"shard=0","weight":9},{"select":"rack=r","weight":9},{"select":"inet=:80","weight":9},{"select":"shard=x","weight":9}]}`))
	require.NoError(t, err)
	s := serverset{weights: v}
	assert.InDelta(t, 6.0, s.weigh(one, one.service), 0)
	assert.InDelta(t, 3.0, s.weigh(one, hostPort{"10.0.0.1", 81}), 0)
	assert.InDelta(t, 0.0, s.weigh(two, two.service), 0, "the default")
	s.weights = append(s.weights, weight{member: "member_2", factor: 0})
	assert.InDelta(t, -1.0, s.weigh(two, two.service), 0, "no traffic")
	_, err = parseVector([]byte(`{"vector":[{"select":"shard=0","weight":-1}]}`))
	require.EqualError(t, err, "shard=0: want a weight of at least 0, have -1")
}

func TestConfigIsChecked(t *testing.T) {
	key, err := Config{Addrs: []string{"b:1", "a", "[::1]", "[::1]:7", "a:2181"}}.session()
	require.NoError(t, err)
	assert.Equal(t, "[::1]:2181,[::1]:7,a:2181,b:1", key.addrs)
	assert.Equal(t, defaultTimeout, key.timeout)
	for _, bad := range []Config{
		{},
		{Addrs: []string{""}},
		{Addrs: []string{"a:0"}},
		{Addrs: []string{"a:b"}},
		{Addrs: []string{"::1"}},
		{Addrs: []string{"a,b"}},
		{Addrs: []string{"a"}, Auth: "user"},
		{Addrs: []string{"a"}, SessionTimeout: -1},
	} {
		_, err := NewServersets(bad, Options{})
		require.Error(t, err)
		_, err = NewLeader(bad, Options{})
		require.Error(t, err)
	}
	_, err = NewServersets(Config{}, Options{})
	require.ErrorIs(t, err, ErrNoServers)
	_, err = NewServersetClass(Config{Auth: "user"}, Options{})
	require.Error(t, err)
	_, err = NewLeaderClass(Config{Auth: "user"}, Options{})
	require.Error(t, err)
}

func FuzzParseJob(f *testing.F) {
	for _, s := range []string{"/a/b:http#0", "/a:b:c", "/", `/a\x00`, "/a/..", "/a#99999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := dtab.ParsePath(s)
		if err != nil {
			p, err = dtab.PathOf(strings.FieldsFunc(s, func(r rune) bool { return r == '/' })...)
			require.NoError(t, err)
		}
		j, possible, err := parseJob(p)
		if err != nil {
			assert.False(t, possible)
			return
		}
		if !possible {
			return
		}
		assert.True(t, strings.HasPrefix(j.path, "/") && utf8.ValidString(j.path))
		// What is printed is what was read, and reading it again changes nothing.
		again, err := dtab.PathOf(strings.FieldsFunc(j.String(), func(r rune) bool { return r == '/' })...)
		require.NoError(t, err)
		if strings.Contains(j.endpoint, "/") {
			return
		}
		k, _, err := parseJob(again)
		require.NoError(t, err)
		assert.Equal(t, j, k)
	})
}

func FuzzParseMember(f *testing.F) {
	f.Add([]byte(`{"serviceEndpoint":{"host":"10.0.0.1","port":80},"additionalEndpoints":{"a":{"host":"h","port":1}},"status":"ALIVE","shard":0}`))
	f.Add([]byte(`{"additionalEndpoints":{"a":null}}`))
	f.Add([]byte(`{"vector":[{"select":"inet=10.0.0.1:80","weight":1.5}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parseMember("member_1", data)
		if err == nil {
			assert.True(t, m.service.Host != "" || len(m.additional) > 0)
			for endpoint := range m.additional {
				hp, ok := m.at(endpoint)
				assert.True(t, ok || endpoint == "")
				assert.True(t, endpoint == "" || hp.check("") == nil)
			}
			s := serverset{members: []member{m}}
			for _, c := range s.choose(job{shard: -1}).up {
				assert.NoError(t, c.check(""))
			}
		}
		if v, err := parseVector(data); err == nil {
			for _, w := range v {
				assert.GreaterOrEqual(t, w.factor, 0.0)
			}
		}
		_, _ = parseServersetNode("vector_1", data)
	})
}

func FuzzParseInstance(f *testing.F) {
	f.Add([]byte(`{"name":"web","id":"i","address":"10.0.0.1","port":80,"sslPort":443,"payload":null,"enabled":true}`))
	f.Add([]byte(`{"address":"h","sslPort":null,"port":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		i, err := parseInstance("i", data)
		if err == nil {
			assert.NoError(t, i.addr.check(""))
			_, err := json.Marshal(i.addr)
			assert.NoError(t, err)
		}
	})
}

func FuzzParseLeader(f *testing.F) {
	f.Add([]byte("10.0.0.1:80,10.0.0.2:80"))
	f.Add([]byte("[::1]:80, h:1"))
	f.Fuzz(func(t *testing.T, data []byte) {
		all, err := parseLeader("member_1", data)
		if err != nil {
			return
		}
		assert.NotEmpty(t, all)
		for _, c := range all {
			assert.NoError(t, c.check(""))
		}
	})
}

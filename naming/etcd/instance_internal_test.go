package etcd

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
)

func TestParseInstance(t *testing.T) {
	for value, want := range map[string]weft.Endpoint{
		"10.0.0.1:80":            {Addr: "10.0.0.1:80"},
		" 10.0.0.1:080\n":        {Addr: "10.0.0.1:80"},
		"[::1]:80":               {Addr: "[::1]:80"},
		"[::ffff:10.0.0.1]:80":   {Addr: "10.0.0.1:80"},
		"users.internal:65535":   {},
		`{"addr":"10.0.0.1:80"}`: {Addr: "10.0.0.1:80"},
		`{"addr":"10.0.0.1:80","weight":2,"meta":{"a":"b"}}`:                         {Addr: "10.0.0.1:80", Weight: 2, Meta: map[string]string{"a": "b"}},
		`{"addr":"10.0.0.1:80","weight":0,"meta":{}}`:                                {Addr: "10.0.0.1:80", Weight: -1},
		`{"addr":"10.0.0.1:80","meta":{"n":1.50,"t":true,"o":{ "x": [] },"z":null}}`: {Addr: "10.0.0.1:80", Meta: map[string]string{"n": "1.50", "t": "true", "o": `{"x":[]}`}},
		`{"Op":0,"Addr":"10.0.0.1:80","Metadata":null}`:                              {Addr: "10.0.0.1:80"},
		`{"Op":0,"Addr":"10.0.0.1:80","Metadata":{"zone":"eu"}}`:                     {Addr: "10.0.0.1:80", Meta: map[string]string{"zone": "eu"}},
		`{"Op":0,"Addr":"10.0.0.1:80","Metadata":"eu"}`:                              {Addr: "10.0.0.1:80", Meta: map[string]string{"metadata": "eu"}},
		`{"Op":0,"Addr":"10.0.0.1:80","Metadata":[1, 2]}`:                            {Addr: "10.0.0.1:80", Meta: map[string]string{"metadata": "[1,2]"}},
	} {
		in, err := parseInstance([]byte(value))
		require.NoError(t, err, value)
		assert.Equal(t, want, in.at, value)
	}
	for value, want := range map[string]string{
		"":                                     "is empty",
		"10.0.0.1":                             `has address "10.0.0.1", which must be host:port`,
		":80":                                  "must be host:port",
		"::1:80":                               "must be host:port",
		"10.0.0.1:0":                           "must have a port from 1 to 65535",
		"10.0.0.1:http":                        "must have a port from 1 to 65535",
		"a b:80":                               "must have an IP address or a host name",
		"http://10.0.0.1:80":                   "must be host:port",
		`{"addr":`:                             "is not a JSON object as it must be",
		`{"addr":"a:1"} x`:                     "is not a JSON object as it must be",
		`{"addr":7}`:                           "is not a JSON object as it must be",
		`{"host":"10.0.0.1"}`:                  "has no addr",
		`{"addr":"10.0.0.1"}`:                  `has address "10.0.0.1", which must be host:port`,
		`{"addr":"10.0.0.1:1","weight":-1}`:    "has weight -1",
		`{"addr":"10.0.0.1:1","weight":1e999}`: "is not a JSON object as it must be",
		`{"addr":"10.0.0.1:1","meta":[]}`:      "is not a JSON object as it must be",
	} {
		_, err := parseInstance([]byte(value))
		require.ErrorContains(t, err, want, value)
	}
}

func TestConfig(t *testing.T) {
	for _, tt := range []struct {
		c    Config
		want string
	}{
		{Config{}, "etcd: endpoints: at least one is required, such as http://127.0.0.1:2379"},
		{Config{Endpoints: []string{"10.0.0.1"}}, `etcd: endpoints: "10.0.0.1": must be host:port`},
		{Config{Endpoints: []string{"ftp://10.0.0.1:1"}}, `etcd: endpoints: "ftp://10.0.0.1:1": must be host:port, http://host:port or https://host:port`},
		{Config{Endpoints: []string{"http://10.0.0.1:1/v2"}}, `etcd: endpoints: "http://10.0.0.1:1/v2": must be host:port, http://host:port or https://host:port`},
		{Config{Endpoints: []string{"etcd:2379"}, Username: "u"}, "etcd: username and password: one of them is missing"},
	} {
		_, err := New(tt.c, Options{})
		require.EqualError(t, err, tt.want)
	}
	for prefix, want := range map[string]string{
		"": "/weft/services/", "/": "/", ".": "", "/a/b": "/a/b/", "a/": "a/",
	} {
		assert.Equal(t, want, Config{PathPrefix: prefix}.keys(), prefix)
	}
	n, err := New(Config{Endpoints: []string{"https://etcd.internal:2379", "[::1]:1"}}, Options{})
	require.NoError(t, err)
	assert.Equal(t, "/#/io.l5d.etcd", n.Prefix().String())
	require.NoError(t, n.Close(), "it was never used")
	require.NoError(t, n.Close())
	_, err = n.Names()
	require.Error(t, err)
}

// FuzzParseInstance checks that whatever is taken for an instance is one.
func FuzzParseInstance(f *testing.F) {
	for _, s := range []string{
		"10.0.0.1:80", "[::1]:80", "users:80", `{"addr":"10.0.0.1:80","weight":0.5,"meta":{"a":1}}`,
		`{"Op":0,"Addr":"1.2.3.4:80","Metadata":{"a":"b"}}`, `{"Addr":"1.2.3.4:80","Metadata":"x"}`, "{", "[fe80::1%eth0]:1", "[::ffff:1.2.3.4]:1",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		in, err := parseInstance(value)
		if err != nil {
			return
		}
		assert.NotEmpty(t, in.host)
		assert.True(t, in.at.Share() >= 0)
		if in.at.Addr == "" {
			assert.False(t, strings.ContainsAny(in.host, " \n:/"), in.host)
			return
		}
		at, err := netip.ParseAddrPort(in.at.Addr)
		require.NoError(t, err)
		assert.NotZero(t, at.Port())
		again, err := parseInstance([]byte(in.at.Addr))
		require.NoError(t, err)
		assert.Equal(t, in.at.Addr, again.at.Addr)
	})
}

package zk_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/namerd/store/zk"
)

// TestConfig has row 123 of the specification: permissions with letters that are
// unknown, or there twice.
func TestConfig(t *testing.T) {
	t.Parallel()
	acl := func(perms string) zk.Config {
		return zk.Config{Addrs: []string{"a"}, ACLs: []zk.ACL{{Scheme: "world", ID: "anyone", Perms: perms}}}
	}
	for name, test := range map[string]struct {
		c    zk.Config
		want string // in the error
	}{
		"123 unknown letter":  {acl("crwdaz"), `"crwdaz": 'z' is none of the letters crwda`},
		"123 letter twice":    {acl("cc"), `"cc": 'c' is there twice`},
		"no letters":          {acl(""), "at least one of the letters"},
		"capital letter":      {acl("R"), "'R' is none"},
		"all letters":         {acl("adwrc"), ""},
		"no scheme":           {zk.Config{Addrs: []string{"a"}, ACLs: []zk.ACL{{ID: "anyone", Perms: "r"}}}, "acls: scheme"},
		"no servers":          {zk.Config{}, "zkAddrs"},
		"bad port":            {zk.Config{Addrs: []string{"a:0"}}, `"a:0" is not host:port`},
		"bad host":            {zk.Config{Addrs: []string{":2181"}}, `":2181" is not host:port`},
		"ipv6":                {zk.Config{Addrs: []string{"[::1]", "[::1]:2182"}}, ""},
		"relative prefix":     {zk.Config{Addrs: []string{"a"}, PathPrefix: "dtabs"}, `"dtabs" must begin with /`},
		"prefix that ends":    {zk.Config{Addrs: []string{"a"}, PathPrefix: "/dtabs/"}, "must not be empty"},
		"prefix with ..":      {zk.Config{Addrs: []string{"a"}, PathPrefix: "/a/../b"}, "must not be .."},
		"root":                {zk.Config{Addrs: []string{"a"}, PathPrefix: "/"}, ""},
		"timeout too short":   {zk.Config{Addrs: []string{"a"}, SessionTimeout: time.Microsecond}, "sessionTimeoutMs"},
		"credentials, scheme": {zk.Config{Addrs: []string{"a"}, Auth: &zk.AuthInfo{Auth: "a:b"}}, "authInfo: scheme"},
	} {
		// Where nobody listens: what is right does not connect.
		for i, a := range test.c.Addrs {
			if a == "a" {
				test.c.Addrs[i] = "127.0.0.1:1"
			}
		}
		s, err := zk.New(test.c, zk.Options{})
		if test.want == "" {
			require.NoError(t, err, name)
			require.NoError(t, s.Close())
			continue
		}
		if assert.Error(t, err, name) {
			assert.True(t, strings.Contains(err.Error(), test.want), "%s: %v", name, err)
		}
	}
}

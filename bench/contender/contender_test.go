package contender

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEveryTemplateIsUsedAndRenders(t *testing.T) {
	used := map[string]bool{}
	for _, c := range All() {
		for _, f := range c.Families {
			s := Site{Family: f, Upstream: "127.0.0.1:4711", Plain: 1, TLS: 2, Admin: 3, Dir: t.TempDir(), Cert: "/c", Key: "/k", PEM: "/p"}
			for _, file := range c.Configs[f] {
				require.NoError(t, s.render(file.Template, file.Path), c.Name)
				text, err := os.ReadFile(filepath.Join(s.Dir, file.Path))
				require.NoError(t, err)
				assert.NotContains(t, string(text), "{{")
				used[file.Template] = true
			}
			assert.NotEmpty(t, c.command("bin", s))
		}
	}
	all, err := fs.ReadDir(configs, "config")
	require.NoError(t, err)
	for _, e := range all {
		assert.True(t, used[e.Name()], "%s is used by nobody", e.Name())
	}
}

func TestMissingBinarySaysHowToHaveIt(t *testing.T) {
	_, err := Contender{Name: "x", program: "no-such-program", Get: "apt-get install x"}.Binary(Cache(t.TempDir()))
	assert.ErrorContains(t, err, "apt-get install x")
}

func TestVersionNumber(t *testing.T) {
	for out, want := range map[string]string{
		"nginx version: nginx/1.22.1\n":                                      "1.22.1",
		"HAProxy version 2.6.12-1+deb12u2 2025/04/03 - https://haproxy.org/": "2.6.12-1+deb12u2",
		"nghttpx nghttp2/1.52.0":                                             "1.52.0",
		"Version:      v3.7.9\nCodename: x":                                  "3.7.9",
		"unknown":                                                            "",
	} {
		assert.Equal(t, want, versionNumber(out))
	}
}

func TestFreePortsAreDistinct(t *testing.T) {
	ports, err := FreePorts(20)
	require.NoError(t, err)
	seen := map[int]bool{}
	for _, p := range ports {
		assert.False(t, seen[p])
		seen[p] = true
	}
	assert.True(t, strings.HasSuffix(Site{Plain: 5, TLS: 6}.Address(true), ":6"))
}

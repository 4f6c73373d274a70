package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/config/kinds"
)

// TestNamerdCorpus: etcd.yaml lacks what an experimental kind needs, and the original
// refuses it too.
func TestNamerdCorpus(t *testing.T) {
	files, err := filepath.Glob("testdata/namerd/*.yaml")
	require.NoError(t, err)
	require.Len(t, files, 10)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			n, err := config.LoadNamerd(file, data, lenient(t))
			if filepath.Base(file) == "etcd.yaml" {
				require.ErrorContains(t, err, "testdata/namerd/etcd.yaml:4:9: storage: The io.l5d.etcd storage is experimental and must be explicitly enabled by setting the `experimental' parameter to `true'.")
				return
			}
			require.NoError(t, err)
			assert.Empty(t, n.Warnings)
			assert.Equal(t, uint16(9991), n.AdminAddr().Port())
			text, err := n.JSON()
			require.NoError(t, err)
			again, err := config.LoadNamerd(file, text, lenient(t))
			require.NoError(t, err, "%s", text)
			more, err := again.JSON()
			require.NoError(t, err)
			assert.Equal(t, string(text), string(more), "JSON is a fixed point")
		})
	}
}

func TestNamerdProblems(t *testing.T) {
	for name, row := range map[string]struct{ doc, want string }{
		"124 no interfaces": {
			"storage: {kind: io.l5d.inMemory}\n",
			"n.yaml:1:1: interfaces: 'interfaces' field is required",
		},
		"124 empty interfaces": {
			"storage: {kind: io.l5d.inMemory}\ninterfaces: []\n",
			"n.yaml:2:13: interfaces: One or more interfaces must be specified",
		},
		"no storage": {
			"interfaces: [{kind: io.l5d.mesh}]\n",
			"n.yaml:1:1: storage: 'storage' field is required",
		},
		"an unknown kind of storage": {
			"storage: {kind: io.l5d.inMemoy}\ninterfaces: [{kind: io.l5d.mesh}]\n",
			`n.yaml:1:17: storage.kind: unknown storage kind "io.l5d.inMemoy" (did you mean "io.l5d.inMemory"?)`,
		},
		"keys that are no more": {
			"storage: {kind: io.l5d.zk, zkAddrs: [{host: a}], retryBaseSecs: 5}\ninterfaces: [{kind: io.l5d.mesh}]\n",
			`n.yaml:1:50: storage.retryBaseSecs: Unrecognized field "retryBaseSecs"; known keys are acls, authInfo,`,
		},
		"routers": {
			"storage: {kind: io.l5d.inMemory}\ninterfaces: [{kind: io.l5d.mesh}]\nrouters: []\n",
			"this is a key of a proxy's configuration: use weft run",
		},
		"overlapping namers": {
			"storage: {kind: io.l5d.inMemory}\ninterfaces: [{kind: io.l5d.mesh}]\nnamers: [{kind: io.l5d.fs, rootDir: /, prefix: /a}, {kind: io.l5d.fs, rootDir: /, prefix: /a/b}]\n",
			"n.yaml:3:91: namers[1].prefix: Namers must not have overlapping prefixes: /a & /a/b",
		},
		"a namer without a prefix": {
			"storage: {kind: io.l5d.inMemory}\ninterfaces: [{kind: io.l5d.mesh}]\nnamers: [{kind: io.l5d.fs, rootDir: /, prefix: /}]\n",
			"namers[0].prefix: Namers must not have an empty prefix",
		},
		"one port for two": {
			"storage: {kind: io.l5d.inMemory}\ninterfaces: [{kind: io.l5d.mesh, port: 9991}, {kind: io.l5d.httpController}, {kind: io.l5d.httpController, ip: 0.0.0.0}]\n",
			"interfaces[2]: Server conflict on port 4180: interfaces[1] listens on 127.0.0.1:4180 already",
		},
		"123 unknown permission": {
			"storage: {kind: io.l5d.zk, zkAddrs: [{host: a}], acls: [{scheme: world, id: anyone, perms: crwdaz}]}\ninterfaces: [{kind: io.l5d.mesh}]\n",
			`storage.acls[0].perms: Illegal permission 'z' in "crwdaz"`,
		},
		"123 duplicate permission": {
			"storage: {kind: io.l5d.zk, zkAddrs: [{host: a}], acls: [{scheme: world, id: anyone, perms: cc}]}\ninterfaces: [{kind: io.l5d.mesh}]\n",
			`storage.acls[0].perms: Duplicate permission 'c' in "cc"`,
		},
		"a dtab that is none": {
			"storage: {kind: io.l5d.inMemory, namespaces: {default: nonsense}}\ninterfaces: [{kind: io.l5d.mesh}]\n",
			"n.yaml:1:56: storage.namespaces.default: ",
		},
		"validation without a name": {
			"storage: {kind: io.l5d.consul, tls: {}}\ninterfaces: [{kind: io.l5d.mesh}]\n",
			"tls is configured with validation but `commonName` is not set",
		},
		"two ways to say where etcd is": {
			"storage: {kind: io.l5d.etcd, experimental: true, host: a, endpoints: [b]}\ninterfaces: [{kind: io.l5d.mesh}]\n",
			"set endpoints, or host and port, not both",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := config.LoadNamerd("n.yaml", []byte(row.doc), lenient(t))
			require.ErrorContains(t, err, row.want)
		})
	}
}

func TestNamerdDefaults(t *testing.T) {
	n, err := config.LoadNamerd("n.yaml", []byte(`
# comments, JSON or YAML
admin: {ip: 0.0.0.0}
storage: {kind: io.l5d.inMemory}
namers: [{kind: io.l5d.fs, rootDir: /}, {kind: io.l5d.k8s}]
interfaces:
- {kind: io.l5d.httpController}
- {kind: io.l5d.thriftNameInterpreter, cache: {bindingCacheActive: 2}}
- {kind: io.l5d.mesh, ip: "::", port: 0}
- {kind: io.l5d.destination}
`), lenient(t))
	require.NoError(t, err)
	assert.Equal(t, "0.0.0.0:9991", n.AdminAddr().String())
	var addrs []string
	for _, i := range n.Interfaces {
		l, ok := i.Config.(config.Listener)
		require.True(t, ok, i.Kind)
		addrs = append(addrs, l.Addr().String())
	}
	assert.Equal(t, []string{"127.0.0.1:4180", "127.0.0.1:4100", "[::]:0", "127.0.0.1:8086"}, addrs)
	assert.IsType(t, kinds.InMemoryStorage{}, n.Storage.Config)
	assert.Equal(t, "/io.l5d.fs", n.Namers[0].Prefix.String())
}

func FuzzLoadNamerd(f *testing.F) {
	files, err := filepath.Glob("testdata/namerd/*.yaml")
	require.NoError(f, err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(data)
	}
	opts := lenient(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := config.LoadNamerd("n.yaml", data, opts)
		if err != nil {
			return
		}
		text, err := n.JSON()
		require.NoError(t, err)
		_, err = config.LoadNamerd("n.json", text, opts)
		require.NoError(t, err, "%s", text)
	})
}

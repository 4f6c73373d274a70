package config_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/proxy/config"
)

func TestDefaults(t *testing.T) {
	l := load(t, "routers: [{protocol: http, servers: [{}]}, {protocol: h2, label: x, dstPrefix: /p, servers: [{port: 0, ip: \"::\"}]}]\n")
	assert.Equal(t, "127.0.0.1:9990", l.Admin.Addr().String())
	r := &l.Routers[0]
	assert.Equal(t, "http", r.Name())
	assert.Equal(t, "/svc", r.Prefix().String())
	assert.Equal(t, "127.0.0.1:4140", r.Addr(0).String())
	assert.Nil(t, r.StreamingEnabled)
	assert.True(t, r.Interpreter.IsZero())
	assert.Nil(t, r.Identifiers)
	assert.Equal(t, "x", l.Routers[1].Name())
	assert.Equal(t, "/p", l.Routers[1].Prefix().String())
	assert.Equal(t, "[::]:0", l.Routers[1].Addr(0).String())
}

func TestDefaultPorts(t *testing.T) {
	for protocol, port := range map[string]uint16{"http": 4140, "mux": 4141, "h2": 4142, "thrift": 4114, "thriftmux": 4144} {
		l := load(t, "routers: [{protocol: "+protocol+", experimental: true, servers: [{}]}]\n")
		assert.Equal(t, port, l.Routers[0].Addr(0).Port(), protocol)
	}
}

func TestConfigJSON(t *testing.T) {
	l := load(t, `# comments vanish
admin: {ip: 127.0.0.1}
namers:
- kind: io.l5d.consul
  token: hush
routers:
- protocol: http
  label:
  dtab: |
    /svc  =>  0.5 * /a & 1.0*/b ;  # and so on
  originator: false
  interpreter: {transformers: [{kind: io.l5d.port, port: 4141}]}
  client:
    failFast: false
  servers:
  - port: 0
`)
	text, err := l.JSON()
	require.NoError(t, err)
	assert.Equal(t, `{"admin":{"ip":"127.0.0.1"},"namers":[{"kind":"io.l5d.consul","token":"(secret)"}],`+
		`"routers":[{"protocol":"http","dtab":"/svc=>0.50*/a & /b","originator":false,`+
		`"interpreter":{"kind":"default","transformers":[{"kind":"io.l5d.port","port":4141}]},`+
		`"client":{"kind":"io.l5d.global","failFast":false},"servers":[{"port":0}]}]}`, string(text))

	text, err = (&config.Linker{}).JSON()
	require.NoError(t, err)
	assert.Equal(t, "{}", string(text))
}

func TestPositions(t *testing.T) {
	l := load(t, good)
	at := func(path string) [2]int {
		line, column := l.At(path)
		return [2]int{line, column}
	}
	assert.Equal(t, [2]int{4, 11}, at("routers[0].servers[0].port"))
	assert.Equal(t, [2]int{4, 5}, at("routers[0].servers[0].tls.certPath"), "the nearest object around")
	assert.Equal(t, [2]int{1, 1}, at("nowhere"))
	line, column := (&config.Linker{}).At("x")
	assert.Zero(t, line+column)
}

func TestWarnings(t *testing.T) {
	opts := lenient(t)
	opts.IgnoreFiles = false
	opts.Dir = t.TempDir()
	doc := good + `    announce: ["/#/io.l5d.serversets/a"]
  client:
    tls: {commonName: x, trustCerts: [nope.pem]}
`
	l, err := config.Load("l5d.yaml", []byte(doc), opts)
	require.NoError(t, err, "a certificate may turn up later")
	require.Len(t, l.Warnings, 3)
	assert.Equal(t, "l5d.yaml:5:16: routers[0].servers[0].announce[0]: warning: no announcer found for /#/io.l5d.serversets/a", l.Warnings[0].String())
	assert.Equal(t, "l5d.yaml:7:38: routers[0].client.tls.trustCerts: warning: trustCerts is deprecated: use trustCertsBundle", l.Warnings[1].String())
	assert.Contains(t, l.Warnings[2].String(), "routers[0].client.tls.trustCerts[0]: warning: cannot be read: open "+filepath.Join(opts.Dir, "nope.pem"))
}

func TestMissingRootDir(t *testing.T) {
	opts := lenient(t)
	opts.IgnoreFiles = false
	opts.Dir = t.TempDir()
	assert.Equal(t, []string{"l5d.yaml:6:12: namers[0].rootDir: disco is not a directory"},
		problems(t, good+"namers: [{kind: io.l5d.fs,\n  rootDir: disco}]\n", opts))
}

func TestCheckWithoutDocument(t *testing.T) {
	assert.EqualError(t, (&config.Linker{}).Check(), "routers: At least one router must be specified in the configuration.")
	l := &config.Linker{Routers: []config.Router{{Protocol: "http", Servers: []config.Server{{}}}}}
	assert.NoError(t, l.Check())
	l.Routers = append(l.Routers, config.Router{Protocol: "http"})
	assert.EqualError(t, l.Check(), "routers[1].protocol: Multiple routers with the label http\nrouters[1].servers: router 'http' has no servers")
}

func TestAdminSecurityPatternsMatchWholePaths(t *testing.T) { // V151
	l := load(t, good+`admin:
  security:
    diagnosticsEnabled: false
    pathWhitelist: ["^/foo/bar$", "/a|/b"]
    pathBlacklist: ["^/logging$"]
`)
	s := l.Admin.Security
	assert.False(t, *s.DiagnosticsEnabled)
	assert.Nil(t, s.UIEnabled)
	assert.True(t, s.PathWhitelist[0].MatchString("/foo/bar"))
	assert.False(t, s.PathWhitelist[0].MatchString("/foo/bar/x"))
	assert.True(t, s.PathWhitelist[1].MatchString("/b"))
	assert.False(t, s.PathWhitelist[1].MatchString("/ab"))
	assert.False(t, s.PathWhitelist[1].MatchString("/abc"))
	assert.False(t, s.PathBlacklist[0].MatchString("/logging.json"))
}

func TestRollPolicies(t *testing.T) {
	for text, want := range map[string]config.RollPolicy{
		"never":          {},
		"hourly":         {When: config.RollHourly},
		"daily":          {When: config.RollDaily},
		"weekly(7)":      {When: config.RollWeekly, Weekday: 7},
		"sighup":         {When: config.RollSIGHUP},
		"3.megabytes":    {When: config.RollSize, Size: 3 << 20},
		"1.kilobyte":     {When: config.RollSize, Size: 1 << 10},
		"100.bytes":      {When: config.RollSize, Size: 100},
		"1.5.gigabytes":  {When: config.RollSize, Size: 3 << 29},
		"Hourly":         {When: config.RollHourly},
		"2048.terabytes": {When: config.RollSize, Size: 1 << 51},
	} {
		var p config.RollPolicy
		require.NoError(t, p.UnmarshalConfig(text), text)
		assert.Equal(t, want, p, text)
	}
	for _, bad := range []any{"", "weekly", "weekly(0)", "3", "3.parsecs", "-1.bytes", "0.bytes", "99999999.petabytes", int64(3), true} {
		var p config.RollPolicy
		assert.Error(t, p.UnmarshalConfig(bad), bad)
	}
}

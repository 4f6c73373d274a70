package routetest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/standard"
	"github.com/weft-mesh/weft/routetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func registry(tb testing.TB) config.Registry {
	tb.Helper()
	reg, err := standard.Registry(routetest.Kinds()...)
	require.NoError(tb, err)
	return reg
}

// run runs a suite and returns a line per test: its title, and what failed.
func run(t *testing.T, s *routetest.Suite) map[string]string {
	t.Helper()
	results, err := s.Run(t.Context(), registry(t), nil)
	require.NoError(t, err)
	all := map[string]string{}
	for _, r := range results {
		all[r.Title] = strings.Join(r.Failures, "; ")
		assert.Positive(t, r.Line)
	}
	return all
}

const world = `
dtab: |
  /svc => /#/io.l5d.fs ;
  /svc/web => 9 * /#/io.l5d.fs/web-v1 & 1 * /#/io.l5d.fs/web-v2 ;
  /svc/far => /#/none/x | /#/io.l5d.fs/users ;
  /svc/loop => /svc/loop ;
  /svc/stop => ! ;
endpoints:
  /#/io.l5d.fs:
    web-v1: [10.0.0.1:80, 10.0.0.4:80]
    web-v2: [10.0.0.2:80]
    users: [10.0.0.3:80]
    empty: []
  /#/none: {}
tests:
`

func TestRun(t *testing.T) {
	for name, row := range map[string]struct{ test, want string }{
		"a split in percent":   {`{name: /svc/web, split: {/#/io.l5d.fs/web-v1: 90%, /#/io.l5d.fs/web-v2: 10%}}`, ""},
		"a split in weights":   {`{name: /svc/web, split: {/#/io.l5d.fs/web-v1: 9, /#/io.l5d.fs/web-v2: 1.0}}`, ""},
		"another split":        {`{name: /svc/web, split: {/#/io.l5d.fs/web-v1: 9, /#/io.l5d.fs/web-v2: 2}}`, "it goes to /#/io.l5d.fs/web-v1 90%, /#/io.l5d.fs/web-v2 10%, want to /#/io.l5d.fs/web-v1 81.82%, /#/io.l5d.fs/web-v2 18.18%"},
		"one of two":           {`{name: /svc/web, to: /#/io.l5d.fs/web-v1}`, "it goes to /#/io.l5d.fs/web-v1 90%, /#/io.l5d.fs/web-v2 10%, want to /#/io.l5d.fs/web-v1"},
		"an override":          {`{name: /svc/web, override: /svc/web => /#/io.l5d.fs/web-v2, to: /#/io.l5d.fs/web-v2}`, ""},
		"all endpoints":        {`{name: /svc/web, split: {/#/io.l5d.fs/web-v1: 9, /#/io.l5d.fs/web-v2: 1}, endpoints: ["10.0.0.2:80", "10.0.0.1:80", "10.0.0.4:80"]}`, ""},
		"other endpoints":      {`{name: /svc/users, to: /#/io.l5d.fs/users, endpoints: ["10.0.0.9:80"]}`, "the endpoints are [10.0.0.3:80], want [10.0.0.9:80]"},
		"no endpoints":         {`{name: /svc/empty, to: /#/io.l5d.fs/empty, endpoints: []}`, ""},
		"the second choice":    {`{name: /svc/far, to: /#/io.l5d.fs/users}`, ""},
		"nowhere":              {`{name: /svc/payments, nowhere: true}`, ""},
		"somewhere":            {`{name: /svc/users, nowhere: true}`, "it goes to /#/io.l5d.fs/users, want nowhere"},
		"a residual":           {`{name: /svc/users/a/b, to: /#/io.l5d.fs/users, residual: /a/b}`, ""},
		"another residual":     {`{name: /svc/users/a/b, to: /#/io.l5d.fs/users, residual: /a}`, "/a/b is left of the name, want /a"},
		"a request":            {`{request: {headers: {host: users}}, identified: /svc/users, to: /#/io.l5d.fs/users}`, ""},
		"a request's override": {`{request: {headers: {Host: web, l5d-dtab: /svc/web=>/svc/users}}, to: /#/io.l5d.fs/users}`, ""},
		"another name":         {`{request: {headers: {Host: users}}, identified: /svc/web}`, "the request is named /svc/users, want /svc/web"},
		"not identified":       {`{request: {}, error: Host}`, ""},
		"an error":             {`{name: /svc/loop, error: recursion level}`, ""},
		"another error":        {`{name: /svc/loop, error: nonsense}`, `want an error with "nonsense", got`},
		"no error":             {`{name: /svc/users, error: boom}`, `want an error with "boom", but it goes to /#/io.l5d.fs/users`},
		"inet":                 {`{name: /$/inet/127.1/80, to: /$/inet/127.1/80, endpoints: ["127.0.0.1:80"]}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := routetest.Parse("x_test.yaml", []byte(world+"- {test: "+name+", "+row.test[1:]))
			require.NoError(t, err)
			got := run(t, s)[name]
			if row.want == "" {
				assert.Empty(t, got)
			} else {
				assert.Contains(t, got, row.want)
			}
		})
	}
}

func TestWithAConfiguration(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	write("linkerd.yaml", `
namers: [{kind: io.l5d.consul, host: nowhere.invalid, transformers: [{kind: io.l5d.port, port: 4141}]}, {kind: io.l5d.k8s, prefix: /k}]
telemetry: [{kind: io.l5d.zipkin}]
routers:
- protocol: http
  label: in
  identifier: {kind: io.l5d.path, segments: 2}
  dtab: /svc/a => /srv/b
  interpreter: {kind: io.l5d.namerd, dst: /$/inet/nowhere.invalid/4100, namespace: internal}
  servers: [{port: 1, tls: {certPath: /none, keyPath: /none}}]
- {protocol: h2, label: out, servers: [{}]}
`)
	write("internal.dtab", "/srv => /#/io.l5d.consul/dc1 ; # the namespace\n/svc/a => /#/k/a;")
	file := write("x_test.yaml", `
config: linkerd.yaml
router: in
dtabFile: internal.dtab
endpoints: {/#/io.l5d.consul: {dc1/b: ["10.0.0.1:80"]}}
tests:
- {test: the routers rules win, request: {target: /a/x/y}, identified: /svc/a/x, to: /#/io.l5d.consul/dc1/b, residual: /x}
- {test: k8s knows nothing, name: /#/k/a, nowhere: true}
`)
	s, err := routetest.Load(file)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"the routers rules win": "", "k8s knows nothing": ""}, run(t, s))

	for text, want := range map[string]string{
		"config: linkerd.yaml\ntests: [{test: a, name: /a, nowhere: true}]":                                            "config: say which of its routers is tested: router: in, or out",
		"config: linkerd.yaml\nrouter: x\ntests: [{test: a, name: /a, nowhere: true}]":                                 `router: no router of linkerd.yaml is labelled "x"; there are in, out`,
		"config: linkerd.yaml\nrouter: in\nendpoints: {/#/io.l5d.fs: {}}\ntests: [{test: a, name: /a, nowhere: true}]": "endpoints: no namer of linkerd.yaml has the prefix /#/io.l5d.fs; there are /#/io.l5d.consul, /#/k",
		"config: none.yaml\ntests: [{test: a, name: /a, nowhere: true}]":                                               "config: open " + dir + "/none.yaml: no such file",
		"endpoints: {/#/io.l5d.fs: {a: [nonsense]}}\ntests: [{test: a, name: /a, nowhere: true}]":                      `address "nonsense": must be host:port`,
	} {
		s, err := routetest.Parse(filepath.Join(dir, "y.yaml"), []byte(text))
		require.NoError(t, err)
		_, err = s.Run(t.Context(), registry(t), nil)
		require.ErrorContains(t, err, want)
	}
}

func TestProblems(t *testing.T) {
	for text, want := range map[string]string{
		"tests: []":                                                                "x.yaml:1:8: tests: the list must not be empty",
		"tests: [{test: a, name: /svc/a}]":                                         "tests[0].test: the test expects nothing: set to, split, nowhere, error or identified",
		"tests: [{test: a, to: /a}]":                                               "tests[0].name: a test asks about a name or a request: set one of them",
		"tests: [{test: a, name: /a, to: /a, nowhere: true}]":                      "tests[0].test: set one of to, split, nowhere and error",
		"tests: [{test: a, name: /a, split: {/a: much}}]":                          "tests[0].split./a: want a share such as 90% or a weight such as 9, found much",
		"tests: [{test: a, name: /a, split: {/a: 0}}]":                             "the shares add up to nothing",
		"tests: [{test: a, name: /a, split: {a: 1}}]":                              "'/' expected but 'a' found",
		"tests: [{test: a, name: /, nowhere: true}]":                               "the name is empty",
		"tests: [{test: a, name: /a, nowhere: true, residual: /x}]":                "residual goes with to",
		"tests: [{test: a, name: /a, nowhere: true, identified: /x}]":              "identified goes with request",
		"tests: [{test: a, name: /a, nowhere: true, override: x}]":                 "tests[0].override: ",
		"tests: [{test: a, nme: /a, nowhere: true}]":                               `Unrecognized field "nme" (did you mean "name"?)`,
		"router: x\ntests: [{test: a, name: /a, nowhere: true}]":                   "router is a label of the configuration: set config",
		"dtab: /a=>/b\ndtabFile: x\ntests: [{test: a, name: /a, nowhere: true}]":   "set dtab or dtabFile, not both",
		"dtabFile: none.dtab\ntests: [{test: a, name: /a, nowhere: true}]":         "dtabFile: none.dtab: open none.dtab: no such file",
		"endpoints: {/io.l5d.fs: {}}\ntests: [{test: a, name: /a, nowhere: true}]": `"/io.l5d.fs" is not the prefix of a namer, such as /#/io.l5d.fs`,
		"tests: [{test: a, name: /a, split: {/a: -1}}]":                            "want a share",
		"tests: [{test: a, name: /a, split: {/a: true}}]":                          "want a share",
	} {
		_, err := routetest.Parse("x.yaml", []byte(text))
		require.ErrorContains(t, err, want, text)
	}
	_, err := routetest.Load(filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestOnlySome(t *testing.T) {
	s, err := routetest.Parse("x", []byte("tests: [{test: a, name: /a, nowhere: true}, {test: b, name: /b, to: /b}]"))
	require.NoError(t, err)
	results, err := s.Run(t.Context(), registry(t), func(title string) bool { return title == "b" })
	require.NoError(t, err)
	require.Len(t, results, 1)
	assert.False(t, results[0].OK())
	assert.Contains(t, results[0].Explanation, "/b")
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(world + "- {test: a, name: /svc/web, nowhere: true}"))
	f.Fuzz(func(_ *testing.T, data []byte) { _, _ = routetest.Parse("x.yaml", data) })
}

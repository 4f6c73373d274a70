package e2e_test

import (
	"crypto/tls"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/portlock"
	"github.com/weft-mesh/weft/internal/testcert"
)

// secure serves h with TLS.
func secure(t *testing.T, addr string, cfg *tls.Config, h http.HandlerFunc) *endpoint {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	require.NoError(t, err)
	return endpointOn(t, tls.NewListener(l, cfg), h)
}

func TestTLSExample(t *testing.T) {
	portlock.Acquire(t, 4140, 8888, 9990)
	dir := lay(t, "corpus")
	// The file names certificates in /foo, where a test cannot put any: the directory
	// is the one thing that is replaced in it.
	certs := filepath.Join(dir, "foo")
	file := filepath.Join(dir, examples, "tls.yaml")
	text := readFile(t, file)
	require.Contains(t, text, "/foo/")
	write(t, file, strings.ReplaceAll(text, "/foo/", certs+"/"))

	root := testcert.New(t, "root", nil)
	between := testcert.New(t, "between", root)
	write(t, filepath.Join(certs, "caCert.pem"), string(root.PEM))
	save(t, between.Issue(t, "edge", "edge.example"), filepath.Join(certs, "cert.pem"), filepath.Join(certs, "key.pem"))
	write(t, filepath.Join(certs, "ca-chain.pem"), string(between.PEM))
	// Each service must have a certificate with its own name: dog has, cat has not.
	dog := secure(t, "127.0.0.1:8888", root.Issue(t, "dog").Config(t), saying("woof"))
	run(t, dir, examples+"tls.yaml")

	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: root.Pool(), ServerName: "edge.example"},
	}}
	r, err := get("https://127.0.0.1:4140/", "Host: dog").with(client)
	require.NoError(t, err, "with the intermediate certificate the chain is whole")
	require.Equal(t, 200, r.status, r.body)
	assert.Equal(t, "woof", r.body)
	assert.Equal(t, "dog", dog.last(t).TLS.ServerName)
	assert.Equal(t, "dog", dog.last(t).Host)

	r, err = get("https://127.0.0.1:4140/", "Host: cat").with(client)
	require.NoError(t, err)
	assert.Equal(t, 502, r.status, "cat is at the same port and has no certificate of its own")
	assert.NotEmpty(t, r.header.Get("L5d-Err"))
	assert.Len(t, dog.requests(), 1)

	plainly, err := try(get(edge+"/", "Host: dog"))
	assert.True(t, err != nil || plainly.status == 400, "cleartext at a TLS port: %v %v", plainly, err)
}

// twoHops is a proxy that talks TLS to another one.
const twoHops = `
admin: {port: 0}
routers:
- protocol: http
  label: outgoing
  dtab: /svc => /$/inet/127.1/${incoming}
  client: ${client}
  servers: [{port: 0}]
`

const incoming = `
admin: {port: 0}
routers:
- protocol: http
  label: incoming
  dtab: /svc/* => /$/inet/127.1/${endpoint}
  servers:
  - port: 0
    tls: ${tls}
`

func TestTLSBetweenProxies(t *testing.T) {
	root := testcert.New(t, "root", nil)
	other := testcert.New(t, "other root", nil)
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	write(t, at("ca.pem"), string(root.PEM))
	write(t, at("other.pem"), string(other.PEM))
	save(t, root.Issue(t, "linkerd"), at("server.pem"), at("server.key"))
	save(t, root.Issue(t, "caller"), at("client.pem"), at("client.key"))
	save(t, other.Issue(t, "caller"), at("foreign.pem"), at("foreign.key"))
	e := endpointAt(t, "127.0.0.1:0", saying("plain"))
	_, port, _ := strings.Cut(e.addr, ":")
	hop := func(t *testing.T, server, client string) *mesh {
		t.Helper()
		in := serveIn(t, dir, strings.NewReplacer("${endpoint}", port, "${tls}", server).Replace(incoming))
		return serveIn(t, dir, strings.NewReplacer("${incoming}", in.port("incoming"), "${client}", client).Replace(twoHops))
	}
	server := "{certPath: '${dir}/server.pem', keyPath: '${dir}/server.key'}"
	asking := "{certPath: '${dir}/server.pem', keyPath: '${dir}/server.key', requireClientAuth: true, caCertPath: '${dir}/ca.pem'}"
	rows := []struct {
		name, server, client string
		status               int
	}{
		{"V95 trustCertsBundle", server, "{tls: {commonName: linkerd, trustCertsBundle: '${dir}/ca.pem'}}", 200},
		{"V95 trustCerts", server, "{tls: {commonName: linkerd, trustCerts: ['${dir}/other.pem', '${dir}/ca.pem']}}", 200},
		{"V96 wrong common name", server, "{tls: {commonName: wrong, trustCertsBundle: '${dir}/ca.pem'}}", 502},
		{"untrusted issuer", server, "{tls: {commonName: linkerd, trustCertsBundle: '${dir}/other.pem'}}", 502},
		{"system roots", server, "{tls: {commonName: linkerd}}", 502},
		{"V99 disableValidation", server, "{tls: {disableValidation: true}}", 200},
		{"V99 with a name", server, "{tls: {disableValidation: true, commonName: wrong}}", 200},
		{"no TLS", server, "{tls: {enabled: false}}", 400},
		{"V101 with clientAuth", asking, "{tls: {commonName: linkerd, trustCertsBundle: '${dir}/ca.pem', clientAuth: {certPath: '${dir}/client.pem', keyPath: '${dir}/client.key'}}}", 200},
		{"V101 without clientAuth", asking, "{tls: {commonName: linkerd, trustCertsBundle: '${dir}/ca.pem'}}", 502},
		{"V101 with a foreign certificate", asking, "{tls: {commonName: linkerd, trustCertsBundle: '${dir}/ca.pem', clientAuth: {certPath: '${dir}/foreign.pem', keyPath: '${dir}/foreign.key'}}}", 502},
		{"not asked for", server, "{tls: {commonName: linkerd, trustCertsBundle: '${dir}/ca.pem', clientAuth: {certPath: '${dir}/client.pem', keyPath: '${dir}/client.key'}}}", 200},
		{"protocols agree", "{certPath: '${dir}/server.pem', keyPath: '${dir}/server.key', protocols: [TLSv1.2]}", "{tls: {commonName: linkerd, trustCertsBundle: '${dir}/ca.pem', protocols: [TLSv1.2, TLSv1.3]}}", 200},
		{"protocols do not agree", "{certPath: '${dir}/server.pem', keyPath: '${dir}/server.key', protocols: [TLSv1.2]}", "{tls: {commonName: linkerd, trustCertsBundle: '${dir}/ca.pem', protocols: [TLSv1.3]}}", 502},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			m := hop(t, row.server, row.client)
			r := do(t, get(m.url("outgoing")+"/", "Host: any.host"))
			require.Equal(t, row.status, r.status, r.body)
			if row.status == 200 {
				assert.Equal(t, "plain", r.body)
				assert.Equal(t, "any.host", e.last(t).Host, "TLS does not alter the Host header")
			}
			if row.status == 502 {
				assert.NotEmpty(t, r.header.Get("L5d-Err"))
			}
		})
	}
	t.Run("V100 replaced", func(t *testing.T) {
		save(t, root.Issue(t, "somebody else"), at("server.pem"), at("server.key"))
		m := hop(t, server, "{tls: {commonName: linkerd, trustCertsBundle: '${dir}/ca.pem'}}")
		require.Equal(t, 502, do(t, get(m.url("outgoing")+"/", "Host: any")).status)
		save(t, root.Issue(t, "linkerd"), at("server.pem"), at("server.key"))
		require.Equal(t, 200, do(t, get(m.url("outgoing")+"/", "Host: any")).status)
	})
	t.Run("V100 trust replaced", func(t *testing.T) {
		write(t, at("trust.pem"), string(other.PEM))
		m := hop(t, server, "{tls: {commonName: linkerd, trustCertsBundle: '${dir}/trust.pem'}}")
		require.Equal(t, 502, do(t, get(m.url("outgoing")+"/", "Host: any")).status)
		write(t, at("trust.pem"), string(root.PEM))
		require.Equal(t, 200, do(t, get(m.url("outgoing")+"/", "Host: any")).status)
	})
}

func TestTLSOfCallers(t *testing.T) { // V94
	root := testcert.New(t, "root", nil)
	dir := t.TempDir()
	save(t, root.Issue(t, "edge", "edge.example"), filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key"))
	e := endpointAt(t, "127.0.0.1:0", saying("plain"))
	_, port, _ := strings.Cut(e.addr, ":")
	m := serveIn(t, dir, strings.NewReplacer("${endpoint}", port, "${tls}", "{certPath: '${dir}/server.pem', keyPath: '${dir}/server.key'}").Replace(incoming))
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: root.Pool(), ServerName: "edge.example"},
	}}
	r, err := get("https://"+m.addrs.Servers["incoming"][0]+"/", "Host: any").with(client)
	require.NoError(t, err)
	assert.Equal(t, 200, r.status)
	assert.Equal(t, "plain", r.body)
	assert.Nil(t, e.last(t).TLS)
}

func TestTLSNamesFromCaptures(t *testing.T) { // V97
	root := testcert.New(t, "root", nil)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "ca.pem"), string(root.PEM))
	clifford := secure(t, "127.0.0.1:0", root.Issue(t, "clifford.buoyant.io").Config(t), saying("woof"))
	ralph := secure(t, "127.0.0.1:0", root.Issue(t, "x", "ralph.buoyant.io").Config(t), saying("rf"))
	for name, e := range map[string]*endpoint{"clifford": clifford, "ralph": ralph, "impostor": ralph} {
		write(t, filepath.Join(dir, "disco", name), e.line())
	}
	m := serveIn(t, dir, `
admin: {port: 0}
namers: [{kind: io.l5d.fs, rootDir: '${dir}/disco'}]
routers:
- protocol: http
  dtab: /svc => /#/io.l5d.fs
  client:
    kind: io.l5d.static
    configs:
    - {prefix: /, tls: {trustCertsBundle: '${dir}/ca.pem', disableValidation: true}}
    - {prefix: "/#/io.l5d.fs/{host}", tls: {commonName: "{host}.buoyant.io", trustCertsBundle: '${dir}/ca.pem'}}
  servers: [{port: 0}]
`)
	assert.Equal(t, "woof", do(t, get(m.url("http")+"/", "Host: clifford")).body)
	assert.Equal(t, "rf", do(t, get(m.url("http")+"/", "Host: ralph")).body)
	assert.Equal(t, 502, do(t, get(m.url("http")+"/", "Host: impostor")).status)
}

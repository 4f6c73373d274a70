package tlsfiles_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/testcert"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/tlsfiles"
)

// files is a directory of certificates.
type files struct {
	t   *testing.T
	dir string
}

func (f files) path(name string) string { return filepath.Join(f.dir, name) }

// put replaces a file and returns its path.
func (f files) put(name string, data []byte) string {
	f.t.Helper()
	require.NoError(f.t, os.WriteFile(f.path(name+".new"), data, 0o600))
	require.NoError(f.t, os.Rename(f.path(name+".new"), f.path(name)))
	return f.path(name)
}

// server writes a pair and returns the section that names it.
func (f files) server(p testcert.Pair) config.ServerTLS {
	return config.ServerTLS{CertPath: f.put("server.pem", p.Cert), KeyPath: f.put("server.key", p.Key)}
}

// shake shakes hands and returns what both sides say. It is over a real connection:
// with a pipe, which has no buffer, a client that refuses in the middle of the
// server's flight and the server would wait for each other.
func shake(t *testing.T, server, client *tls.Config) (seen tls.ConnectionState, clientErr, serverErr error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	b, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	a, err := l.Accept()
	require.NoError(t, err)
	defer a.Close()
	defer b.Close()
	deadline := time.Now().Add(10 * time.Second)
	require.NoError(t, a.SetDeadline(deadline))
	require.NoError(t, b.SetDeadline(deadline))
	done := make(chan error, 1)
	s := tls.Server(a, server)
	go func() {
		err := s.Handshake()
		if err == nil {
			_, err = s.Write([]byte("!")) // a client learns of a refusal when it reads
		} else {
			_ = a.Close()
		}
		done <- err
	}()
	c := tls.Client(b, client)
	clientErr = c.Handshake()
	if clientErr == nil {
		_, clientErr = c.Read(make([]byte, 1))
	} else {
		_ = b.Close()
	}
	return c.ConnectionState(), clientErr, <-done
}

// client returns the configuration of the next connection.
func client(t *testing.T, c config.ClientTLS) *tls.Config {
	t.Helper()
	cfg, err := tlsfiles.Client(&c)()
	require.NoError(t, err)
	return cfg
}

func TestClientVerifiesNames(t *testing.T) {
	f := files{t, t.TempDir()}
	root, other := testcert.New(t, "root", nil), testcert.New(t, "other", nil)
	trust, distrust := f.put("ca.pem", root.PEM), f.put("other.pem", other.PEM)
	rows := []struct {
		name   string
		cert   testcert.Pair
		client config.ClientTLS
		ok     bool
	}{
		{"by common name", root.Issue(t, "linkerd"), config.ClientTLS{CommonName: new("linkerd"), TrustCertsBundle: &trust}, true},
		{"case does not matter", root.Issue(t, "Web.Example"), config.ClientTLS{CommonName: new("web.example"), TrustCertsBundle: &trust}, true},
		{"wildcard common name", root.Issue(t, "*.buoyant.io"), config.ClientTLS{CommonName: new("web.buoyant.io"), TrustCertsBundle: &trust}, true},
		{"wildcard is one label", root.Issue(t, "*.buoyant.io"), config.ClientTLS{CommonName: new("a.b.buoyant.io"), TrustCertsBundle: &trust}, false},
		{"another common name", root.Issue(t, "linkerd"), config.ClientTLS{CommonName: new("wrong"), TrustCertsBundle: &trust}, false},
		{"a name that is no host's", root.Issue(t, "my_service prod"), config.ClientTLS{CommonName: new("my_service prod"), TrustCertsBundle: &trust}, true},
		{"by DNS name", root.Issue(t, "x", "web.example"), config.ClientTLS{CommonName: new("web.example"), TrustCertsBundle: &trust}, true},
		{"DNS names hide the common name", root.Issue(t, "linkerd", "web.example"), config.ClientTLS{CommonName: new("linkerd"), TrustCertsBundle: &trust}, false},
		{"untrusted issuer", root.Issue(t, "linkerd"), config.ClientTLS{CommonName: new("linkerd"), TrustCertsBundle: &distrust}, false},
		{"list of issuers", root.Issue(t, "linkerd"), config.ClientTLS{CommonName: new("linkerd"), TrustCerts: []string{distrust, trust}}, true},
		{"system roots", root.Issue(t, "linkerd"), config.ClientTLS{CommonName: new("linkerd")}, false},
		{"no validation", other.Issue(t, "x"), config.ClientTLS{DisableValidation: new(true)}, true},
		{"no validation, a name to ask for", other.Issue(t, "x"), config.ClientTLS{DisableValidation: new(true), CommonName: new("web.example")}, true},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			_, err, _ := shake(t, row.cert.Config(t), client(t, row.client))
			if row.ok {
				require.NoError(t, err)
			} else {
				require.Error(t, err)
			}
		})
	}
	t.Run("the name is asked for", func(t *testing.T) {
		var sni string
		server := root.Issue(t, "web.example").Config(t)
		server.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) { sni = h.ServerName; return nil, nil }
		_, err, _ := shake(t, server, client(t, config.ClientTLS{CommonName: new("web.example"), TrustCertsBundle: &trust}))
		require.NoError(t, err)
		assert.Equal(t, "web.example", sni)
	})
}

func TestClientSettings(t *testing.T) {
	f := files{t, t.TempDir()}
	root := testcert.New(t, "root", nil)
	trust, empty := f.put("ca.pem", root.PEM), f.put("empty.pem", []byte("no certificate"))

	assert.Nil(t, tlsfiles.Client(nil))
	assert.Nil(t, tlsfiles.Client(&config.ClientTLS{Enabled: new(false), CommonName: new("x")}))
	assert.Equal(t, []string{"h2"}, func() []string {
		cfg, err := tlsfiles.Client(&config.ClientTLS{DisableValidation: new(true)}, "h2")()
		require.NoError(t, err)
		return cfg.NextProtos
	}())
	for name, row := range map[string]struct {
		c   config.ClientTLS
		err string
	}{
		"no common name":  {config.ClientTLS{TrustCertsBundle: &trust}, "tls is configured with validation but `commonName` is not set"},
		"both trust keys": {config.ClientTLS{CommonName: new("x"), TrustCertsBundle: &trust, TrustCerts: []string{trust}}, "Both trustCerts and trustCertsBundle have been set"},
		"missing bundle":  {config.ClientTLS{CommonName: new("x"), TrustCertsBundle: new(f.path("none.pem"))}, "none.pem: no such file"},
		"empty bundle":    {config.ClientTLS{CommonName: new("x"), TrustCertsBundle: &empty}, "empty.pem: no certificate in PEM form"},
		"unknown version": {config.ClientTLS{DisableValidation: new(true), Protocols: []string{"TLSv9"}}, `unknown protocol "TLSv9"`},
		"missing key": {config.ClientTLS{CommonName: new("x"), TrustCertsBundle: &trust, ClientAuth: &config.ClientAuth{
			CertPath: trust, KeyPath: f.path("none.key"),
		}}, "none.key: no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := tlsfiles.Client(&row.c)()
			require.ErrorContains(t, err, row.err)
		})
	}
}

func TestVersions(t *testing.T) {
	f := files{t, t.TempDir()}
	root := testcert.New(t, "root", nil)
	section := f.server(root.Issue(t, "x"))
	for _, row := range []struct {
		server, client []string
		want           uint16 // 0: they do not agree
	}{
		{nil, nil, tls.VersionTLS13},
		{[]string{"TLSv1.2"}, nil, tls.VersionTLS12},
		{nil, []string{"TLSv1.2"}, tls.VersionTLS12},
		{[]string{"TLSv1.2", "TLSv1.3"}, nil, tls.VersionTLS13},
		{[]string{"TLSv1.3", "TLSv1.2"}, []string{"TLSv1.2"}, tls.VersionTLS12},
		{[]string{"TLSv1.2"}, []string{"TLSv1.3"}, 0},
	} {
		section.Protocols = row.server
		state, err, _ := shake(t, tlsfiles.Server(section), client(t, config.ClientTLS{DisableValidation: new(true), Protocols: row.client}))
		if row.want == 0 {
			require.Error(t, err)
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, row.want, state.Version, "%v %v", row.server, row.client)
	}
	section.Protocols = []string{"SSLv3"}
	require.ErrorContains(t, tlsfiles.CheckServer(section), `unknown protocol "SSLv3"`)
}

func TestCiphers(t *testing.T) {
	f := files{t, t.TempDir()}
	root := testcert.New(t, "root", nil)
	section := f.server(root.Issue(t, "x"))
	section.Protocols = []string{"TLSv1.2"}
	for name, want := range map[string]uint16{
		"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256":       tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		"ECDHE-ECDSA-AES256-GCM-SHA384":                 tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		"ECDHE-ECDSA-CHACHA20-POLY1305":                 tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
		"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
		"ECDHE-ECDSA-AES128-SHA":                        tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
	} {
		section.Ciphers = []string{"TLS_AES_128_GCM_SHA256", name} // that of TLS 1.3 is ignored
		state, err, _ := shake(t, tlsfiles.Server(section), client(t, config.ClientTLS{DisableValidation: new(true)}))
		require.NoError(t, err, name)
		assert.Equal(t, want, state.CipherSuite, name)
	}
	for _, name := range []string{
		"AES128-SHA", "TLS_RSA_WITH_AES_128_CBC_SHA", "AES256-GCM-SHA384", "ECDHE-RSA-AES128-SHA256", "TLS_AES_256_GCM_SHA384",
		"DES-CBC3-SHA", "RC4-SHA", "ECDHE-RSA-RC4-SHA", "ECDHE-RSA-DES-CBC3-SHA",
	} {
		section.Ciphers = []string{name}
		assert.NoError(t, tlsfiles.CheckServer(section), name)
	}
	section.Ciphers = []string{"ROT13"}
	require.ErrorContains(t, tlsfiles.CheckServer(section), `unknown cipher suite "ROT13"`)
}

func TestServerAsksForCertificates(t *testing.T) {
	f := files{t, t.TempDir()}
	root, other := testcert.New(t, "root", nil), testcert.New(t, "other", nil)
	section := f.server(root.Issue(t, "linkerd"))
	trust := f.put("ca.pem", root.PEM)
	with := func(p testcert.Pair, name string) *tls.Config {
		return client(t, config.ClientTLS{CommonName: new("linkerd"), TrustCertsBundle: &trust, ClientAuth: &config.ClientAuth{
			CertPath: f.put(name+".pem", p.Cert), KeyPath: f.put(name+".key", p.Key),
		}})
	}
	without := client(t, config.ClientTLS{CommonName: new("linkerd"), TrustCertsBundle: &trust})

	state, err, _ := shake(t, tlsfiles.Server(section), with(root.Issue(t, "caller"), "caller"))
	require.NoError(t, err)
	assert.True(t, state.HandshakeComplete)

	section.RequireClientAuth, section.CACertPath = true, trust
	_, err, serverErr := shake(t, tlsfiles.Server(section), with(root.Issue(t, "caller"), "caller"))
	require.NoError(t, errors.Join(err, serverErr))
	_, _, serverErr = shake(t, tlsfiles.Server(section), without)
	require.Error(t, serverErr, "no certificate")
	_, _, serverErr = shake(t, tlsfiles.Server(section), with(other.Issue(t, "caller"), "foreigner"))
	require.Error(t, serverErr, "a foreign certificate")
	section.CACertPath = ""
	_, _, serverErr = shake(t, tlsfiles.Server(section), with(root.Issue(t, "caller"), "caller"))
	require.Error(t, serverErr, "the system's roots do not include it")
}

func TestIntermediateCertificatesAreSent(t *testing.T) {
	f := files{t, t.TempDir()}
	root := testcert.New(t, "root", nil)
	between := testcert.New(t, "between", root)
	trust := f.put("ca.pem", root.PEM)
	section := f.server(between.Issue(t, "linkerd"))
	settings := config.ClientTLS{CommonName: new("linkerd"), TrustCertsBundle: &trust}
	_, err, _ := shake(t, tlsfiles.Server(section), client(t, settings))
	require.Error(t, err)
	section.IntermediateCertsPath = f.put("chain.pem", between.PEM)
	_, err, _ = shake(t, tlsfiles.Server(section), client(t, settings))
	require.NoError(t, err)
}

// leaf is the common name that a server shows to a new connection.
func leaf(t *testing.T, server *tls.Config) (string, error) {
	t.Helper()
	state, err, serverErr := shake(t, server, &tls.Config{InsecureSkipVerify: true})
	if err = errors.Join(serverErr, err); err != nil {
		return "", err
	}
	return state.PeerCertificates[0].Subject.CommonName, nil
}

func TestReplacedFilesTakeEffectForNewConnections(t *testing.T) {
	f := files{t, t.TempDir()}
	root := testcert.New(t, "root", nil)
	server := tlsfiles.Server(config.ServerTLS{CertPath: f.path("server.pem"), KeyPath: f.path("server.key")})

	_, err := leaf(t, server)
	require.ErrorIs(t, err, fs.ErrNotExist, "certificates may arrive later")
	f.server(root.Issue(t, "first"))
	name, err := leaf(t, server)
	require.NoError(t, err)
	assert.Equal(t, "first", name)

	second := root.Issue(t, "second")
	f.put("server.pem", second.Cert)
	_, err = leaf(t, server)
	require.ErrorContains(t, err, "private key does not match", "half of it has been replaced")
	f.put("server.key", second.Key)
	name, err = leaf(t, server)
	require.NoError(t, err)
	assert.Equal(t, "second", name)

	// In place, too.
	third := root.Issue(t, "third")
	require.NoError(t, os.WriteFile(f.path("server.pem"), third.Cert, 0o600))
	require.NoError(t, os.WriteFile(f.path("server.key"), third.Key, 0o600))
	name, err = leaf(t, server)
	require.NoError(t, err)
	assert.Equal(t, "third", name)
}

// Kubernetes replaces the files of a secret at once by turning the link ..data to
// another directory.
func TestSwappedLinksTakeEffect(t *testing.T) {
	f := files{t, t.TempDir()}
	root := testcert.New(t, "root", nil)
	old := time.Now().Add(-time.Hour)
	volume := func(name string) {
		p := root.Issue(t, name)
		require.NoError(t, os.Mkdir(f.path(name), 0o700))
		for file, data := range map[string][]byte{"tls.crt": p.Cert, "tls.key": p.Key} {
			// As old and as long as the others, so that only the file itself differs.
			data = append(data, make([]byte, 4096-len(data))...)
			for i := range data {
				if data[i] == 0 {
					data[i] = '\n'
				}
			}
			require.NoError(t, os.WriteFile(f.path(name+"/"+file), data, 0o600))
			require.NoError(t, os.Chtimes(f.path(name+"/"+file), old, old))
		}
		require.NoError(t, os.Symlink(name, f.path("..tmp")))
		require.NoError(t, os.Rename(f.path("..tmp"), f.path("..data")))
	}
	volume("first")
	for _, file := range []string{"tls.crt", "tls.key"} {
		require.NoError(t, os.Symlink("..data/"+file, f.path(file)))
	}
	server := tlsfiles.Server(config.ServerTLS{CertPath: f.path("tls.crt"), KeyPath: f.path("tls.key")})
	name, err := leaf(t, server)
	require.NoError(t, err)
	assert.Equal(t, "first", name)
	volume("second")
	name, err = leaf(t, server)
	require.NoError(t, err)
	assert.Equal(t, "second", name)
}

func TestReplacedTrustTakesEffect(t *testing.T) {
	f := files{t, t.TempDir()}
	root, other := testcert.New(t, "root", nil), testcert.New(t, "other", nil)
	trust := f.put("ca.pem", other.PEM)
	next := tlsfiles.Client(&config.ClientTLS{CommonName: new("linkerd"), TrustCertsBundle: &trust})
	server := root.Issue(t, "linkerd").Config(t)
	try := func() error {
		cfg, err := next()
		require.NoError(t, err)
		_, err, _ = shake(t, server, cfg)
		return err
	}
	var unknown x509.UnknownAuthorityError
	require.ErrorAs(t, try(), &unknown)
	f.put("ca.pem", root.PEM)
	require.NoError(t, try())

	one, err := next()
	require.NoError(t, err)
	two, err := next()
	require.NoError(t, err)
	assert.Same(t, one, two, "files that have not changed are not read again")
}

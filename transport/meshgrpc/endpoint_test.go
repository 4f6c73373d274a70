package meshgrpc_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshgrpc"
)

// selfSigned returns a certificate for name and the pool that trusts it.
func selfSigned(t *testing.T, name string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func TestCredentialsOfTheClient(t *testing.T) {
	cert, pool := selfSigned(t, "secret.example")
	secured := meshgrpc.ClientSettings{Credentials: credentials.NewTLS(&tls.Config{RootCAs: pool, ServerName: "secret.example"})}
	w := newWorld(t, meshgrpc.Options{Client: func(id dtab.Path) meshgrpc.ClientSettings {
		if id == dtab.MustPath("/#/t/secret") {
			return secured
		}
		return meshgrpc.ClientSettings{}
	}})
	w.serve("10.0.0.1:1", nil)
	b := w.serve("10.0.0.2:1", nil, grpc.Creds(credentials.NewServerTLSFromCert(&cert)))
	w.set("plain", "10.0.0.1:1")
	w.set("secret", "10.0.0.2:1")
	w.set("mixed", "10.0.0.2:1")

	_, err := call(t.Context(), w.client("plain"))
	require.NoError(t, err)
	var p peer.Peer
	_, err = call(t.Context(), w.client("secret"), grpc.Peer(&p))
	require.NoError(t, err)
	assert.Equal(t, "tls", p.AuthInfo.AuthType())
	assert.Equal(t, []string{"secret.example"}, b.seen()[":authority"], "not the name in the mesh")
	_, err = call(t.Context(), w.client("mixed"))
	assert.Equal(t, codes.Unavailable, status.Code(err))
	assert.True(t, weft.IsUnsent(err))
}

func TestHandshakeThatFailsIsUnsent(t *testing.T) {
	cert, _ := selfSigned(t, "other.example")
	_, pool := selfSigned(t, "secret.example")
	o := never()
	o.Credentials = credentials.NewTLS(&tls.Config{RootCAs: pool, ServerName: "secret.example"})
	w := newWorld(t, o)
	w.serve("10.0.0.1:1", nil, grpc.Creds(credentials.NewServerTLSFromCert(&cert)))
	w.set("users", "10.0.0.1:1")
	_, err := call(t.Context(), w.client("users"))
	assert.True(t, weft.IsUnsent(err))
	assert.Contains(t, err.Error(), "handshake failed")
}

func TestAuthorityOfTheEndpointSet(t *testing.T) {
	w := newWorld(t, meshgrpc.Options{})
	b := w.serve("10.0.0.1:1", nil)
	w.name("users").Store(naming.Ok(weft.EndpointSet{
		Endpoints: []weft.Endpoint{{Addr: "10.0.0.1:1"}},
		Meta:      map[string]string{"authority": "users.internal"},
	}))
	_, err := call(t.Context(), w.client("users"))
	require.NoError(t, err)
	assert.Equal(t, []string{"users.internal"}, b.seen()[":authority"])
	_, err = call(t.Context(), w.client("users"), grpc.CallAuthority("mine"))
	require.NoError(t, err)
	assert.Equal(t, []string{"mine"}, b.seen()[":authority"], "the caller knows best")
}

func TestEndpointThatIsAnAnswer(t *testing.T) {
	for local, want := range map[string]codes.Code{
		"http.status/401": codes.Unauthenticated, "http.status/403": codes.PermissionDenied,
		"http.status/404": codes.Unimplemented, "http.status/503": codes.Unavailable,
		"http.status/500": codes.Unknown, "whatever": codes.Internal,
	} {
		w := newWorld(t, meshgrpc.Options{})
		w.name("users").Store(naming.Ok(weft.EndpointSet{Endpoints: []weft.Endpoint{{Addr: "0.0.0.0:1", Local: local}}}))
		o := weft.WithDtab(t.Context(), nil)
		_, err := call(o, w.client("users"))
		assert.Equal(t, want, status.Code(err), local)
		_, err = w.client("users").FullDuplexCall(o)
		assert.Equal(t, want, status.Code(err), local)
		assert.Zero(t, w.outstanding())
	}
}

func TestOverLoopback(t *testing.T) {
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	b := &backend{id: "tcp"}
	srv := grpc.NewServer(intercepted(meshgrpc.ServerOptions{})...)
	testgrpc.RegisterTestServiceServer(srv, b)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(l)
	}()
	defer func() {
		srv.Stop()
		<-done
	}()

	addr := l.Addr().String()
	interp := naming.NewInterpreter(naming.Options{
		Base: dtab.MustParse("/svc=>/#/t"),
		Namers: naming.Namers{{Prefix: dtab.MustPath("/#/t"), Namer: naming.NamerFunc(
			func(context.Context, dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
				return naming.Answer(dtab.LeafOf(naming.Fixed(dtab.MustPath("/#/t/x"), dtab.Path{},
					weft.EndpointSet{Endpoints: []weft.Endpoint{{Addr: addr}}})))
			})}},
	})
	defer interp.Close()
	mesh, err := meshgrpc.New(meshgrpc.Options{Mesh: transport.Options{Interpreter: interp}})
	require.NoError(t, err)
	defer mesh.Close()
	c := testgrpc.NewTestServiceClient(mesh.Conn("users"))
	got, err := call(t.Context(), c)
	require.NoError(t, err)
	assert.Equal(t, "tcp", got)
	s, err := c.StreamingOutputCall(t.Context(), &testgrpc.StreamingOutputCallRequest{})
	require.NoError(t, err)
	ids, err := receive(s)
	require.NoError(t, err)
	assert.Len(t, ids, 3)
}

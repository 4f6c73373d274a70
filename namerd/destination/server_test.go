package destination_test

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/internal/testcert"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/destination"
	"github.com/weft-mesh/weft/namerd/destination/destpb"
	"github.com/weft-mesh/weft/namerd/store/memory"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/static"
)

const eventually = 20 * time.Second

type plane struct {
	t      *testing.T
	store  *memory.Store
	namer  *static.Namer
	namerd *namerd.Namerd
}

func newPlane(t *testing.T, d string) *plane {
	t.Helper()
	namer, err := static.New(static.Config{})
	require.NoError(t, err)
	store := memory.New(memory.Options{Namespaces: map[string]dtab.Dtab{"default": dtab.MustParse(d)}})
	n, err := namerd.New(namerd.Options{Store: store, Namers: naming.Namers{{Prefix: namer.Prefix(), Namer: namer}}})
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.NoError(t, n.Close())
		assert.NoError(t, store.Close())
	})
	return &plane{t, store, namer, n}
}

func (p *plane) put(d string) {
	p.t.Helper()
	_, err := p.store.Put(p.t.Context(), "default", dtab.MustParse(d), namerd.Note{})
	require.NoError(p.t, err)
}

// settles waits until a name that somebody watches is bound anew. The state of its
// endpoints may be seen before that.
func (p *plane) settles(name string, to dtab.Op) {
	p.t.Helper()
	bound := p.namerd.Bind(p.t.Context(), "default", nil, dtab.MustPath(name))
	require.Eventually(p.t, func() bool {
		st, _ := bound.Load()
		return st.Known && st.Value.Tree.Op == to
	}, eventually, time.Millisecond)
}

func (p *plane) set(name string, addrs ...string) {
	p.t.Helper()
	require.NoError(p.t, p.namer.Set(name, addrs...))
}

func (p *plane) serve(o destination.Options, client credentials.TransportCredentials) (*destination.Server, destpb.DestinationClient) {
	p.t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(p.t, err)
	s := destination.New(p.namerd, o)
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	cc, err := grpc.NewClient(ln.Addr().String(), grpc.WithTransportCredentials(client))
	require.NoError(p.t, err)
	p.t.Cleanup(func() {
		cc.Close()
		assert.NoError(p.t, s.Close())
		assert.NoError(p.t, <-served)
	})
	return s, destpb.NewDestinationClient(cc)
}

// updates are those of a name, as texts: +addr, -addr, none, empty.
func updates(t *testing.T, c destpb.DestinationClient, path string) func() []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), eventually)
	t.Cleanup(cancel)
	s, err := c.Get(ctx, &destpb.GetDestination{Scheme: "k8s", Path: path})
	require.NoError(t, err)
	return func() []string {
		t.Helper()
		u, err := s.Recv()
		require.NoError(t, err)
		return shown(t, u)
	}
}

func shown(t *testing.T, u *destpb.Update) (all []string) {
	t.Helper()
	switch u := u.GetUpdate().(type) {
	case *destpb.Update_NoEndpoints:
		require.NotNil(t, u.NoEndpoints.Exists)
		return []string{fmt.Sprintf("none, exists: %t", u.NoEndpoints.GetExists())}
	case *destpb.Update_Add:
		for _, a := range u.Add.GetAddrs() {
			assert.Equal(t, uint32(1), a.GetWeight())
			all = append(all, "+"+addr(a.GetAddr()))
		}
	case *destpb.Update_Remove:
		for _, a := range u.Remove.GetAddrs() {
			all = append(all, "-"+addr(a))
		}
	}
	slices.Sort(all)
	return all
}

func addr(a *destpb.TcpAddress) string {
	var b []byte
	switch ip := a.GetIp().GetIp().(type) {
	case *destpb.IPAddress_Ipv4:
		b = binary.BigEndian.AppendUint32(nil, ip.Ipv4)
	case *destpb.IPAddress_Ipv6:
		b = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, ip.Ipv6.GetFirst()), ip.Ipv6.GetLast())
	}
	ip, _ := netip.AddrFromSlice(b)
	return netip.AddrPortFrom(ip, uint16(a.GetPort())).String()
}

// TestUpdates are rows 116 to 118, and what happens between them.
func TestUpdates(t *testing.T) {
	p := newPlane(t, "/svc=>/#/static")
	p.set("hello", "127.0.0.1:7777")
	_, c := p.serve(destination.Options{}, insecure.NewCredentials())
	next := updates(t, c, "hello.svc.cluster.local")
	assert.Equal(t, []string{"+127.0.0.1:7777"}, next()) // 116
	p.set("hello", "127.0.0.1:7777", "[2001:db8::1]:80", "127.0.0.2:1 * 0", "no-address:80")
	assert.Equal(t, []string{"+[2001:db8::1]:80"}, next())
	p.set("hello", "[2001:db8::1]:80")
	assert.Equal(t, []string{"-127.0.0.1:7777"}, next()) // 117
	p.set("hello", "10.0.0.1:1")
	assert.Equal(t, []string{"+10.0.0.1:1"}, next())
	assert.Equal(t, []string{"-[2001:db8::1]:80"}, next())
	p.set("hello")
	assert.Equal(t, []string{"-10.0.0.1:1"}, next())
	require.NoError(t, p.namer.Remove("hello"))
	assert.Equal(t, []string{"none, exists: false"}, next()) // 118
	p.settles("/svc/hello", dtab.Neg)
	p.set("hello", "10.0.0.1:1")
	assert.Equal(t, []string{"+10.0.0.1:1"}, next(), "it comes back whole")
	p.set("other", "10.0.0.2:1", "10.0.0.1:1")
	p.set("unwanted", "10.0.0.3:1")
	p.put("/svc=>3*/#/static & /#/static/other & 0*/#/static/unwanted")
	assert.Equal(t, []string{"+10.0.0.2:1"}, next(), "a union is its members' endpoints")
	p.put("/svc=>!")
	assert.Equal(t, []string{"none, exists: false"}, next())
	p.put("/svc=>$")
	assert.Equal(t, []string{"none, exists: true"}, next())

	require.NoError(t, p.namer.SetState("bad", naming.Failed[weft.EndpointSet](errors.New("boom"))))
	p.set("empty")
	p.put("/svc=>/#/static;/loop=>/loop/x;/svc/loop=>/loop")
	p.settles("/svc/hello", dtab.Leaf)
	for path, want := range map[string]string{
		"bad.ns.svc.cluster.local": "none, exists: false", // 118
		"nope":                     "none, exists: false",
		"loop.x":                   "none, exists: false",
		"empty.x":                  "none, exists: true",
		"hello":                    "+10.0.0.1:1",
	} {
		assert.Equal(t, []string{want}, updates(t, c, path)(), path)
	}
	_, c = p.serve(destination.Options{Prefix: dtab.MustPath("/#/static"), Namespace: "other"}, insecure.NewCredentials())
	assert.Equal(t, []string{"+10.0.0.1:1"}, updates(t, c, "hello.x")())
}

func TestRefused(t *testing.T) {
	p := newPlane(t, "/svc=>/#/static")
	s, c := p.serve(destination.Options{}, insecure.NewCredentials())
	for _, r := range []struct{ scheme, path, want string }{
		{"http", "a.b", "Unknown scheme: http"},
		{"", "a.b", "Unknown scheme: unknown"},
		{"k8s", "", "Empty request path"},
		{"k8s", ".svc", "Empty request path"},
	} {
		stream, err := c.Get(t.Context(), &destpb.GetDestination{Scheme: r.scheme, Path: r.path})
		require.NoError(t, err)
		_, err = stream.Recv()
		assert.Equal(t, codes.Unimplemented, status.Code(err))
		assert.Equal(t, r.want, status.Convert(err).Message())
	}
	stream, err := c.Get(t.Context(), &destpb.GetDestination{Scheme: "k8s", Path: "a"})
	require.NoError(t, err)
	_, err = stream.Recv()
	require.NoError(t, err)
	require.NoError(t, s.Shutdown(context.Background()))
	_, err = stream.Recv()
	assert.Equal(t, codes.Unavailable, status.Code(err))
}

// TestTLS: what is configured is used.
func TestTLS(t *testing.T) {
	ca := testcert.New(t, "ca", nil)
	p := newPlane(t, "/svc=>/#/static")
	p.set("a", "10.0.0.1:1")
	pair := ca.Issue(t, "namerd", "namerd.example").Config(t)
	_, c := p.serve(destination.Options{TLS: pair}, credentials.NewTLS(&tls.Config{RootCAs: ca.Pool(), ServerName: "namerd.example"}))
	assert.Equal(t, []string{"+10.0.0.1:1"}, updates(t, c, "a")())
	_, c = p.serve(destination.Options{TLS: pair}, insecure.NewCredentials())
	stream, err := c.Get(t.Context(), &destpb.GetDestination{Scheme: "k8s", Path: "a"})
	if err == nil {
		_, err = stream.Recv()
	}
	assert.Equal(t, codes.Unavailable, status.Code(err), "cleartext")
}

func Example() {
	namer, err := static.New(static.Config{Names: map[string][]string{"hello": {"10.0.0.1:80"}}})
	if err != nil {
		panic(err)
	}
	store := memory.New(memory.Options{Namespaces: map[string]dtab.Dtab{"default": dtab.MustParse("/svc=>/#/static")}})
	defer store.Close()
	n, err := namerd.New(namerd.Options{Store: store, Namers: naming.Namers{{Prefix: namer.Prefix(), Namer: namer}}})
	if err != nil {
		panic(err)
	}
	defer n.Close()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	s := destination.New(n, destination.Options{})
	served := make(chan error)
	go func() { served <- s.Serve(ln) }()

	cc, err := grpc.NewClient(ln.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		panic(err)
	}
	stream, err := destpb.NewDestinationClient(cc).Get(context.Background(), &destpb.GetDestination{Scheme: "k8s", Path: "hello.svc.cluster.local"})
	if err != nil {
		panic(err)
	}
	update, err := stream.Recv()
	fmt.Println(update.GetAdd().GetAddrs()[0].GetAddr().GetPort(), err)

	fmt.Println(cc.Close())
	fmt.Println(s.Shutdown(context.Background()), <-served)
	// Output:
	// 80 <nil>
	// <nil>
	// <nil> <nil>
}

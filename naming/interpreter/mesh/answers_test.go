package mesh_test

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/internal/namerdtest"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/interpreter/mesh"
	"github.com/weft-mesh/weft/naming/interpreter/mesh/meshpb"
)

// odd is a namerd whose answers are those of functions.
type odd struct {
	meshpb.UnimplementedInterpreterServer
	meshpb.UnimplementedResolverServer
	tree     func(*meshpb.BindReq, grpc.ServerStreamingServer[meshpb.BoundTreeRsp]) error
	replicas func(*meshpb.ReplicasReq, grpc.ServerStreamingServer[meshpb.Replicas]) error
}

// StreamBoundTree implements the server.
func (o *odd) StreamBoundTree(req *meshpb.BindReq, out grpc.ServerStreamingServer[meshpb.BoundTreeRsp]) error {
	return o.tree(req, out)
}

// StreamReplicas implements the server.
func (o *odd) StreamReplicas(req *meshpb.ReplicasReq, out grpc.ServerStreamingServer[meshpb.Replicas]) error {
	return o.replicas(req, out)
}

func endpoints(addr string) func(context.Context) weft.Source[namerdtest.Addr] {
	return func(context.Context) weft.Source[namerdtest.Addr] {
		return weft.Const[namerdtest.Addr]{V: namerdtest.Set(addr)}
	}
}

func (o *odd) serve(t *testing.T, c mesh.Config) *mesh.Interpreter {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := grpc.NewServer()
	meshpb.RegisterInterpreterServer(s, o)
	meshpb.RegisterResolverServer(s, o)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Serve(ln)
	}()
	in, err := mesh.New(c, mesh.Options{Endpoints: endpoints(ln.Addr().String())})
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.NoError(t, in.Close())
		s.Stop()
		<-done
	})
	return in
}

func await[T any](t *testing.T, src weft.Source[T], ok func(T) bool) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	v, err := weft.Until(ctx, src, ok)
	require.NoError(t, err, "%+v", v)
	return v
}

// TestAnswersThatMakeNoSense: a tree that cannot be read fails the name and not the
// stream.
func TestAnswersThatMakeNoSense(t *testing.T) {
	goOn := make(chan struct{})
	in := (&odd{tree: func(req *meshpb.BindReq, out grpc.ServerStreamingServer[meshpb.BoundTreeRsp]) error {
		assert.Equal(t, "/ns", path(req.GetRoot()))
		for _, rsp := range []*meshpb.BoundTreeRsp{{}, {Tree: &meshpb.BoundNameTree{}}, {Tree: meshpb.NewBoundTree(namerdtest.Leaf("/a", "/").Value)}} {
			out.Send(rsp)
			<-goOn
		}
		<-out.Context().Done()
		return nil
	}}).serve(t, mesh.Config{Root: dtab.MustPath("/ns")})
	src := in.Bind(t.Context(), nil, dtab.MustPath("/svc/web"))
	st := await(t, src, func(st namerdtest.Tree) bool { return st.Err != nil })
	assert.EqualError(t, st.Err, "namerd's answer makes no sense: a tree without a node")
	goOn <- struct{}{}
	goOn <- struct{}{}
	close(goOn)
	await(t, src, func(st namerdtest.Tree) bool { return st.Known && st.Err == nil })
}

// TestStatuses: a status is an answer, except for the one that says to come back.
func TestStatuses(t *testing.T) {
	var step atomic.Int32
	in := (&odd{tree: func(_ *meshpb.BindReq, out grpc.ServerStreamingServer[meshpb.BoundTreeRsp]) error {
		switch step.Load() {
		case 0:
			return status.Error(codes.InvalidArgument, "No namespace specified")
		case 1:
			return status.Error(codes.NotFound, "No name given")
		case 2:
			return status.Error(codes.Unavailable, "storage is away")
		}
		return out.Send(&meshpb.BoundTreeRsp{Tree: meshpb.NewBoundTree(namerdtest.Leaf("/a", "/").Value)}) // and the end, over and over
	}}).serve(t, mesh.Config{RetryBase: 5 * time.Millisecond})
	src := in.Bind(t.Context(), nil, dtab.MustPath("/svc/web"))
	for _, want := range []string{"No namespace specified (InvalidArgument)", "No name given (NotFound)"} {
		await(t, src, func(st namerdtest.Tree) bool { return st.Err != nil && st.Err.Error() == want })
		step.Add(1)
	}
	var unanswered *naming.UnansweredError
	away := await(t, src, func(st namerdtest.Tree) bool { return errors.As(st.Err, &unanswered) })
	require.ErrorContains(t, away.Err, "storage is away")
	step.Add(1)
	await(t, src, func(st namerdtest.Tree) bool { return st.Known && st.Err == nil })
}

// TestReplicas are rows 107 and 109 of the specification, and what the original's
// client drops or takes for something else.
func TestReplicas(t *testing.T) {
	goOn := make(chan struct{})
	v4, port := meshpb.Endpoint_INET4, int32(7777)
	in := (&odd{
		tree: func(_ *meshpb.BindReq, out grpc.ServerStreamingServer[meshpb.BoundTreeRsp]) error {
			out.Send(&meshpb.BoundTreeRsp{Tree: meshpb.NewBoundTree(namerdtest.Leaf("/#/atl/slime/season", "/").Value)})
			<-out.Context().Done()
			return nil
		},
		replicas: func(req *meshpb.ReplicasReq, out grpc.ServerStreamingServer[meshpb.Replicas]) error {
			assert.Equal(t, "/#/atl/slime/season", path(req.GetId()))
			bound := func(es ...*meshpb.Endpoint) *meshpb.Replicas {
				return &meshpb.Replicas{Result: &meshpb.Replicas_Bound_{Bound: &meshpb.Replicas_Bound{Endpoints: es}}}
			}
			for _, r := range []*meshpb.Replicas{
				bound(&meshpb.Endpoint{InetAf: &v4, Address: []byte{1, 2, 3, 4}, Port: &port, Meta: &meshpb.Endpoint_Meta{}}),
				bound(
					&meshpb.Endpoint{InetAf: &v4, Address: []byte{1, 2, 3, 5}, Port: &port, Metadata: map[string]string{"endpoint_addr_weight": "0.25"}},
					&meshpb.Endpoint{InetAf: &v4, Address: []byte{1, 2, 3, 5}, Port: &port},
					&meshpb.Endpoint{InetAf: &v4, Port: &port},
				),
				{},
			} {
				out.Send(r)
				<-goOn
			}
			<-out.Context().Done()
			return nil
		},
	}).serve(t, mesh.Config{})
	tree := await(t, in.Bind(t.Context(), nil, dtab.MustPath("/svc/web")), func(st namerdtest.Tree) bool { return st.Known })
	src := tree.Value.Value.Addrs(t.Context())
	for _, want := range []weft.EndpointSet{
		{Endpoints: []weft.Endpoint{{Addr: "1.2.3.4:7777"}}},
		{Endpoints: []weft.Endpoint{{Addr: "1.2.3.5:7777", Weight: 0.25}}}, // quirk 25
		{Neg: true},
	} {
		st := await(t, src, func(st namerdtest.Addr) bool { return st.Known && assert.ObjectsAreEqual(want, st.Value) })
		require.NoError(t, st.Err)
		goOn <- struct{}{}
	}
}

// TestNoID: a leaf without an id has no endpoints, and says so.
func TestNoID(t *testing.T) {
	in := (&odd{tree: func(_ *meshpb.BindReq, out grpc.ServerStreamingServer[meshpb.BoundTreeRsp]) error {
		out.Send(&meshpb.BoundTreeRsp{Tree: &meshpb.BoundNameTree{Node: &meshpb.BoundNameTree_Leaf_{Leaf: &meshpb.BoundNameTree_Leaf{}}}})
		<-out.Context().Done()
		return nil
	}}).serve(t, mesh.Config{})
	tree := await(t, in.Bind(t.Context(), nil, dtab.MustPath("/svc/web")), func(st namerdtest.Tree) bool { return st.Known })
	st, _ := tree.Value.Value.Addrs(t.Context()).Load()
	require.EqualError(t, st.Err, "namerd gave a bound name without an id")
}

// TestGracefulStop: a namerd that asks its clients to go is left at once.
func TestGracefulStop(t *testing.T) {
	w := namerdtest.NewWorld()
	w.Tree("/svc/web").Store(namerdtest.Leaf("/a", "/"))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := grpc.NewServer()
	meshpb.RegisterInterpreterServer(s, &namerd{w: w})
	served := make(chan struct{})
	go func() {
		defer close(served)
		s.Serve(ln)
	}()
	in, err := mesh.New(mesh.Config{}, mesh.Options{Endpoints: endpoints(ln.Addr().String())})
	require.NoError(t, err)
	defer in.Close()
	src := in.Bind(t.Context(), nil, dtab.MustPath("/svc/web"))
	await(t, src, func(st namerdtest.Tree) bool { return st.Known })
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		s.GracefulStop()
	}()
	select {
	case <-stopped:
	case <-time.After(15 * time.Second):
		t.Error("the streams hold it up")
		s.Stop()
	}
	<-served
	assert.True(t, await(t, src, func(st namerdtest.Tree) bool { return st.Err != nil }).Known)
}

func TestConfig(t *testing.T) {
	o := mesh.Options{Endpoints: endpoints("127.0.0.1:1")}
	for want, c := range map[string]mesh.Config{
		"io.l5d.mesh: `root` may only contain a single path element (for now): /a/b": {Root: dtab.MustPath("/a/b")},
		"io.l5d.mesh: retry: base 1m0s must not be greater than max 1s":              {RetryBase: time.Minute, RetryMax: time.Second},
		"io.l5d.mesh: initialStreamWindowSizeKB: -1 must be positive":                {InitialStreamWindowSizeKB: -1},
	} {
		_, err := mesh.New(c, o)
		require.EqualError(t, err, want)
	}
	_, err := mesh.New(mesh.Config{}, mesh.Options{})
	require.EqualError(t, err, "io.l5d.mesh: options: Endpoints is required: where namerd is")
}

var _ naming.Interpreter = (*mesh.Interpreter)(nil)

// TestWeightsOfRules: rules are sent as they are, not in their text, which rounds.
func TestWeightsOfRules(t *testing.T) {
	asked := make(chan *meshpb.BindReq, 1)
	in := (&odd{tree: func(req *meshpb.BindReq, out grpc.ServerStreamingServer[meshpb.BoundTreeRsp]) error {
		asked <- req
		<-out.Context().Done()
		return nil
	}}).serve(t, mesh.Config{})
	local := dtab.MustParse("/svc=>0.001*/canary & 0.999*/web")
	in.Bind(t.Context(), local, dtab.MustPath("/svc/web"))
	got, err := (<-asked).GetDtab().Value()
	require.NoError(t, err)
	assert.True(t, local.Equal(got), "%v", got)
}

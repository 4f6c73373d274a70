package meshapi_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd/meshapi"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/interpreter/mesh/meshpb"
)

// TestStatuses are the rows of §3.2 that are refused, and row 110.
func TestStatuses(t *testing.T) {
	w := newWorld(t, map[string]string{"default": "/svc=>/#/io.l5d.static; /loop=>/loop/x"})
	cc := w.serve(meshapi.Options{}).conn(t)
	interpreter, delegator, codec := meshpb.NewInterpreterClient(cc), meshpb.NewDelegatorClient(cc), meshpb.NewCodecClient(cc)
	two := name("/a/b")
	bad := &meshpb.Dtab{Dentries: []*meshpb.Dtab_Dentry{{}}}
	for _, c := range []struct {
		name string
		call func(ctx context.Context) error
		code codes.Code
		text string
	}{
		{"bind without root", unary(interpreter.GetBoundTree, &meshpb.BindReq{Name: name("/svc/a")}), codes.InvalidArgument, "No namespace specified"},
		{"bind without root, stream", stream(interpreter.StreamBoundTree, &meshpb.BindReq{Name: name("/svc/a")}), codes.InvalidArgument, "No namespace specified"},
		{"bind with two segments", unary(interpreter.GetBoundTree, &meshpb.BindReq{Root: two, Name: name("/svc/a")}), codes.InvalidArgument, "Invalid root: `/a/b` must have exactly one segment"},
		{"bind with none", stream(interpreter.StreamBoundTree, &meshpb.BindReq{Root: &meshpb.Path{}, Name: name("/svc/a")}), codes.InvalidArgument, "Invalid root: `/` must have exactly one segment"},
		{"bind without name", unary(interpreter.GetBoundTree, &meshpb.BindReq{Root: root("default")}), codes.NotFound, "No name given"},
		{"bind with an empty name", stream(interpreter.StreamBoundTree, &meshpb.BindReq{Root: root("default"), Name: &meshpb.Path{}}), codes.NotFound, "No name given"},
		{"a dtab that is none", unary(interpreter.GetBoundTree, &meshpb.BindReq{Root: root("default"), Name: name("/a"), Dtab: bad}), codes.InvalidArgument, "Invalid dtab: the rule for /: a tree without a node"},
		{"a name that leads nowhere", stream(interpreter.StreamBoundTree, &meshpb.BindReq{Root: root("default"), Name: name("/loop")}), codes.Internal, "Max recursion level: 100 reached in Namer lookup"},
		{"the same, unary", unary(interpreter.GetBoundTree, &meshpb.BindReq{Root: root("default"), Name: name("/loop")}), codes.Internal, "Max recursion level: 100 reached in Namer lookup"},
		{"110 dtab without root", unary(delegator.GetDtab, &meshpb.DtabReq{}), codes.InvalidArgument, "No namespace specified"},
		{"dtab stream without root", stream(delegator.StreamDtab, &meshpb.DtabReq{}), codes.InvalidArgument, "No namespace specified"},
		{"dtab with two segments", unary(delegator.GetDtab, &meshpb.DtabReq{Root: two}), codes.InvalidArgument, "Invalid root: `/a/b` must have exactly one segment"},
		{"dtab of a missing namespace", unary(delegator.GetDtab, &meshpb.DtabReq{Root: root("nope")}), codes.NotFound, "Root not found"},
		{"the same, stream", stream(delegator.StreamDtab, &meshpb.DtabReq{Root: root("nope")}), codes.NotFound, "Root not found"},
		{"explanation without root", unary(delegator.GetDelegateTree, &meshpb.DelegateTreeReq{}), codes.InvalidArgument, "No namespace specified"},
		{"explanation without tree", unary(delegator.GetDelegateTree, &meshpb.DelegateTreeReq{Root: root("default")}), codes.NotFound, "No name given"},
		{"explanation stream without tree", stream(delegator.StreamDelegateTree, &meshpb.DelegateTreeReq{Root: root("default")}), codes.NotFound, "No name given"}, //nolint:staticcheck // old clients call it
		{"an id that is none", unary(meshpb.NewResolverClient(cc).GetReplicas, &meshpb.ReplicasReq{Id: &meshpb.Path{Elems: [][]byte{{}}}}), codes.InvalidArgument, "Invalid id: dtab: path element 1 of 1 is empty: requirement failed"},
		{"read a bad dtab", unary(codec.ReadDtab, &meshpb.ReadDtabReq{Text: "/a=>"}), codes.InvalidArgument, parseError(dtab.Parse("/a=>"))},
		{"read a bad path", unary(codec.ReadPath, &meshpb.ReadPathReq{Text: "a"}), codes.InvalidArgument, parseError(dtab.ParsePath("a"))},
		{"an unknown method", func(ctx context.Context) error {
			return cc.Invoke(ctx, "/io.linkerd.mesh.Interpreter/Nope", &meshpb.BindReq{}, &meshpb.BindReq{})
		}, codes.Unimplemented, "/io.linkerd.mesh.Interpreter/Nope"},
		{"an unknown service", func(ctx context.Context) error { return cc.Invoke(ctx, "/a.B/C", &meshpb.BindReq{}, &meshpb.BindReq{}) }, codes.Unimplemented, "/a.B/C"},
	} {
		t.Run(c.name, func(t *testing.T) {
			st := status.Convert(c.call(within(t)))
			assert.Equal(t, c.code, st.Code())
			assert.Equal(t, c.text, st.Message())
		})
	}
}

func parseError[T any](_ T, err error) string { return err.Error() }

func unary[Q, R any](call func(context.Context, *Q, ...grpc.CallOption) (*R, error), req *Q) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := call(ctx, req)
		return err
	}
}

func stream[Q, R any](call func(context.Context, *Q, ...grpc.CallOption) (grpc.ServerStreamingClient[R], error), req *Q) func(context.Context) error {
	return func(ctx context.Context) error {
		s, err := call(ctx, req)
		if err == nil {
			_, err = s.Recv()
		}
		return err
	}
}

// TestReplicas are rows 107 to 109, and what else is known of endpoints.
func TestReplicas(t *testing.T) {
	w := newWorld(t, nil)
	w.set("slime/season", "1.2.3.4:7777")
	w.set("empty")
	require.NoError(t, w.namer.SetState("failed", naming.Failed[weft.EndpointSet](errors.New("boom"))))
	require.NoError(t, w.namer.SetState("meta", naming.Ok(weft.EndpointSet{
		Meta: map[string]string{"authority": "a.b"},
		Endpoints: []weft.Endpoint{
			{Addr: "[2001:db8::1]:80", Meta: map[string]string{"nodeName": "n1", "x": "y"}},
			{Addr: "not an address"},
			{Addr: "1.2.3.4:80", Weight: 0.5},
		},
	})))
	resolver := meshpb.NewResolverClient(w.serve(meshapi.Options{}).conn(t))
	v4, v6 := meshpb.Endpoint_INET4, meshpb.Endpoint_INET6
	season := func(last byte) *meshpb.Replicas {
		return bound(&meshpb.Endpoint{InetAf: &v4, Address: []byte{1, 2, 3, last}, Port: proto.Int32(7777), Meta: &meshpb.Endpoint_Meta{}})
	}
	for id, want := range map[string]*meshpb.Replicas{
		"/#/io.l5d.static/slime/season":           season(4), // 107
		"/%/optimus/#/io.l5d.static/slime/season": season(4), // 108
		"/#/io.l5d.static/slime/season/and/more":  season(4),
		"/#/io.l5d.static/nope":                   {Result: &meshpb.Replicas_Neg_{Neg: &meshpb.Replicas_Neg{}}},
		"/#/io.l5d.other/nope":                    {Result: &meshpb.Replicas_Neg_{Neg: &meshpb.Replicas_Neg{}}},
		"/#/io.l5d.static/empty":                  bound(),
		"/":                                       failed("No ID provided"),
		"/#/io.l5d.static/failed":                 failed("boom"),
		"/#/io.l5d.static/meta": {Result: &meshpb.Replicas_Bound_{Bound: &meshpb.Replicas_Bound{
			Metadata: map[string]string{"authority": "a.b"},
			Endpoints: []*meshpb.Endpoint{
				{
					InetAf: &v6, Address: []byte{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, Port: proto.Int32(80),
					Meta: &meshpb.Endpoint_Meta{NodeName: new("n1")}, Metadata: map[string]string{"nodeName": "n1", "x": "y"},
				},
				{
					InetAf: &v4, Address: []byte{1, 2, 3, 4}, Port: proto.Int32(80), Meta: &meshpb.Endpoint_Meta{},
					Metadata: map[string]string{"endpoint_addr_weight": "0.5"},
				},
			},
		}}},
	} {
		got, err := resolver.GetReplicas(within(t), &meshpb.ReplicasReq{Id: name(id)})
		require.NoError(t, err, id)
		assert.True(t, proto.Equal(want, got), "%s: %v", id, got)
	}

	updates, err := resolver.StreamReplicas(within(t), &meshpb.ReplicasReq{Id: name("/#/io.l5d.static/slime/season")})
	require.NoError(t, err)
	next := func() *meshpb.Replicas {
		t.Helper()
		for {
			r, err := updates.Recv()
			require.NoError(t, err)
			if r.GetPending() == nil {
				return r
			}
		}
	}
	assert.True(t, proto.Equal(season(4), next()))
	w.set("slime/season", "1.2.3.5:7777") // 109
	assert.True(t, proto.Equal(season(5), next()))
	require.NoError(t, w.namer.Remove("slime/season"))
	assert.NotNil(t, next().GetNeg())
	w.set("slime/season", "1.2.3.4:7777")
	assert.True(t, proto.Equal(season(4), next()))

	none, err := resolver.StreamReplicas(within(t), &meshpb.ReplicasReq{})
	require.NoError(t, err)
	r, err := none.Recv()
	require.NoError(t, err)
	assert.Equal(t, "No ID provided", r.GetFailed().GetMessage())
}

func bound(es ...*meshpb.Endpoint) *meshpb.Replicas {
	return &meshpb.Replicas{Result: &meshpb.Replicas_Bound_{Bound: &meshpb.Replicas_Bound{Endpoints: es}}}
}

func failed(text string) *meshpb.Replicas {
	return &meshpb.Replicas{Result: &meshpb.Replicas_Failed_{Failed: &meshpb.Replicas_Failed{Message: text}}}
}

func TestCodec(t *testing.T) {
	codec := meshpb.NewCodecClient(newWorld(t, nil).serve(meshapi.Options{}).conn(t))
	text := `/a=>/b | 0.30*/c & 0.70*!;/x/*/y=>~;/\x2f=>$`
	d, err := codec.ReadDtab(within(t), &meshpb.ReadDtabReq{Text: text})
	require.NoError(t, err)
	shown, err := codec.ShowDtab(within(t), &meshpb.ShowDtabReq{Dtab: d.GetDtab()})
	require.NoError(t, err)
	assert.Equal(t, dtab.MustParse(text).String(), shown.GetText())
	p, err := codec.ReadPath(within(t), &meshpb.ReadPathReq{Text: `/a\x2fb/c`})
	require.NoError(t, err)
	assert.Equal(t, [][]byte{[]byte("a/b"), []byte("c")}, p.GetPath().GetElems())
	s, err := codec.ShowPath(within(t), &meshpb.ShowPathReq{Path: p.GetPath()})
	require.NoError(t, err)
	assert.Equal(t, `/\x61\x2f\x62/c`, s.GetText())

	s, err = codec.ShowPath(within(t), &meshpb.ShowPathReq{Path: &meshpb.Path{}})
	require.NoError(t, err)
	assert.Equal(t, "/", s.GetText())
	s, err = codec.ShowPath(within(t), &meshpb.ShowPathReq{})
	require.NoError(t, err)
	assert.Empty(t, s.GetText())
	p, err = codec.ReadPath(within(t), &meshpb.ReadPathReq{})
	require.NoError(t, err)
	assert.Empty(t, p.GetPath().GetElems())
	d, err = codec.ReadDtab(within(t), &meshpb.ReadDtabReq{})
	require.NoError(t, err)
	assert.Empty(t, d.GetDtab().GetDentries())
}

// TestDelegations: every node has a rule, the root the one that is none; an exception
// says what it is.
func TestDelegations(t *testing.T) {
	w := newWorld(t, map[string]string{"default": "/svc=>/#/io.l5d.static; /svc/two=>/svc/a & 3*/svc/b; /loop=>/loop/x; /either=>/loop | /svc/a"})
	w.set("a", "1.2.3.4:1")
	delegator := meshpb.NewDelegatorClient(w.serve(meshapi.Options{}).conn(t))
	ask := func(p, local string) *meshpb.BoundDelegateTree {
		t.Helper()
		req := &meshpb.DelegateTreeReq{Root: root("default"), Tree: meshpb.NewPathTree(dtab.LeafOf(dtab.MustPath(p))), Dtab: meshpb.NewDtab(dtab.MustParse(local))}
		s, err := delegator.StreamDelegateTree(within(t), req) //nolint:staticcheck // old clients call it
		require.NoError(t, err)
		streamed, err := s.Recv()
		require.NoError(t, err)
		_, err = s.Recv()
		require.Error(t, err, "exactly one message")
		rsp, err := delegator.GetDelegateTree(within(t), req)
		require.NoError(t, err)
		assert.True(t, proto.Equal(rsp, streamed))
		return rsp.GetTree()
	}
	nop := meshpb.NewDentry(dtab.Nop())
	require.Equal(t, [][]byte{[]byte("/")}, [][]byte{nop.GetPrefix().GetElems()[0].GetLabel()})
	top := ask("/svc/a", "")
	assert.True(t, proto.Equal(nop, top.GetDentry()))
	leaf := top.GetDelegate()
	require.NotNil(t, leaf, "%v", top)
	assert.Equal(t, "/svc=>/#/io.l5d.static", dentry(t, leaf.GetDentry()))
	assert.True(t, proto.Equal(name("/#/io.l5d.static/a"), leaf.GetLeaf().GetId()))

	union := ask("/svc/two", "")
	var walk func(x *meshpb.BoundDelegateTree)
	weights := []float64{}
	walk = func(x *meshpb.BoundDelegateTree) {
		require.NotNil(t, x.GetDentry(), "%v", x)
		require.NotNil(t, x.GetNode(), "%v", x)
		for _, k := range x.GetUnion().GetTrees() {
			require.NotNil(t, k.Weight)
			weights = append(weights, k.GetWeight())
			walk(k.GetTree())
		}
		for _, k := range x.GetAlt().GetTrees() {
			walk(k)
		}
		if k := x.GetDelegate(); k != nil {
			walk(k)
		}
	}
	walk(union)
	assert.Equal(t, []float64{1, 3}, weights)

	deep := ask("/either", "")
	require.Len(t, deep.GetAlt().GetTrees(), 2)
	assert.Equal(t, "BoundDelegateTree Exception: Max recursion level reached.", deep.GetAlt().GetTrees()[0].GetException())
	_, err := delegator.GetDelegateTree(within(t), &meshpb.DelegateTreeReq{Root: root("default"), Tree: meshpb.NewPathTree(dtab.LeafOf(dtab.MustPath("/loop")))})
	assert.Equal(t, codes.Internal, status.Code(err))
	assert.NotNil(t, ask("/svc/a", "/svc=>!").GetNode())

	rsp, err := delegator.GetDelegateTree(within(t), &meshpb.DelegateTreeReq{Root: root("default"), Tree: meshpb.NewPathTree(dtab.MustTree("/svc/a | /svc/nope"))})
	require.NoError(t, err)
	assert.Len(t, rsp.GetTree().GetAlt().GetTrees(), 2)
	rsp, err = delegator.GetDelegateTree(within(t), &meshpb.DelegateTreeReq{Root: root("missing"), Tree: meshpb.NewPathTree(dtab.LeafOf(dtab.MustPath("/svc/a")))})
	require.NoError(t, err)
	assert.NotNil(t, rsp.GetTree().GetNeg(), "a namespace that is missing is an empty dtab")
}

func dentry(t *testing.T, x *meshpb.Dtab_Dentry) string {
	t.Helper()
	d, err := x.Value()
	require.NoError(t, err)
	return d.String()
}

package meshpb_test

import (
	"encoding/hex"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/internal/namerdtest"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/interpreter/mesh/meshpb"
)

// over sends a message.
func over[M proto.Message](t require.TestingT, in, out M) M {
	b, err := proto.Marshal(in)
	require.NoError(t, err)
	require.NoError(t, proto.Unmarshal(b, out))
	return out
}

func TestRoundTrips(t *testing.T) {
	t.Run("paths", rapid.MakeCheck(func(t *rapid.T) {
		p := namerdtest.Paths(0).Draw(t, "p")
		got, err := over(t, meshpb.NewPath(p), &meshpb.Path{}).Value()
		require.NoError(t, err)
		assert.Equal(t, p, got)
	}))
	t.Run("dtabs", rapid.MakeCheck(func(t *rapid.T) {
		d := namerdtest.Dtabs().Draw(t, "d")
		got, err := over(t, meshpb.NewDtab(d), &meshpb.Dtab{}).Value()
		require.NoError(t, err)
		assert.True(t, d.Equal(got), "%s is %s", d, got) // weights to the last bit
	}))
	t.Run("trees", rapid.MakeCheck(func(t *rapid.T) {
		tree := namerdtest.BoundTrees().Draw(t, "tree")
		got, err := over(t, meshpb.NewBoundTree(tree), &meshpb.BoundNameTree{}).Value()
		require.NoError(t, err)
		assert.True(t, namerdtest.SameTree(tree, got), "%v is %v", tree, got)
	}))
	t.Run("sets", rapid.MakeCheck(func(t *rapid.T) {
		set := namerdtest.Sets("authority", "nodeName", "other").Draw(t, "set")
		got := over(t, meshpb.NewReplicas(naming.Ok(set)), &meshpb.Replicas{}).Value()
		assert.Equal(t, naming.Ok(set), got)
	}))
	t.Run("explanations", rapid.MakeCheck(func(t *rapid.T) {
		d := namerdtest.Delegations(3).Draw(t, "d")
		got, err := over(t, meshpb.NewDelegation(d), &meshpb.BoundDelegateTree{}).Value()
		require.NoError(t, err)
		assert.Equal(t, namerdtest.DelegationText(d), namerdtest.DelegationText(got))
	}))
}

// TestBytes compares messages with bytes that were put together by hand from the
// numbers of the specification.
func TestBytes(t *testing.T) {
	for name, c := range map[string]struct {
		m    proto.Message
		want string
	}{
		"path":    {meshpb.NewPath(dtab.MustPath("/ab/c")), "0a02 6162 0a01 63"},
		"neg":     {meshpb.NewBoundTree(dtab.Tree[*naming.Bound]{}), "0a00"},
		"fail":    {meshpb.NewBoundTree(dtab.Tree[*naming.Bound]{Op: dtab.Fail}), "1200"},
		"empty":   {meshpb.NewBoundTree(dtab.Tree[*naming.Bound]{Op: dtab.Empty}), "1a00"},
		"leaf":    {meshpb.NewBoundTree(namerdtest.Leaf("/a", "/b").Value), "320a 0a03 0a0161 1203 0a0162"},
		"alt":     {meshpb.NewBoundTree(dtab.AltOf(dtab.Tree[*naming.Bound]{})), "2204 0a02 0a00"},
		"union":   {meshpb.NewBoundTree(dtab.UnionOf(dtab.Tree[*naming.Bound]{}.Weighing(0))), "2a0f 0a0d 09 0000000000000000 1202 0a00"},
		"nop":     {meshpb.NewDentry(dtab.Nop()), "0a05 0a03 0a012f 1202 0a00"},
		"rule":    {meshpb.NewDentry(dtab.MustParse("/a/*=>/b")[0]), "0a09 0a03 0a0161 0a02 1200 1207 3205 0a03 0a0162"},
		"replica": {meshpb.NewReplicas(namerdtest.Set("1.2.3.4:7777")), "220f 0a0d 0800 1204 01020304 18e13c 2200"},
		"v6":      {meshpb.NewEndpoint(weft.Endpoint{Addr: "[::1]:80"}), "0801 1210 00000000000000000000000000000001 1850 2200"},
		"failed":  {meshpb.NewReplicas(naming.Failed[weft.EndpointSet](errors.New("x"))), "1a03 0a0178"},
		"no set":  {meshpb.NewReplicas(naming.Ok(weft.EndpointSet{Neg: true})), "1200"},
		"pending": {meshpb.NewReplicas(naming.State[weft.EndpointSet]{}), "0a00"},
		"bind": {&meshpb.BindReq{
			Root: meshpb.NewPath(dtab.MustPath("/r")), Name: meshpb.NewPath(dtab.MustPath("/n")), Dtab: &meshpb.Dtab{},
		}, "0a03 0a0172 1203 0a016e 1a00"},
		"exception": {
			meshpb.NewDelegation(naming.Delegation{Kind: naming.KindException, Path: dtab.MustPath("/p"), Err: errors.New("e")}),
			"0a03 0a0170 120b 0a05 0a03 0a012f 1202 0a00 5a1e" + hex.EncodeToString([]byte("BoundDelegateTree Exception: e")),
		},
	} {
		b, err := proto.MarshalOptions{Deterministic: true}.Marshal(c.m)
		require.NoError(t, err)
		assert.Equal(t, plain(c.want), hex.EncodeToString(b), name)
	}
}

func plain(hexes string) string {
	out := make([]byte, 0, len(hexes))
	for i := range len(hexes) {
		if hexes[i] != ' ' {
			out = append(out, hexes[i])
		}
	}
	return string(out)
}

// TestAbsentScalars is what a peer that follows proto3 to the letter sends.
func TestAbsentScalars(t *testing.T) {
	e, ok := (&meshpb.Endpoint{Address: []byte{1, 2, 3, 4}, Port: proto.Int32(7777)}).Value()
	assert.True(t, ok)
	assert.Equal(t, weft.Endpoint{Addr: "1.2.3.4:7777"}, e)
	tree, err := (&meshpb.BoundNameTree{Node: &meshpb.BoundNameTree_Union_{Union: &meshpb.BoundNameTree_Union{
		Trees: []*meshpb.BoundNameTree_Union_Weighted{{Tree: meshpb.NewBoundTree(namerdtest.Leaf("/a", "/").Value)}},
	}}}).Value()
	require.NoError(t, err)
	assert.Zero(t, tree.Kids[0].Weight)
	for _, bad := range []*meshpb.Endpoint{
		{Port: proto.Int32(80)},
		{Address: []byte{1, 2, 3, 4}},
		{Address: []byte{1, 2, 3}, Port: proto.Int32(80)},
		{Address: []byte{1, 2, 3, 4}, Port: proto.Int32(65536)},
		{Address: []byte{1, 2, 3, 4}, Port: proto.Int32(-1)},
	} {
		_, ok := bad.Value()
		assert.False(t, ok, "%s", bad)
	}
	assert.Equal(t, naming.Ok(weft.EndpointSet{Neg: true}), (&meshpb.Replicas{}).Value(), "absent is Neg")
}

func TestWeightsAreText(t *testing.T) {
	for text, want := range map[string]float64{"0.5": 0.5, "1.0": 0, "0": -1, "2e1": 20} {
		e, ok := (&meshpb.Endpoint{
			Address: []byte{1, 2, 3, 4}, Port: proto.Int32(80), Metadata: map[string]string{"endpoint_addr_weight": text},
		}).Value()
		assert.True(t, ok)
		assert.Equal(t, weft.Endpoint{Addr: "1.2.3.4:80", Weight: want}, e, text)
	}
	for _, text := range []string{"NaN", "-1", "Inf", "x"} {
		e, _ := (&meshpb.Endpoint{
			Address: []byte{1, 2, 3, 4}, Port: proto.Int32(80), Metadata: map[string]string{"endpoint_addr_weight": text},
		}).Value()
		assert.Zero(t, e.Weight, text)
	}
}

func TestNonsense(t *testing.T) {
	_, err := (*meshpb.BoundNameTree)(nil).Value()
	require.Error(t, err)
	_, err = (&meshpb.BoundNameTree{}).Value()
	require.Error(t, err)
	_, err = (&meshpb.Path{Elems: [][]byte{{}}}).Value()
	require.Error(t, err)
	_, err = (&meshpb.Dtab_Dentry{Prefix: &meshpb.Dtab_Dentry_Prefix{Elems: []*meshpb.Dtab_Dentry_Prefix_Elem{{}}}}).Value()
	require.Error(t, err)
	for _, w := range []float64{-1, inf(), -inf(), inf() - inf()} {
		_, err = (&meshpb.PathNameTree{Node: &meshpb.PathNameTree_Union_{Union: &meshpb.PathNameTree_Union{
			Trees: []*meshpb.PathNameTree_Union_Weighted{{Weight: &w, Tree: meshpb.NewPathTree(dtab.Tree[dtab.Path]{})}},
		}}}).Value()
		require.ErrorContains(t, err, "which is no share")
	}
}

func inf() float64 {
	x := 1e308
	return x * 10
}

func FuzzConversions(f *testing.F) {
	for _, m := range []proto.Message{
		meshpb.NewBoundTree(dtab.UnionOf(namerdtest.Leaf("/a", "/b").Value.Weighing(1))),
		meshpb.NewReplicas(namerdtest.Set("1.2.3.4:80", "[::1]:80")),
		meshpb.NewDtab(dtab.MustParse("/a/*=>/b | /c;/d=>0.3*/e & 0.7*/f")),
		meshpb.NewDelegation(naming.Delegation{Kind: naming.KindLeaf, Path: dtab.MustPath("/a"), Bound: namerdtest.Bound("/b", "/c")}),
	} {
		b, err := proto.Marshal(m)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		tree := &meshpb.BoundNameTree{}
		if proto.Unmarshal(b, tree) == nil {
			if v, err := tree.Value(); err == nil {
				again, err := meshpb.NewBoundTree(v).Value()
				require.NoError(t, err)
				_ = again
			}
		}
		rules := &meshpb.Dtab{}
		if proto.Unmarshal(b, rules) == nil {
			if v, err := rules.Value(); err == nil {
				again, err := meshpb.NewDtab(v).Value()
				require.NoError(t, err)
				assert.True(t, v.Equal(again))
			}
		}
		replicas := &meshpb.Replicas{}
		if proto.Unmarshal(b, replicas) == nil {
			v := replicas.Value()
			for _, e := range v.Value.Endpoints {
				assert.NotNil(t, meshpb.NewEndpoint(e), "an endpoint that was read has an address")
			}
		}
		x := &meshpb.BoundDelegateTree{}
		if proto.Unmarshal(b, x) == nil {
			if v, err := x.Value(); err == nil {
				_, err := meshpb.NewDelegation(v).Value()
				require.NoError(t, err)
			}
		}
	})
}

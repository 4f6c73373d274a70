package namerthrift_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/apache/thrift/lib/go/thrift"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/internal/namerdtest"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/interpreter/namerd/namerthrift"
)

// over sends a struct.
func over[T namerthrift.Struct](t require.TestingT, in, out T) T {
	b, err := namerthrift.Marshal("m", thrift.REPLY, 7, in)
	require.NoError(t, err)
	h, err := namerthrift.Unmarshal(b, func(namerthrift.Header) (namerthrift.Struct, error) { return out, nil })
	require.NoError(t, err)
	require.Equal(t, namerthrift.Header{Method: "m", Type: thrift.REPLY, Seq: 7}, h)
	return out
}

func TestRoundTrips(t *testing.T) {
	t.Run("trees", rapid.MakeCheck(func(t *rapid.T) {
		tree := namerdtest.BoundTrees().Draw(t, "tree")
		got, err := over(t, namerthrift.NewBoundTree(tree), &namerthrift.BoundTree{}).Value()
		require.NoError(t, err)
		assert.True(t, namerdtest.SameTree(tree, got), "%v is %v", tree, got)
	}))
	t.Run("sets", rapid.MakeCheck(func(t *rapid.T) {
		set := namerdtest.Sets("authority", "nodeName").Draw(t, "set")
		got, err := over(t, namerthrift.NewAddrVal(set), &namerthrift.AddrVal{}).Value()
		require.NoError(t, err)
		assert.Equal(t, set, got)
	}))
	t.Run("explanations", rapid.MakeCheck(func(t *rapid.T) {
		d := namerdtest.Delegations(3).Draw(t, "d")
		got, err := over(t, namerthrift.NewDelegateTree(d), &namerthrift.DelegateTree{}).Value()
		require.NoError(t, err)
		assert.Equal(t, roundedRules(d), roundedRules(got))
	}))
}

// roundedRules is d as text, with rules as they are after a way through text.
func roundedRules(d naming.Delegation) string {
	var round func(d naming.Delegation) naming.Delegation
	round = func(d naming.Delegation) naming.Delegation {
		if d.Dentry != nil {
			e, err := dtab.ParseDentry(d.Dentry.String())
			if err != nil {
				return naming.Delegation{Err: err}
			}
			d.Dentry = &e
		}
		kids := make([]naming.Delegation, len(d.Kids))
		for i, k := range d.Kids {
			kids[i] = round(k)
		}
		d.Kids = kids
		return d
	}
	return namerdtest.DelegationText(round(d))
}

func TestRequestsAndAnswers(t *testing.T) {
	ref := &namerthrift.NameRef{Stamp: []byte{1}, Name: namerthrift.NewPath(dtab.MustPath("/a/b")), Ns: "ns"}
	client := namerthrift.NewPath(dtab.MustPath("/c"))
	bind := &namerthrift.BindArgs{Req: &namerthrift.BindReq{Dtab: "/a=>/b", Name: ref, ClientID: client}}
	assert.Equal(t, bind, over(t, bind, &namerthrift.BindArgs{}))
	addr := &namerthrift.AddrArgs{Req: &namerthrift.AddrReq{Name: ref, ClientID: client}}
	assert.Equal(t, addr, over(t, addr, &namerthrift.AddrArgs{}))
	dt := &namerthrift.DtabArgs{Req: &namerthrift.DtabReq{Stamp: []byte{2}, Ns: "ns", ClientID: client}}
	assert.Equal(t, dt, over(t, dt, &namerthrift.DtabArgs{}))
	ex := &namerthrift.DelegateArgs{Req: &namerthrift.DelegateReq{
		Dtab: "/a=>/b", ClientID: client,
		Delegation: &namerthrift.Delegation{Stamp: []byte{}, Ns: "ns", Tree: &namerthrift.DelegateTree{Root: namerthrift.NewPathLeaf(dtab.MustPath("/x")).Root}},
	}}
	assert.Equal(t, ex, over(t, ex, &namerthrift.DelegateArgs{}))
	failed := &namerthrift.BindResult{Failure: &namerthrift.BindFailure{Reason: "r", RetryInSeconds: 3, Name: ref, Ns: "ns"}}
	assert.Equal(t, failed, over(t, failed, &namerthrift.BindResult{}))
	none := &namerthrift.AddrResult{Failure: &namerthrift.AddrFailure{Reason: "r", Name: ref}}
	assert.Equal(t, none, over(t, none, &namerthrift.AddrResult{}))
	rules := &namerthrift.DtabResult{Success: &namerthrift.DtabRef{Stamp: []byte{3}, Dtab: "/a=>/b"}}
	assert.Equal(t, rules, over(t, rules, &namerthrift.DtabResult{}))
}

// TestNumbersOfNodes is row 111 of the specification: numbers are given depth first.
func TestNumbersOfNodes(t *testing.T) {
	leaf := func(id string) dtab.Tree[*naming.Bound] { return namerdtest.Leaf(id, "/").Value }
	tree := namerthrift.NewBoundTree(dtab.AltOf(leaf("/x"), dtab.UnionOf(leaf("/y").Weighing(2), leaf("/z").Weighing(0.2))))
	require.NotNil(t, tree.Root.Alt)
	assert.Equal(t, []int32{0, 1}, *tree.Root.Alt)
	assert.Equal(t, namerthrift.Path{[]byte("x")}, tree.Nodes[0].Leaf.ID)
	assert.Equal(t, []namerthrift.WeightedNodeID{{Weight: 2, ID: 2}, {Weight: 0.2, ID: 3}}, *tree.Nodes[1].Weighted)
}

// TestBytes compares a message with bytes that were put together by hand from the
// numbers of the specification.
func TestBytes(t *testing.T) {
	b, err := namerthrift.Marshal(namerthrift.MethodBind, thrift.CALL, 0, &namerthrift.BindArgs{Req: &namerthrift.BindReq{
		Dtab: "d", Name: &namerthrift.NameRef{Name: namerthrift.NewPath(dtab.MustPath("/n")), Ns: "s"},
	}})
	require.NoError(t, err)
	want := "80010001 00000004 62696e64 00000000" + // strict CALL "bind" 0
		" 0c 0001" + // 1: BindReq
		" 0b 0001 00000001 64" + // 1: dtab
		" 0c 0002" + // 2: NameRef
		" 0b 0001 00000000" + // 1: stamp
		" 0f 0002 0b 00000001 00000001 6e" + // 2: list<binary>
		" 0b 0003 00000001 73 00" + // 3: ns
		" 0f 0003 0b 00000000 00 00" // 3: clientId
	assert.Equal(t, strings.ReplaceAll(want, " ", ""), hex.EncodeToString(b))
}

func read(t *testing.T, hexes string, into namerthrift.Struct) error {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll("80010002 00000001 6d 00000000"+hexes, " ", ""))
	require.NoError(t, err)
	_, err = namerthrift.Unmarshal(b, func(namerthrift.Header) (namerthrift.Struct, error) { return into, nil })
	return err
}

func TestUnknownFieldsArePassedOver(t *testing.T) {
	// An i64 with the number 9, a text where a struct belongs, a list of structs.
	unknown := "0a 0009 0000000000000001 0b 0002 00000001 78 0f 000a 0c 00000001 00"
	var x namerthrift.DtabRef
	require.NoError(t, read(t, unknown+"0b 0001 00000001 41 0b 0002 00000001 42 00", &x))
	assert.Equal(t, namerthrift.DtabRef{Stamp: []byte("A"), Dtab: "B"}, x)
	var y namerthrift.Bound
	require.NoError(t, read(t, unknown+"00", &y))
	assert.Nil(t, y.Tree)
}

func TestNonsense(t *testing.T) {
	for name, hexes := range map[string]string{
		"cut":                "0b 0001 00000005 41",
		"a negative length":  "0b 0001 ffffffff",
		"a huge list":        "0f 0003 0b 7fffffff 00000001 61",
		"elements of others": "0f 0003 08 00000001 00000001 00",
		"no end":             "",
	} {
		require.Error(t, read(t, hexes, &namerthrift.DtabReq{}), name)
	}
	// 2^n nodes of n.
	deep := &namerthrift.BoundTree{Nodes: map[int32]*namerthrift.BoundNode{}}
	for i := range int32(60) {
		deep.Nodes[i] = &namerthrift.BoundNode{Alt: &[]int32{i + 1, i + 1}}
	}
	deep.Nodes[60] = &namerthrift.BoundNode{Neg: &namerthrift.Void{}}
	deep.Root = deep.Nodes[0]
	_, err := deep.Value()
	require.ErrorContains(t, err, "more than")
	// A node that is its own branch.
	deep.Nodes[0] = &namerthrift.BoundNode{Alt: &[]int32{0}}
	deep.Root = deep.Nodes[0]
	_, err = deep.Value()
	require.ErrorContains(t, err, "deeper than")
	deep.Root = &namerthrift.BoundNode{Alt: &[]int32{99}}
	_, err = deep.Value()
	require.ErrorContains(t, err, "there is no node 99")
	deep.Root = &namerthrift.BoundNode{Neg: &namerthrift.Void{}, Fail: &namerthrift.Void{}}
	_, err = deep.Value()
	require.Error(t, err)
	_, err = (*namerthrift.BoundTree)(nil).Value()
	require.Error(t, err)
	_, err = (&namerthrift.AddrVal{}).Value()
	require.Error(t, err)
	_, err = (&namerthrift.DelegateTree{Root: &namerthrift.DelegateNode{Dentry: "nonsense", Contents: &namerthrift.DelegateContents{}}}).Value()
	require.ErrorContains(t, err, "'/' expected")
}

func TestWeightOfEndpoints(t *testing.T) {
	weight := func(w float64) float64 {
		set, err := (&namerthrift.AddrVal{Bound: &namerthrift.BoundAddr{Addresses: []namerthrift.TransportAddress{
			{IP: []byte{1, 2, 3, 4}, Port: 80, Meta: &namerthrift.AddrMeta{Weight: &w}},
		}}}).Value()
		require.NoError(t, err)
		return set.Endpoints[0].Weight
	}
	assert.InDelta(t, 0.5, weight(0.5), 0)
	assert.InDelta(t, 0, weight(1), 0)
	assert.InDelta(t, -1, weight(0), 0)
	assert.InDelta(t, 0, weight(-3), 0)
	x := 1e308
	assert.InDelta(t, 0, weight(x*10), 0)
	only := namerthrift.NewAddrVal(weft.EndpointSet{Endpoints: []weft.Endpoint{{Addr: "1.2.3.4:80", Weight: 0.5}}})
	assert.NotNil(t, only.Bound.Addresses[0].Meta, "a weight goes without anything beside it")
}

func TestExceptions(t *testing.T) {
	b, err := namerthrift.MarshalException("bind", 3, thrift.NewTApplicationException(thrift.INTERNAL_ERROR, "boom"))
	require.NoError(t, err)
	_, err = namerthrift.Unmarshal(b, nil)
	require.ErrorContains(t, err, "boom")
}

func FuzzUnmarshal(f *testing.F) {
	for _, x := range []namerthrift.Struct{
		&namerthrift.BindResult{Success: &namerthrift.Bound{Stamp: []byte{1}, Tree: namerthrift.NewBoundTree(
			dtab.UnionOf(namerdtest.Leaf("/a", "/b").Value.Weighing(1), dtab.AltOf(namerdtest.Leaf("/c", "/").Value)))}},
		&namerthrift.AddrResult{Success: &namerthrift.Addr{Value: namerthrift.NewAddrVal(namerdtest.Set("1.2.3.4:80").Value)}},
		&namerthrift.DelegateResult{Success: &namerthrift.Delegation{Tree: namerthrift.NewPathLeaf(dtab.MustPath("/a"))}},
		&namerthrift.BindResult{Failure: &namerthrift.BindFailure{Reason: "r", Name: &namerthrift.NameRef{}}},
		&namerthrift.DtabResult{Success: &namerthrift.DtabRef{Dtab: "/a=>/b"}},
	} {
		b, err := namerthrift.Marshal("m", thrift.REPLY, 0, x)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		decode(t, b, &namerthrift.BindResult{}, func(x *namerthrift.BindResult) {
			if x.Success != nil {
				if tree, err := x.Success.Tree.Value(); err == nil {
					again, err := namerthrift.NewBoundTree(tree).Value()
					require.NoError(t, err)
					_ = again
				}
			}
		})
		decode(t, b, &namerthrift.AddrResult{}, func(x *namerthrift.AddrResult) {
			if x.Success != nil {
				if set, err := x.Success.Value.Value(); err == nil {
					again, err := namerthrift.NewAddrVal(set).Value()
					require.NoError(t, err)
					assert.Len(t, again.Endpoints, len(set.Endpoints))
				}
			}
		})
		decode(t, b, &namerthrift.DelegateResult{}, func(x *namerthrift.DelegateResult) {
			if x.Success != nil {
				if d, err := x.Success.Tree.Value(); err == nil {
					_, err := namerthrift.NewDelegateTree(d).Value()
					require.NoError(t, err)
				}
			}
		})
		decode(t, b, &namerthrift.DelegateArgs{}, func(*namerthrift.DelegateArgs) {})
	})
}

// decode reads b; what could be read must come back from its own bytes.
func decode[T namerthrift.Struct](t *testing.T, b []byte, into T, use func(T)) {
	t.Helper()
	if _, err := namerthrift.Unmarshal(b, func(namerthrift.Header) (namerthrift.Struct, error) { return into, nil }); err == nil {
		_, err := namerthrift.Marshal("m", thrift.REPLY, 0, into)
		require.NoError(t, err)
		use(into)
	}
}

package thriftapi

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/apache/thrift/lib/go/thrift"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/interpreter/namerd/namerthrift"
)

// TestBindPolls is row 111, and the contract of stamps: a question with the stamp of
// the present answer waits, any other one is answered.
func TestBindPolls(t *testing.T) {
	w := newWorld(t, map[string]string{"default": "/svc=>/#/io.l5d.static; /two=>2*/#/io.l5d.static/a & 0.2*/#/io.l5d.static/b"})
	w.set("a", "1.2.3.4:1")
	w.set("b", "1.2.3.4:2")
	p := w.serve(Options{}).dial(t)
	r := p.bind(2, "/two/x", "", nil)
	require.NotNil(t, r.Success)
	require.Len(t, r.Success.Stamp, 8)
	assert.Equal(t, "default", r.Success.Ns)
	assert.Equal(t, []namerthrift.WeightedNodeID{{Weight: 2, ID: 0}, {Weight: 0.2, ID: 1}}, *r.Success.Tree.Root.Weighted)
	assert.Equal(t, "2.00*/#/io.l5d.static/a+/x & 0.20*/#/io.l5d.static/b+/x", treeText(t, r))
	first := r.Success.Stamp

	p.ask(3, namerthrift.MethodBind, bindArgs("/two/x", "", first))
	w.set("a", "1.2.3.4:9")                                                                                // endpoints do not show
	w.put("default", "/a=>/b;/svc=>/#/io.l5d.static; /two=>2*/#/io.l5d.static/a & 0.2*/#/io.l5d.static/b") // nor does what has no effect
	p.silent()
	w.put("default", "/two=>/#/io.l5d.static/b")
	r = &namerthrift.BindResult{}
	p.answer(3, r)
	assert.Equal(t, "/#/io.l5d.static/b+/x", treeText(t, r))
	assert.Equal(t, binary.BigEndian.Uint64(first)+1, binary.BigEndian.Uint64(r.Success.Stamp))
	again := p.bind(4, "/two/x", "", first)
	assert.Equal(t, r.Success, again.Success, "an old stamp is answered at once")
	again = p.bind(4, "/two/x", "", []byte("anything"))
	assert.Equal(t, r.Success.Stamp, again.Success.Stamp)

	require.NoError(t, w.store.Delete(t.Context(), "default", "", namerd.Note{}))
	r = p.bind(5, "/two/x", "", r.Success.Stamp)
	assert.Equal(t, "~", treeText(t, r))
	assert.Equal(t, "/#/io.l5d.static/a", treeText(t, p.bind(6, "/svc/a", "/svc=>/#/io.l5d.static", nil)), "the rules of the request")
}

// TestFailures: declared, with a stamp of their own that can be waited for.
func TestFailures(t *testing.T) {
	w := newWorld(t, map[string]string{"default": "/loop=>/loop/x"})
	require.NoError(t, w.namer.SetState("bad", naming.Failed[weft.EndpointSet](errors.New("boom"))))
	p := w.serve(Options{}).dial(t)
	r := p.bind(2, "/loop", "", nil)
	require.NotNil(t, r.Failure)
	assert.Equal(t, "Max recursion level: 100 reached in Namer lookup", r.Failure.Reason)
	assert.Zero(t, r.Failure.RetryInSeconds)
	assert.Equal(t, "default", r.Failure.Ns)
	assert.Equal(t, ref("/loop", nil).Name, r.Failure.Name.Name)
	stamp := r.Failure.Name.Stamp
	require.Len(t, stamp, 8)
	again := p.bind(2, "/loop", "", nil)
	assert.Equal(t, r.Failure, again.Failure)
	p.ask(3, namerthrift.MethodBind, bindArgs("/loop", "", stamp))
	p.silent()
	w.put("default", "/loop=>$")
	r = &namerthrift.BindResult{}
	p.answer(3, r)
	assert.Equal(t, "$", treeText(t, r))

	assert.Equal(t, "empty path", p.bind(4, "/", "", nil).Failure.Reason)
	assert.Equal(t, parseError(dtab.Parse("nonsense")), p.bind(4, "/a", "nonsense", nil).Failure.Reason)
	assert.Equal(t, "empty path", p.addr(5, "/", nil).Failure.Reason)
	a := p.addr(5, "/#/io.l5d.static/bad", nil)
	assert.Equal(t, "boom", a.Failure.Reason)
	p.ask(6, namerthrift.MethodAddr, addrArgs("/#/io.l5d.static/bad", a.Failure.Name.Stamp))
	p.silent()
	w.set("bad", "1.2.3.4:1")
	a = &namerthrift.AddrResult{}
	p.answer(6, a)
	assert.NotNil(t, a.Success)
}

func parseError[T any](_ T, err error) string { return err.Error() }

// TestAddrPolls is row 113, with what is told of an address.
func TestAddrPolls(t *testing.T) {
	w := newWorld(t, nil)
	w.set("a", "1.2.3.4:7")
	require.NoError(t, w.namer.SetState("meta", naming.Ok(weft.EndpointSet{
		Meta: map[string]string{"authority": "x.y", "other": "z"},
		Endpoints: []weft.Endpoint{
			{Addr: "[2001:db8::1]:80", Weight: 0.5, Meta: map[string]string{"nodeName": "n", "k": "v"}}, {Addr: "nowhere"},
		},
	})))
	p := w.serve(Options{}).dial(t)
	r := p.addr(2, "/%/optimus/#/io.l5d.static/a", nil)
	require.NotNil(t, r.Success)
	first := r.Success.Stamp
	assert.Equal(t, []namerthrift.TransportAddress{{IP: []byte{1, 2, 3, 4}, Port: 7}}, r.Success.Value.Bound.Addresses)
	assert.Equal(t, first, p.addr(2, "/#/io.l5d.static/a", nil).Success.Stamp, "the same thing")
	next := func(stamp []byte, change func()) *namerthrift.AddrResult {
		t.Helper()
		p.ask(3, namerthrift.MethodAddr, addrArgs("/#/io.l5d.static/a", stamp))
		p.silent()
		change()
		r := &namerthrift.AddrResult{}
		p.answer(3, r)
		require.NotNil(t, r.Success)
		return r
	}
	r = next(first, func() { require.NoError(t, w.namer.Remove("a")) })
	assert.NotNil(t, r.Success.Value.Neg)
	assert.Equal(t, binary.BigEndian.Uint64(first)+1, binary.BigEndian.Uint64(r.Success.Stamp))
	r = next(r.Success.Stamp, func() { w.set("a", "1.2.3.4:7") })
	assert.NotNil(t, r.Success.Value.Bound)
	assert.Equal(t, binary.BigEndian.Uint64(first)+2, binary.BigEndian.Uint64(r.Success.Stamp))
	r = next(r.Success.Stamp, func() { w.set("a") })
	assert.Empty(t, r.Success.Value.Bound.Addresses)

	r = p.addr(4, "/#/io.l5d.static/meta", nil)
	x := func(v string) *string { return &v }
	half := 0.5
	assert.Equal(t, &namerthrift.BoundAddr{
		Meta: &namerthrift.AddrMeta{Authority: x("x.y")},
		Addresses: []namerthrift.TransportAddress{{
			IP: []byte{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, Port: 80, Meta: &namerthrift.AddrMeta{NodeName: x("n"), Weight: &half},
		}},
	}, r.Success.Value.Bound)
	assert.NotNil(t, p.addr(4, "/#/nobody/x", nil).Success.Value.Neg)
}

// TestDtabPolls is row 114.
func TestDtabPolls(t *testing.T) {
	w := newWorld(t, nil)
	p := w.serve(Options{}).dial(t)
	ask := func(tag uint32, stamp []byte) {
		t.Helper()
		p.ask(tag, namerthrift.MethodDtab, &namerthrift.DtabArgs{Req: &namerthrift.DtabReq{Stamp: stamp, Ns: "default"}})
	}
	answer := func(tag uint32) *namerthrift.DtabRef {
		t.Helper()
		r := &namerthrift.DtabResult{}
		p.answer(tag, r)
		require.NotNil(t, r.Success, "%+v", r.Failure)
		return r.Success
	}
	ask(2, nil)
	r := answer(2)
	assert.Empty(t, r.Dtab, "a namespace that there is not is an empty dtab")
	ask(3, r.Stamp)
	p.silent()
	w.put("default", "/a  =>  /b ; /c => 1.0 * /d & 2*/e")
	r = answer(3)
	assert.Equal(t, "/a=>/b;/c=>/d & 2.00*/e", r.Dtab)
}

// TestDelegate: one rule a node, the root's the one that is none; the stamp of the
// question does not matter.
func TestDelegate(t *testing.T) {
	w := newWorld(t, map[string]string{"default": "/svc=>/#/io.l5d.static; /two=>/svc/a | /svc/nope"})
	w.set("a", "1.2.3.4:1")
	p := w.serve(Options{}).dial(t)
	ask := func(stamp []byte, tree *namerthrift.DelegateTree) *namerthrift.DelegateResult {
		t.Helper()
		p.ask(2, namerthrift.MethodDelegate, &namerthrift.DelegateArgs{Req: &namerthrift.DelegateReq{
			Delegation: &namerthrift.Delegation{Stamp: stamp, Ns: "default", Tree: tree},
		}})
		r := &namerthrift.DelegateResult{}
		p.answer(2, r)
		return r
	}
	for _, stamp := range [][]byte{nil, {0, 0, 0, 0, 0, 0, 0, 1}} {
		r := ask(stamp, namerthrift.NewPathLeaf(dtab.MustPath("/two")))
		require.NotNil(t, r.Success, "%+v", r.Failure)
		assert.Equal(t, []byte{0, 0, 0, 0, 0, 0, 0, 1}, r.Success.Stamp)
		assert.Equal(t, `/\x2f=>~`, r.Success.Tree.Root.Dentry)
		d, err := r.Success.Tree.Value()
		require.NoError(t, err)
		want, err := w.namerd.Delegate(within(t), "default", nil, dtab.MustPath("/two"))
		require.NoError(t, err)
		assert.Equal(t, want.Kind, d.Kind)
		assert.Len(t, d.Kids, len(want.Kids))
	}
	leaf := func(p string) *namerthrift.DelegateNode { return namerthrift.NewPathLeaf(dtab.MustPath(p)).Root }
	node := func(c namerthrift.DelegateContents) *namerthrift.DelegateNode {
		return &namerthrift.DelegateNode{Dentry: `/\x2f=>~`, Contents: &c}
	}
	text, id := "x", int32(0)
	for want, tree := range map[string]*namerthrift.DelegateTree{
		"union": {Root: node(namerthrift.DelegateContents{Weighted: &[]namerthrift.WeightedNodeID{{Weight: 1, ID: 0}, {Weight: 3, ID: 1}}}), Nodes: map[int32]*namerthrift.DelegateNode{0: leaf("/svc/a"), 1: node(namerthrift.DelegateContents{Neg: &namerthrift.Void{}})}},
		"alt":   {Root: node(namerthrift.DelegateContents{Alt: &[]int32{0, 0}}), Nodes: map[int32]*namerthrift.DelegateNode{0: leaf("/svc/a")}},
		"fail":  {Root: node(namerthrift.DelegateContents{Delegate: &id}), Nodes: map[int32]*namerthrift.DelegateNode{0: node(namerthrift.DelegateContents{Fail: &namerthrift.Void{}})}},
		"empty": {Root: node(namerthrift.DelegateContents{Empty: &namerthrift.Void{}})},
	} {
		r := ask(nil, tree)
		require.NotNil(t, r.Success, "%s: %+v", want, r.Failure)
		d, err := r.Success.Tree.Value()
		require.NoError(t, err)
		assert.Equal(t, naming.Kind(want), d.Kind)
	}
	for want, tree := range map[string]*namerthrift.DelegateTree{
		errNoNode.Error():    {},
		errBoundLeaf.Error(): {Root: node(namerthrift.DelegateContents{BoundLeaf: &namerthrift.BoundName{}})},
		errTransform.Error(): {Root: node(namerthrift.DelegateContents{Transformation: &namerthrift.Transformation{Value: &namerthrift.BoundName{}}})},
		errException.Error(): {Root: node(namerthrift.DelegateContents{Error: &text})},
		errTooLarge.Error():  {Root: node(namerthrift.DelegateContents{Delegate: &id}), Nodes: map[int32]*namerthrift.DelegateNode{0: node(namerthrift.DelegateContents{Delegate: &id})}},
	} {
		r := ask(nil, tree)
		require.NotNil(t, r.Failure, want)
		assert.Equal(t, want, r.Failure.Reason)
	}
}

// TestMethods: what is not a call of a method that there is.
func TestMethods(t *testing.T) {
	w := newWorld(t, nil)
	p := w.serve(Options{}).dial(t)
	for _, c := range []struct {
		body []byte
		want string
	}{
		{marshal(t, "nope", &namerthrift.BindArgs{}), "Invalid method name: 'nope'"},
		{marshal(t, "bind", &namerthrift.BindArgs{}), "Required field 'req' was not present"},
		{marshal(t, "addr", &namerthrift.AddrArgs{Req: &namerthrift.AddrReq{}}), "Required field 'req' was not present"},
		{marshal(t, "delegate", &namerthrift.DelegateArgs{}), "Required field 'req' was not present"},
		{marshal(t, "dtab", &namerthrift.DtabArgs{}), "Required field 'req' was not present"},
		{marshal(t, "bind", bindArgs("/a", "", nil))[:30], "thrift: bind: EOF"},
	} {
		p.say(muxTdispatch, 2, "\x00\x00\x00\x00\x00\x00"+string(c.body))
		f := p.hear()
		require.Equal(t, "\x00\x00\x00", string(f.body[:3]))
		_, err := namerthrift.Unmarshal(f.body[3:], nil)
		require.ErrorContains(t, err, c.want)
	}
	p.say(muxTdispatch, 2, "\x00\x00\x00\x00\x00\x00garbage")
	f := p.hear()
	assert.Equal(t, byte(muxError), f.body[0])
	reply, err := namerthrift.Marshal("bind", thrift.REPLY, 0, &namerthrift.BindResult{})
	require.NoError(t, err)
	p.say(muxTdispatch, 2, "\x00\x00\x00\x00\x00\x00"+string(reply))
	assert.Equal(t, byte(muxError), p.hear().body[0])
	p.say(muxTreq, 2, "\x01\x02\x01f"+string(marshal(t, "dtab", &namerthrift.DtabArgs{Req: &namerthrift.DtabReq{Ns: "x"}})))
	f = p.hear()
	assert.Equal(t, []any{int8(muxRreq), byte(muxOK)}, []any{f.typ, f.body[0]})
	unmarshal(t, f.body[1:], &namerthrift.DtabResult{})
}

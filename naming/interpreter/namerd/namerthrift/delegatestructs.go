package namerthrift

import "github.com/apache/thrift/lib/go/thrift"

// Transformation is a bound name that a transformer changed, and the node of what
// became of it. The wire has no name for the transformer.
type Transformation struct {
	Value *BoundName
	Tree  int32
}

func (x *Transformation) visit(c *coder) {
	within(c, 1, &x.Value)
	c.i32(2, &x.Tree)
}

// DelegateContents is what a node of an explanation is: one of its fields is set.
type DelegateContents struct {
	Error            *string
	Empty, Fail, Neg *Void
	Delegate         *int32
	BoundLeaf        *BoundName
	PathLeaf         *Path
	Alt              *[]int32
	Weighted         *[]WeightedNodeID
	Transformation   *Transformation
}

func (x *DelegateContents) visit(c *coder) {
	c.optionalText(1, &x.Error)
	within(c, 2, &x.Empty)
	within(c, 3, &x.Fail)
	within(c, 4, &x.Neg)
	c.optionalI32(5, &x.Delegate)
	within(c, 6, &x.BoundLeaf)
	c.optionalPath(7, &x.PathLeaf)
	c.optionalI32s(8, &x.Alt)
	c.optionalWeighted(9, &x.Weighted)
	within(c, 10, &x.Transformation)
}

// DelegateNode is a node of an explanation. Dentry is text.
type DelegateNode struct {
	Path     Path
	Dentry   string
	Contents *DelegateContents
}

func (x *DelegateNode) visit(c *coder) {
	c.path(1, &x.Path)
	c.text(2, &x.Dentry)
	within(c, 3, &x.Contents)
}

// DelegateTree is an explanation. The root has no number.
type DelegateTree struct {
	Root  *DelegateNode
	Nodes map[int32]*DelegateNode
}

func (x *DelegateTree) visit(c *coder) {
	within(c, 1, &x.Root)
	nodes(c, 2, &x.Nodes)
}

// Delegation is an explanation in a namespace, in a question one leaf. Servers never
// answer a question with a stamp.
type Delegation struct {
	Stamp []byte
	Tree  *DelegateTree
	Ns    string
}

func (x *Delegation) visit(c *coder) {
	c.bytes(1, &x.Stamp)
	within(c, 2, &x.Tree)
	c.text(3, &x.Ns)
}

// DelegateReq asks for an explanation. Dtab is text.
type DelegateReq struct {
	Dtab       string
	Delegation *Delegation
	ClientID   Path
}

func (x *DelegateReq) visit(c *coder) {
	c.text(1, &x.Dtab)
	within(c, 2, &x.Delegation)
	c.path(3, &x.ClientID)
}

func visitAddresses(c *coder, id int16, v *[]TransportAddress) {
	list(c, id, thrift.SET, thrift.STRUCT, v, func(a *TransportAddress) { c.structure(a) })
}

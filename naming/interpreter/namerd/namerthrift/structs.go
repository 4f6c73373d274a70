package namerthrift

// Path is a name; its elements are any bytes.
type Path [][]byte

// Void is the value of the alternatives that have none.
type Void struct{}

func (*Void) visit(*coder) {}

// NameRef is a name in a namespace. Stamp is the version that the client has; it is
// empty if it has none.
type NameRef struct {
	Stamp []byte
	Name  Path
	Ns    string
}

func (x *NameRef) visit(c *coder) {
	c.bytes(1, &x.Stamp)
	c.path(2, &x.Name)
	c.text(3, &x.Ns)
}

// BindReq asks for the tree of a name. Dtab is text.
type BindReq struct {
	Dtab     string
	Name     *NameRef
	ClientID Path
}

func (x *BindReq) visit(c *coder) {
	c.text(1, &x.Dtab)
	within(c, 2, &x.Name)
	c.path(3, &x.ClientID)
}

// BoundName is a bound name.
type BoundName struct{ ID, Residual Path }

func (x *BoundName) visit(c *coder) {
	c.path(1, &x.ID)
	c.path(2, &x.Residual)
}

// WeightedNodeID is a branch of a union.
type WeightedNodeID struct {
	Weight float64
	ID     int32
}

func (x *WeightedNodeID) visit(c *coder) {
	c.double(1, &x.Weight)
	c.i32(2, &x.ID)
}

// BoundNode is a node of a tree: one of its fields is set. Branches are nodes of
// the tree by number.
type BoundNode struct {
	Neg, Empty, Fail *Void
	Leaf             *BoundName
	Alt              *[]int32
	Weighted         *[]WeightedNodeID
}

func (x *BoundNode) visit(c *coder) {
	within(c, 1, &x.Neg)
	within(c, 2, &x.Empty)
	within(c, 3, &x.Fail)
	within(c, 4, &x.Leaf)
	c.optionalI32s(5, &x.Alt)
	c.optionalWeighted(6, &x.Weighted)
}

// BoundTree is a tree of bound names. The root has no number.
type BoundTree struct {
	Root  *BoundNode
	Nodes map[int32]*BoundNode
}

func (x *BoundTree) visit(c *coder) {
	within(c, 1, &x.Root)
	nodes(c, 2, &x.Nodes)
}

// Bound is the answer to a BindReq.
type Bound struct {
	Stamp []byte
	Tree  *BoundTree
	Ns    string
}

func (x *Bound) visit(c *coder) {
	c.bytes(1, &x.Stamp)
	within(c, 2, &x.Tree)
	c.text(3, &x.Ns)
}

// BindFailure says why a name cannot be bound. RetryInSeconds is of no consequence.
type BindFailure struct {
	Reason         string
	RetryInSeconds int32
	Name           *NameRef
	Ns             string
}

func (x *BindFailure) visit(c *coder) {
	c.text(1, &x.Reason)
	c.i32(2, &x.RetryInSeconds)
	within(c, 3, &x.Name)
	c.text(4, &x.Ns)
}

// AddrReq asks for the endpoints of an id.
type AddrReq struct {
	Name     *NameRef
	ClientID Path
}

func (x *AddrReq) visit(c *coder) {
	within(c, 1, &x.Name)
	c.path(2, &x.ClientID)
}

// AddrMeta is what is known of an endpoint, or of a set. The weight has no meaning
// for a set.
type AddrMeta struct {
	Authority, NodeName *string
	Weight              *float64
}

func (x *AddrMeta) visit(c *coder) {
	c.optionalText(1, &x.Authority)
	c.optionalText(2, &x.NodeName)
	c.optionalDouble(3, &x.Weight)
}

// TransportAddress is an endpoint. IP has four bytes or sixteen.
type TransportAddress struct {
	IP   []byte
	Port int32
	Meta *AddrMeta
}

func (x *TransportAddress) visit(c *coder) {
	c.bytes(1, &x.IP)
	c.i32(2, &x.Port)
	within(c, 3, &x.Meta)
}

// BoundAddr is a set of endpoints.
type BoundAddr struct {
	Addresses []TransportAddress
	Meta      *AddrMeta
}

func (x *BoundAddr) visit(c *coder) {
	visitAddresses(c, 1, &x.Addresses)
	within(c, 2, &x.Meta)
}

// AddrVal is a set of endpoints or that there is none: one of its fields is set.
type AddrVal struct {
	Bound *BoundAddr
	Neg   *Void
}

func (x *AddrVal) visit(c *coder) {
	within(c, 1, &x.Bound)
	within(c, 2, &x.Neg)
}

// Addr is the answer to an AddrReq.
type Addr struct {
	Stamp []byte
	Value *AddrVal
}

func (x *Addr) visit(c *coder) {
	c.bytes(1, &x.Stamp)
	within(c, 2, &x.Value)
}

// AddrFailure says why the endpoints of an id are not known.
type AddrFailure struct {
	Reason         string
	RetryInSeconds int32
	Name           *NameRef
}

func (x *AddrFailure) visit(c *coder) {
	c.text(1, &x.Reason)
	c.i32(2, &x.RetryInSeconds)
	within(c, 3, &x.Name)
}

// DtabReq asks for the dtab of a namespace.
type DtabReq struct {
	Stamp    []byte
	Ns       string
	ClientID Path
}

func (x *DtabReq) visit(c *coder) {
	c.bytes(1, &x.Stamp)
	c.text(2, &x.Ns)
	c.path(3, &x.ClientID)
}

// DtabRef is the answer to a DtabReq. Dtab is text.
type DtabRef struct {
	Stamp []byte
	Dtab  string
}

func (x *DtabRef) visit(c *coder) {
	c.bytes(1, &x.Stamp)
	c.text(2, &x.Dtab)
}

// Failure is a DelegationFailure or a DtabFailure.
type Failure struct{ Reason string }

func (x *Failure) visit(c *coder) { c.text(1, &x.Reason) }

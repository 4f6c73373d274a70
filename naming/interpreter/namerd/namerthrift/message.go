package namerthrift

import (
	"fmt"

	"github.com/apache/thrift/lib/go/thrift"
)

// The methods of the service.
const (
	MethodBind     = "bind"
	MethodAddr     = "addr"
	MethodDelegate = "delegate"
	MethodDtab     = "dtab"
)

// Args are the arguments of a method whose request is a T.
type Args[T any, P interface {
	*T
	Struct
}] struct{ Req *T }

func (x *Args[T, P]) visit(c *coder) { within[T, P](c, 1, &x.Req) }

// Result is the result of a method: its answer or the exception that it declares.
type Result[T any, P interface {
	*T
	Struct
}, F any, Q interface {
	*F
	Struct
}] struct {
	Success *T
	Failure *F
}

func (x *Result[T, P, F, Q]) visit(c *coder) {
	within[T, P](c, 0, &x.Success)
	within[F, Q](c, 1, &x.Failure)
}

// BindArgs are the arguments of bind.
type BindArgs = Args[BindReq, *BindReq]

// BindResult is the result of bind.
type BindResult = Result[Bound, *Bound, BindFailure, *BindFailure]

// AddrArgs are the arguments of addr.
type AddrArgs = Args[AddrReq, *AddrReq]

// AddrResult is the result of addr.
type AddrResult = Result[Addr, *Addr, AddrFailure, *AddrFailure]

// DelegateArgs are the arguments of delegate.
type DelegateArgs = Args[DelegateReq, *DelegateReq]

// DelegateResult is the result of delegate.
type DelegateResult = Result[Delegation, *Delegation, Failure, *Failure]

// DtabArgs are the arguments of dtab.
type DtabArgs = Args[DtabReq, *DtabReq]

// DtabResult is the result of dtab.
type DtabResult = Result[DtabRef, *DtabRef, Failure, *Failure]

// Marshal returns a message: a call with arguments, or a reply with a result.
func Marshal(method string, typ thrift.TMessageType, seq int32, body Struct) ([]byte, error) {
	c := newCoder(nil)
	c.note(c.p.WriteMessageBegin(c.ctx, method, typ, seq))
	c.structure(body)
	c.note(c.p.WriteMessageEnd(c.ctx))
	return c.written(), c.err
}

// MarshalException returns the reply that says that a call failed in a way that its
// method does not declare.
func MarshalException(method string, seq int32, e thrift.TApplicationException) ([]byte, error) {
	c := newCoder(nil)
	c.note(c.p.WriteMessageBegin(c.ctx, method, thrift.EXCEPTION, seq))
	c.note(e.Write(c.ctx, c.p))
	c.note(c.p.WriteMessageEnd(c.ctx))
	return c.written(), c.err
}

func (c *coder) written() []byte {
	return c.p.Transport().(*thrift.TMemoryBuffer).Bytes() //nolint:forcetypeassert // newCoder's
}

// Header is the beginning of a message.
type Header struct {
	Method string
	Type   thrift.TMessageType
	Seq    int32
}

// Unmarshal reads a message. body returns what the rest is to be read into, by the
// header; if it is nil the rest is left. The reply that a call failed is returned
// as error, a thrift.TApplicationException.
func Unmarshal(b []byte, body func(Header) (Struct, error)) (Header, error) {
	c := newCoder(append([]byte{}, b...))
	var h Header
	h.Method, h.Type, h.Seq, c.err = c.p.ReadMessageBegin(c.ctx)
	if c.err == nil && h.Type == thrift.EXCEPTION {
		e := thrift.NewTApplicationException(thrift.UNKNOWN_APPLICATION_EXCEPTION, "")
		if c.note(e.Read(c.ctx, c.p)); c.err == nil {
			return h, e
		}
	}
	if c.err != nil {
		return h, fmt.Errorf("thrift: %w", c.err)
	}
	x, err := body(h)
	if err != nil || x == nil {
		return h, err
	}
	if c.structure(x); c.err != nil {
		return h, fmt.Errorf("thrift: %s: %w", h.Method, c.err)
	}
	return h, nil
}

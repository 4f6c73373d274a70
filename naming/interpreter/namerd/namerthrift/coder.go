package namerthrift

import (
	"context"
	"errors"
	"fmt"

	"github.com/apache/thrift/lib/go/thrift"
)

// maxMessage is how long a message may be.
const maxMessage = 64 << 20

// Struct is a thrift struct, union or exception of this package.
type Struct interface{ visit(c *coder) }

// coder reads or writes structs. Visiting a struct writes all of its fields, or
// reads the one that is at hand.
type coder struct {
	ctx     context.Context //nolint:containedctx // the protocol wants one and does not use it
	p       thrift.TProtocol
	reading bool
	err     error

	id   int16 // the field at hand
	typ  thrift.TType
	done bool // it was known
}

func newCoder(b []byte) *coder {
	buf := thrift.NewTMemoryBufferLen(len(b))
	_, _ = buf.Write(b) // in memory
	conf := &thrift.TConfiguration{MaxMessageSize: maxMessage, MaxFrameSize: maxMessage}
	return &coder{ctx: context.Background(), p: thrift.NewTBinaryProtocolConf(buf, conf), reading: b != nil}
}

// note keeps the first error.
func (c *coder) note(err error) {
	if c.err == nil {
		c.err = err
	}
}

// field writes a field that is present, or reads it if it is the one at hand. A
// field of another type than expected is passed over, as thrift has it.
func (c *coder) field(id int16, typ thrift.TType, present bool, write, read func()) {
	switch {
	case c.err != nil:
	case c.reading:
		if c.id == id && c.typ == typ {
			c.done = true
			read()
		}
	case present:
		c.note(c.p.WriteFieldBegin(c.ctx, "", typ, id))
		write()
		c.note(c.p.WriteFieldEnd(c.ctx))
	}
}

// structure reads or writes all of x.
func (c *coder) structure(x Struct) {
	if !c.reading {
		c.note(c.p.WriteStructBegin(c.ctx, ""))
		x.visit(c)
		c.note(c.p.WriteFieldStop(c.ctx))
		c.note(c.p.WriteStructEnd(c.ctx))
		return
	}
	_, err := c.p.ReadStructBegin(c.ctx)
	c.note(err)
	for c.err == nil {
		_, typ, id, err := c.p.ReadFieldBegin(c.ctx)
		if c.note(err); err != nil || typ == thrift.STOP {
			break
		}
		if c.id, c.typ, c.done = id, typ, false; c.err == nil {
			x.visit(c)
		}
		if !c.done && c.err == nil {
			c.note(c.p.Skip(c.ctx, typ))
		}
		// A struct within has left its own fields here; this one was read.
		c.done = true
		c.note(c.p.ReadFieldEnd(c.ctx))
	}
	c.note(c.p.ReadStructEnd(c.ctx))
	c.id, c.typ, c.done = 0, thrift.STOP, true // nothing is at hand for the rest of the visit
}

func (c *coder) text(id int16, v *string) {
	c.field(id, thrift.STRING, true, func() { c.note(c.p.WriteString(c.ctx, *v)) }, func() { *v = c.readText() })
}

func (c *coder) readText() string {
	v, err := c.p.ReadString(c.ctx)
	c.note(err)
	return v
}

func (c *coder) optionalText(id int16, v **string) {
	c.field(id, thrift.STRING, *v != nil, func() { c.note(c.p.WriteString(c.ctx, **v)) }, func() {
		text := c.readText()
		*v = &text
	})
}

func (c *coder) bytes(id int16, v *[]byte) { //nolint:unparam // every coding takes the number of the field
	c.field(id, thrift.STRING, true, func() { c.note(c.p.WriteBinary(c.ctx, *v)) }, func() { *v = c.readBytes() })
}

func (c *coder) readBytes() []byte {
	v, err := c.p.ReadBinary(c.ctx)
	c.note(err)
	return v
}

func (c *coder) i32(id int16, v *int32) { //nolint:unparam // every coding takes the number of the field
	c.field(id, thrift.I32, true, func() { c.note(c.p.WriteI32(c.ctx, *v)) }, func() { *v = c.readI32() })
}

func (c *coder) optionalI32(id int16, v **int32) {
	c.field(id, thrift.I32, *v != nil, func() { c.note(c.p.WriteI32(c.ctx, **v)) }, func() {
		n := c.readI32()
		*v = &n
	})
}

func (c *coder) readI32() int32 {
	v, err := c.p.ReadI32(c.ctx)
	c.note(err)
	return v
}

func (c *coder) double(id int16, v *float64) {
	c.field(id, thrift.DOUBLE, true, func() { c.note(c.p.WriteDouble(c.ctx, *v)) }, func() { *v = c.readDouble() })
}

func (c *coder) optionalDouble(id int16, v **float64) {
	c.field(id, thrift.DOUBLE, *v != nil, func() { c.note(c.p.WriteDouble(c.ctx, **v)) }, func() {
		d := c.readDouble()
		*v = &d
	})
}

func (c *coder) readDouble() float64 {
	v, err := c.p.ReadDouble(c.ctx)
	c.note(err)
	return v
}

// path is a list of binaries.
func (c *coder) path(id int16, v *Path) {
	list(c, id, thrift.LIST, thrift.STRING, (*[][]byte)(v), func(e *[]byte) {
		if c.reading {
			*e = c.readBytes()
		} else {
			c.note(c.p.WriteBinary(c.ctx, *e))
		}
	})
}

// optionalPath is an alternative of a union.
func (c *coder) optionalPath(id int16, v **Path) {
	optional(c, id, thrift.LIST, v, func(p *Path) { c.path(id, p) })
}

// optionalI32s is an alternative of a union.
func (c *coder) optionalI32s(id int16, v **[]int32) {
	optional(c, id, thrift.LIST, v, func(l *[]int32) {
		list(c, id, thrift.LIST, thrift.I32, l, func(n *int32) {
			if c.reading {
				*n = c.readI32()
			} else {
				c.note(c.p.WriteI32(c.ctx, *n))
			}
		})
	})
}

// optionalWeighted is an alternative of a union.
func (c *coder) optionalWeighted(id int16, v **[]WeightedNodeID) {
	optional(c, id, thrift.LIST, v, func(l *[]WeightedNodeID) {
		list(c, id, thrift.LIST, thrift.STRUCT, l, func(n *WeightedNodeID) { c.structure(n) })
	})
}

// optional writes a field that is present, or makes it and reads it.
func optional[T any](c *coder, id int16, typ thrift.TType, v **T, code func(*T)) {
	switch {
	case c.reading && (c.err != nil || c.id != id || c.typ != typ):
	case c.reading:
		*v = new(T)
		code(*v)
	case *v != nil:
		code(*v)
	}
}

// within reads or writes a struct that is a field.
func within[T any, P interface {
	*T
	Struct
}](c *coder, id int16, v **T) {
	c.field(id, thrift.STRUCT, *v != nil, func() { c.structure(P(*v)) }, func() {
		*v = new(T)
		c.structure(P(*v))
	})
}

// list reads or writes a list or a set.
func list[T any](c *coder, id int16, typ, elem thrift.TType, v *[]T, each func(*T)) {
	begin, end := c.p.WriteListBegin, c.p.WriteListEnd
	readBegin, readEnd := c.p.ReadListBegin, c.p.ReadListEnd
	if typ == thrift.SET {
		begin, end, readBegin, readEnd = c.p.WriteSetBegin, c.p.WriteSetEnd, c.p.ReadSetBegin, c.p.ReadSetEnd
	}
	c.field(id, typ, true, func() {
		c.note(begin(c.ctx, elem, len(*v)))
		for i := range *v {
			each(&(*v)[i])
		}
		c.note(end(c.ctx))
	}, func() {
		got, n, err := readBegin(c.ctx)
		c.note(err)
		if n > 0 && got != elem {
			c.note(fmt.Errorf("thrift: field %d has elements of type %s, not %s", id, got, elem))
		}
		*v = nil
		for i := 0; i < n && c.err == nil; i++ {
			var x T
			each(&x)
			*v = append(*v, x)
		}
		c.note(readEnd(c.ctx))
	})
}

// nodes reads or writes a map of nodes.
func nodes[T any, P interface {
	*T
	Struct
}](c *coder, id int16, v *map[int32]*T) {
	c.field(id, thrift.MAP, true, func() {
		c.note(c.p.WriteMapBegin(c.ctx, thrift.I32, thrift.STRUCT, len(*v)))
		for id, n := range *v {
			c.note(c.p.WriteI32(c.ctx, id))
			c.structure(P(n))
		}
		c.note(c.p.WriteMapEnd(c.ctx))
	}, func() {
		k, e, n, err := c.p.ReadMapBegin(c.ctx)
		c.note(err)
		if n > 0 && (k != thrift.I32 || e != thrift.STRUCT) {
			c.note(errors.New("thrift: the nodes of a tree are not structs with numbers"))
		}
		*v = nil
		for i := 0; i < n && c.err == nil; i++ {
			if *v == nil {
				*v = map[int32]*T{}
			}
			id, x := c.readI32(), new(T)
			c.structure(P(x))
			(*v)[id] = x
		}
		c.note(c.p.ReadMapEnd(c.ctx))
	})
}

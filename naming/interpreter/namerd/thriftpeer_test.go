package namerd_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

// What follows reads and writes thrift's binary protocol with nothing but the
// numbers of the specification: a struct is its fields by id.

type (
	fields  map[int16]any
	set     []any
	numbers map[int32]any // a map with i32 keys
)

const (
	tStop, tDouble, tI32, tString, tStruct, tMap, tSet, tList = 0, 4, 8, 11, 12, 13, 14, 15
)

type thriftReader struct{ b []byte }

var errShort = errors.New("short")

func (r *thriftReader) take(n int) []byte {
	if n < 0 || len(r.b) < n {
		panic(errShort)
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *thriftReader) i32() int32 { return int32(binary.BigEndian.Uint32(r.take(4))) }

func (r *thriftReader) value(typ byte) any {
	switch typ {
	case tDouble:
		return math.Float64frombits(binary.BigEndian.Uint64(r.take(8)))
	case tI32:
		return r.i32()
	case tString:
		return string(r.take(int(r.i32())))
	case tStruct:
		f := fields{}
		for {
			typ := r.take(1)[0]
			if typ == tStop {
				return f
			}
			id := int16(binary.BigEndian.Uint16(r.take(2)))
			f[id] = r.value(typ)
		}
	case tList, tSet:
		elem, n := r.take(1)[0], r.i32()
		all := []any{}
		for range n {
			all = append(all, r.value(elem))
		}
		if typ == tSet {
			return set(all)
		}
		return all
	case tMap:
		k, v, n := r.take(1)[0], r.take(1)[0], r.i32()
		m := numbers{}
		for range n {
			if k != tI32 {
				panic("a key that is not an i32")
			}
			id := r.i32()
			m[id] = r.value(v)
		}
		return m
	}
	panic(fmt.Sprintf("type %d", typ))
}

// readCall reads a strict message of type CALL.
func readCall(b []byte) (method string, seq int32, args fields, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	r := &thriftReader{b}
	if word := uint32(r.i32()); word != 0x80010001 {
		return "", 0, nil, fmt.Errorf("version and type %#x", word)
	}
	method = r.value(tString).(string)
	seq = r.i32()
	args = r.value(tStruct).(fields)
	if len(r.b) > 0 {
		err = fmt.Errorf("%d bytes too many", len(r.b))
	}
	return method, seq, args, err
}

func typeOf(v any) byte {
	switch v.(type) {
	case float64:
		return tDouble
	case int32:
		return tI32
	case string:
		return tString
	case fields:
		return tStruct
	case numbers:
		return tMap
	case set:
		return tSet
	case []any:
		return tList
	}
	panic(fmt.Sprintf("%T", v))
}

func appendValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case float64:
		return binary.BigEndian.AppendUint64(b, math.Float64bits(v))
	case int32:
		return binary.BigEndian.AppendUint32(b, uint32(v))
	case string:
		return append(binary.BigEndian.AppendUint32(b, uint32(len(v))), v...)
	case fields:
		var ids []int16
		for id := range v {
			ids = append(ids, id)
		}
		slices.Sort(ids)
		for _, id := range ids {
			b = append(b, typeOf(v[id]))
			b = binary.BigEndian.AppendUint16(b, uint16(id))
			b = appendValue(b, v[id])
		}
		return append(b, tStop)
	case set:
		return appendList(b, v)
	case []any:
		return appendList(b, v)
	case numbers:
		b = append(b, tI32, tStruct)
		b = binary.BigEndian.AppendUint32(b, uint32(len(v)))
		for id, x := range v {
			b = appendValue(appendValue(b, id), x)
		}
		return b
	}
	panic(fmt.Sprintf("%T", v))
}

func appendList(b []byte, v []any) []byte {
	elem := byte(tString)
	if len(v) > 0 {
		elem = typeOf(v[0])
	}
	b = append(b, elem)
	b = binary.BigEndian.AppendUint32(b, uint32(len(v)))
	for _, x := range v {
		b = appendValue(b, x)
	}
	return b
}

// reply is a message of type REPLY.
func reply(method string, seq int32, result fields) []byte {
	b := binary.BigEndian.AppendUint32(nil, 0x80010002)
	b = appendValue(b, method)
	return appendValue(appendValue(b, seq), result)
}

// exception is a message of type EXCEPTION.
func exception(method string, seq int32, text string) []byte {
	b := binary.BigEndian.AppendUint32(nil, 0x80010003)
	b = appendValue(b, method)
	return appendValue(appendValue(b, seq), fields{1: text, 2: int32(6)})
}

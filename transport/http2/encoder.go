package http2

import (
	"hash/maphash"

	"golang.org/x/net/http2/hpack"
)

// encoder writes header blocks (HPACK, RFC 7541). Beside what hpack.Encoder does it can
// leave a field out of the table, it appends to a slice, and it finds fields by hash
// without maps. Strings are never Huffman-coded: inside a mesh bytes
// are cheaper than the time of both ends, and what repeats is in the table anyway.
//
// It is looked after by its connection's lock.
type encoder struct {
	seed     maphash.Seed
	max      uint32 // size of the dynamic table in force
	size     uint32
	least    uint32 // smallest max since the last block
	resized  bool   // the peer must be told of max
	ents     []hpack.HeaderField
	oldest   uint32    // number of the oldest entry
	next     uint32    // number of the entry to come; entry n is in ents[n%len(ents)]
	byField  []encSlot // by hash of name and value; later ones displace earlier ones
	byName   []encSlot
	volatile func(string) bool
}

// encSlot is where an entry with a hash was put last.
type encSlot struct {
	hash, number uint32
}

const (
	staticEntries = 61
	fieldSlots    = 256
	nameSlots     = 64
)

func newEncoder(volatile func(string) bool) *encoder {
	if volatile == nil {
		volatile = volatileField
	}
	return &encoder{seed: maphash.MakeSeed(), max: 4096, least: 4096, volatile: volatile}
}

// setMax changes the size of the table, as the peer's HEADER_TABLE_SIZE demands.
func (e *encoder) setMax(n uint32) {
	n = min(n, 4096)
	if n == e.max && !e.resized {
		return
	}
	if !e.resized {
		e.least = e.max
	}
	e.least, e.max, e.resized = min(e.least, n), n, true
	e.evict()
}

func (e *encoder) evict() {
	for e.size > e.max {
		f := &e.ents[e.oldest%uint32(len(e.ents))]
		e.size -= f.Size()
		*f = hpack.HeaderField{}
		e.oldest++
	}
}

// block appends the block of the fields.
func (e *encoder) block(dst []byte, fields []hpack.HeaderField) []byte {
	if e.resized {
		if e.least < e.max {
			// The table was smaller for a while, which has to be said (RFC 7541 4.2).
			// From nothing, because Go's decoder takes a second size only of an empty
			// table.
			most := e.max
			e.max = 0
			e.evict()
			e.max = most
			dst = appendInt(dst, 0x20, 5, 0)
		}
		dst = appendInt(dst, 0x20, 5, e.max)
		e.resized, e.least = false, e.max
	}
	for i := range fields {
		dst = e.field(dst, &fields[i])
	}
	return dst
}

// field appends one field. A field goes into the table when it is seen for the second
// time, so that values which change with every request never do; the first of an unknown
// name goes in for the sake of its name.
func (e *encoder) field(dst []byte, f *hpack.HeaderField) []byte {
	name, exact := staticIndex(f.Name, f.Value)
	switch {
	case f.Sensitive:
		return e.literal(dst, 0x10, 4, name, f)
	case exact:
		return append(dst, 0x80|byte(name))
	case f.Size() > e.max/2:
		return e.literal(dst, 0, 4, name, f)
	}
	volatile := e.volatile(f.Name)
	if volatile && name != 0 {
		return e.literal(dst, 0, 4, name, f)
	}
	if e.byField == nil {
		e.byField, e.byName = make([]encSlot, fieldSlots), make([]encSlot, nameSlots)
	}
	h := maphash.String(e.seed, f.Name)
	byName := &e.byName[uint32(h)%nameSlots]
	var byField *encSlot
	seen := false
	if !volatile {
		fh := uint32(h>>32) ^ uint32(maphash.String(e.seed, f.Value))
		if byField, seen = e.slot(fh); seen {
			if g := e.entry(byField.number); g != nil && g.Value == f.Value && g.Name == f.Name {
				return appendInt(dst, 0x80, 7, staticEntries+e.next-byField.number)
			}
		}
		*byField = encSlot{hash: fh, number: e.oldest - 1}
	}
	if name == 0 && byName.hash == uint32(h) {
		if g := e.entry(byName.number); g != nil && g.Name == f.Name {
			name = staticEntries + e.next - byName.number
		}
	}
	if !seen && name != 0 {
		return e.literal(dst, 0, 4, name, f)
	}
	dst = e.literal(dst, 0x40, 6, name, f)
	if byField != nil {
		byField.number = e.next
	}
	*byName = encSlot{hash: uint32(h), number: e.next}
	e.add(f)
	return dst
}

// slot returns where a field of that hash was seen, or where to note it. Of two places
// the one with a field that is in the table is kept.
func (e *encoder) slot(hash uint32) (s *encSlot, seen bool) {
	one, two := &e.byField[hash%fieldSlots], &e.byField[hash%fieldSlots^1]
	switch {
	case one.hash == hash:
		return one, true
	case two.hash == hash:
		return two, true
	case e.entry(one.number) == nil:
		return one, false
	}
	return two, false
}

// entry returns the entry of a number, nil if it is gone.
func (e *encoder) entry(number uint32) *hpack.HeaderField {
	if number-e.oldest >= e.next-e.oldest {
		return nil
	}
	return &e.ents[number%uint32(len(e.ents))]
}

func (e *encoder) add(f *hpack.HeaderField) {
	e.size += f.Size()
	e.evict()
	if int(e.next-e.oldest) == len(e.ents) {
		larger := make([]hpack.HeaderField, max(8, 2*len(e.ents)))
		for n := e.oldest; n != e.next; n++ {
			larger[n%uint32(len(larger))] = e.ents[n%uint32(len(e.ents))]
		}
		e.ents = larger
	}
	e.ents[e.next%uint32(len(e.ents))] = *f
	e.next++
}

func (e *encoder) literal(dst []byte, kind byte, bits uint, name uint32, f *hpack.HeaderField) []byte {
	dst = appendInt(dst, kind, bits, name)
	if name == 0 {
		dst = appendInt(dst, 0, 7, uint32(len(f.Name)))
		dst = append(dst, f.Name...)
	}
	dst = appendInt(dst, 0, 7, uint32(len(f.Value)))
	return append(dst, f.Value...)
}

// appendInt appends an integer with a prefix of some bits (RFC 7541 5.1); kind is what
// the other bits of the first byte are.
func appendInt(dst []byte, kind byte, bits uint, n uint32) []byte {
	most := uint32(1)<<bits - 1
	if n < most {
		return append(dst, kind|byte(n))
	}
	dst = append(dst, kind|byte(most))
	for n -= most; n >= 0x80; n >>= 7 {
		dst = append(dst, byte(n)|0x80)
	}
	return append(dst, byte(n))
}

// volatileField knows the fields that differ from request to request.
func volatileField(name string) bool {
	switch name {
	case "l5d-ctx-trace", "l5d-ctx-deadline", "l5d-reqid", "l5d-err", "traceparent", "tracestate",
		"x-request-id", "x-b3-traceid", "x-b3-spanid", "x-b3-parentspanid", "b3",
		"date", "content-length", "content-range", "range", "age", "etag", "last-modified", "expires",
		"if-none-match", "if-modified-since", "grpc-timeout", "grpc-message", "forwarded", "x-forwarded-for",
		"location", "set-cookie", "grpc-status-details-bin", "grpc-trace-bin", "grpc-tags-bin":
		return true
	}
	return false
}

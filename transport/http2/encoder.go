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
	ents     []encEntry
	oldest   uint32        // number of the oldest entry
	next     uint32        // number of the entry to come; entry n is in ents[n%len(ents)]
	index    *encoderIndex // nil until the first field that may go into the table
	volatile func(string) bool
}

// encEntry is an entry of the table, in two chains that lead to older ones.
type encEntry struct {
	hpack.HeaderField
	hash         uint32 // of name and value
	nameHash     uint32
	older, namer uint32 // numbers of the entries before it in the chains of its field and its name
}

// encoderIndex finds entries by hash.
type encoderIndex struct {
	fields [128]uint32   // number of the latest entry, by hash of name and value
	names  [32]uint32    // the same by hash of the name
	seen   [32][4]uint32 // hashes of fields that were sent and are not in the table, latest first
}

const staticEntries = 61

func newEncoder(volatile func(string) bool) *encoder {
	if volatile == nil {
		volatile = volatileField
	}
	return &encoder{seed: maphash.MakeSeed(), max: 4096, least: 4096, oldest: 1, next: 1, volatile: volatile}
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
		f.HeaderField = hpack.HeaderField{}
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
	if e.index == nil {
		e.index = new(encoderIndex)
	}
	h := maphash.String(e.seed, f.Name)
	entry := encEntry{HeaderField: *f, nameHash: uint32(h)}
	seen := false
	if !volatile {
		entry.hash = uint32(h>>32) ^ uint32(maphash.String(e.seed, f.Value))
		if n := e.find(&entry); n != 0 {
			return appendInt(dst, 0x80, 7, staticEntries+e.next-n)
		}
		seen = e.index.note(entry.hash)
	}
	if name == 0 {
		if n := e.findName(&entry); n != 0 {
			name = staticEntries + e.next - n
		}
	}
	if !seen && name != 0 {
		return e.literal(dst, 0, 4, name, f)
	}
	dst = e.literal(dst, 0x40, 6, name, f)
	e.add(&entry)
	return dst
}

// note says whether a field was noted before, and does so.
func (x *encoderIndex) note(hash uint32) bool {
	bucket := &x.seen[hash%uint32(len(x.seen))]
	for _, h := range bucket {
		if h == hash {
			return true
		}
	}
	copy(bucket[1:], bucket[:])
	bucket[0] = hash
	return false
}

// find returns the number of the entry with that name and value; 0: there is none.
func (e *encoder) find(f *encEntry) uint32 {
	for n := e.index.fields[f.hash%uint32(len(e.index.fields))]; e.live(n); {
		g := &e.ents[n%uint32(len(e.ents))]
		if g.hash == f.hash && g.Value == f.Value && g.Name == f.Name {
			return n
		}
		if e.next-g.older <= e.next-n {
			return 0 // the chain's end has been written over
		}
		n = g.older
	}
	return 0
}

// findName returns the number of the latest entry with that name; 0: there is none.
func (e *encoder) findName(f *encEntry) uint32 {
	for n := e.index.names[f.nameHash%uint32(len(e.index.names))]; e.live(n); {
		g := &e.ents[n%uint32(len(e.ents))]
		if g.nameHash == f.nameHash && g.Name == f.Name {
			return n
		}
		if e.next-g.namer <= e.next-n {
			return 0
		}
		n = g.namer
	}
	return 0
}

// live says whether the entry of that number is in the table.
func (e *encoder) live(n uint32) bool { return n-e.oldest < e.next-e.oldest }

func (e *encoder) add(f *encEntry) {
	e.size += f.Size()
	e.evict()
	if int(e.next-e.oldest) == len(e.ents) {
		larger := make([]encEntry, max(8, 2*len(e.ents)))
		for n := e.oldest; n != e.next; n++ {
			larger[n%uint32(len(larger))] = e.ents[n%uint32(len(e.ents))]
		}
		e.ents = larger
	}
	field := &e.index.fields[f.hash%uint32(len(e.index.fields))]
	name := &e.index.names[f.nameHash%uint32(len(e.index.names))]
	f.older, f.namer = *field, *name
	*field, *name = e.next, e.next
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

package http1

import (
	"bytes"
	"net/http"
)

// field is where a field line's name and value lie in a block.
type field struct {
	name, colon int
	value, end  int
	keep        bool // it goes into the http.Header
}

// fields are the field lines of a head or a trailer while they are taken apart. It can
// be used again for the next ones.
type fields struct {
	list   []field
	values []string // the slices of the header, one after the other
	kept   int
}

// scan takes the lines of block from offset on apart, until the empty one, and calls
// see for each, which says whether it is to be kept. It writes the canonical form of
// the names into the block, so that names need no string of their own.
func (f *fields) scan(block []byte, offset int, see func(name, value []byte) (keep bool, err error)) error {
	f.list, f.kept = f.list[:0], 0
	for {
		end := offset + bytes.IndexByte(block[offset:], '\n') - 1 // of the line, without CRLF; head and line saw to that
		if end == offset {
			return nil
		}
		colon, err := canonical(block[offset:end])
		if err != nil {
			return err
		}
		value := trim(block[offset+colon+1 : end])
		if !isText(value) {
			return refuse(http.StatusBadRequest, "control byte in a field value")
		}
		begin := offset + colon + 1
		for begin < end && (block[begin] == ' ' || block[begin] == '\t') {
			begin++
		}
		f.list = append(f.list, field{name: offset, colon: offset + colon, value: begin, end: begin + len(value)})
		keep, err := see(block[offset:offset+colon], value)
		if err != nil {
			return err
		}
		if keep {
			f.list[len(f.list)-1].keep = true
			f.kept++
		}
		offset = end + 2
	}
}

// canonical brings the name at the beginning of a line into the form of
// http.CanonicalHeaderKey, where it stands, and returns its length.
func canonical(line []byte) (int, error) {
	upper := true
	for i, c := range line {
		t := tokenByte(c)
		if t == 0 {
			return i, badName(c, i)
		}
		if upper && 'a' <= t && t <= 'z' {
			t -= 'a' - 'A'
		}
		line[i] = t
		upper = t == '-'
		if i+1 < len(line) && line[i+1] == ':' {
			return i + 1, nil
		}
	}
	return 0, refuse(http.StatusBadRequest, "header line without a colon")
}

func badName(c byte, at int) error {
	switch {
	case (c == ' ' || c == '\t') && at == 0:
		return refuse(http.StatusBadRequest, "folded header line, or whitespace before the first one")
	case c == ' ' || c == '\t':
		return refuse(http.StatusBadRequest, "whitespace in a header name or before its colon")
	case c == ':':
		return refuse(http.StatusBadRequest, "header line without a name")
	}
	return refuse(http.StatusBadRequest, "byte in a header name that is not allowed there")
}

// fill puts what was kept into header; text is the block as a string. Values of one
// name keep their order.
func (f *fields) fill(text string, header http.Header) {
	if cap(f.values) < f.kept {
		f.values = make([]string, 0, max(f.kept, 16))
	}
	values := f.values[:f.kept]
	n := 0
	for i := range f.list {
		l := &f.list[i]
		if !l.keep {
			continue
		}
		name, value := text[l.name:l.colon], text[l.value:l.end]
		if old, ok := header[name]; ok {
			header[name] = append(old, value)
			continue
		}
		values[n] = value
		header[name] = values[n : n+1 : n+1]
		n++
	}
}

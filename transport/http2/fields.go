package http2

import (
	"errors"

	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// fieldReader decodes header blocks into a slice that is used again. It belongs to the
// reader of a connection.
type fieldReader struct {
	dec    *hpack.Decoder
	fields []hpack.HeaderField
	size   uint64 // of the list, as RFC 9113 6.5.2 counts
	limit  uint64
}

func newFieldReader(limit uint32) *fieldReader {
	r := &fieldReader{limit: uint64(limit)}
	r.dec = hpack.NewDecoder(4096, r.emit)
	r.dec.SetMaxStringLength(2 * int(limit))
	return r
}

func (r *fieldReader) emit(f hpack.HeaderField) {
	r.size += uint64(f.Size())
	if r.size <= r.limit {
		r.fields = append(r.fields, f)
	}
}

// read decodes a block. tooLarge: the list is over the limit, but not so much over it
// that the connection has to end; its fields are not complete then.
func (r *fieldReader) read(block []byte) (fields []hpack.HeaderField, tooLarge bool, err error) {
	if cap(r.fields) > 256 {
		r.fields = nil
	}
	r.fields, r.size = r.fields[:0], 0
	_, err = r.dec.Write(block)
	if err == nil {
		err = r.dec.Close()
	}
	switch {
	case errors.Is(err, hpack.ErrStringLength) || err == nil && r.size > 2*r.limit:
		return nil, true, &ProtocolError{Code: xhttp2.ErrCodeEnhanceYourCalm, Reason: "header list of more than twice the limit"}
	case err != nil:
		return nil, false, &ProtocolError{Code: xhttp2.ErrCodeCompression, Reason: err.Error()}
	}
	return r.fields, r.size > r.limit, nil
}

// forget lets go of the strings of the last block: an idle connection holds none.
func (r *fieldReader) forget() { clear(r.fields) }

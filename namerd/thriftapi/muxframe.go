package thriftapi

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The types of mux messages. Finagle sends two of them under other numbers.
const (
	muxTreq         = 1
	muxRreq         = -1
	muxTdispatch    = 2
	muxRdispatch    = -2
	muxTdrain       = 64
	muxRdrain       = -64
	muxTping        = 65
	muxRping        = -65
	muxTdiscarded   = 66
	muxRdiscarded   = -66
	muxOldDiscarded = -62
	muxTlease       = 67
	muxTinit        = 68
	muxRinit        = -68
	muxRerr         = -128
	muxOldRerr      = 127
)

// The status of an Rdispatch or an Rreq.
const (
	muxOK    = 0
	muxError = 1
	muxNack  = 2
)

const (
	// muxControlTag is the tag of what the server begins. muxFragment marks all but the
	// last of the fragments of a message.
	muxControlTag = 1
	muxFragment   = 1 << 23

	muxHeader = 4 // bytes of type and tag
)

// muxFrame is a message, or a fragment of one.
type muxFrame struct {
	typ  int8
	tag  uint32
	body []byte
}

// muxFrameOf takes a frame apart, which has four bytes at least.
func muxFrameOf(b []byte) muxFrame {
	return muxFrame{typ: int8(b[0]), tag: binary.BigEndian.Uint32(b) & 0xffffff, body: b[muxHeader:]} //nolint:gosec // the type is signed
}

// bytes returns the frame as it is sent.
func (f muxFrame) bytes() []byte {
	b := make([]byte, 0, 4+muxHeader+len(f.body))
	b = binary.BigEndian.AppendUint32(b, uint32(muxHeader+len(f.body))) //nolint:gosec // our own, and not that long
	b = binary.BigEndian.AppendUint32(b, uint32(uint8(f.typ))<<24|f.tag)
	return append(b, f.body...)
}

// isMux reports whether the first frame of a connection is one of mux. A call of
// thrift looks like an error with a tag that the version of thrift is in.
func isMux(first []byte) bool {
	f := muxFrameOf(first)
	switch f.typ {
	case muxRerr:
		return f.tag != 0x010001 && f.tag != 0x010004
	case muxTreq, muxRreq, muxTdispatch, muxRdispatch, muxTdrain, muxRdrain, muxTping, muxRping, muxTdiscarded,
		muxRdiscarded, muxOldDiscarded, muxTlease, muxTinit, muxRinit, muxOldRerr:
		return true
	default:
		return false
	}
}

// errMuxShort is why a message means nothing.
var errMuxShort = errors.New("mux: a message ends too soon")

// muxReader reads the payload of a message.
type muxReader struct{ b []byte }

func (r *muxReader) take(n int) ([]byte, error) {
	if n < 0 || n > len(r.b) {
		return nil, errMuxShort
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b, nil
}

// number reads an unsigned number of 1 to 4 bytes.
func (r *muxReader) number(bytes int) (int, error) {
	b, err := r.take(bytes)
	n := 0
	for _, x := range b {
		n = n<<8 | int(x)
	}
	return n, err
}

// sized reads bytes with their length before them.
func (r *muxReader) sized(bytes int) ([]byte, error) {
	n, err := r.number(bytes)
	if err != nil {
		return nil, err
	}
	return r.take(n)
}

// muxRequest returns the payload of a Tdispatch or a Treq. What comes with it
// (contexts, a destination, a dtab) has no meaning here.
func muxRequest(f muxFrame) ([]byte, error) {
	r := &muxReader{f.body}
	if f.typ == muxTreq {
		n, err := r.number(1)
		for i := 0; i < n && err == nil; i++ {
			if _, err = r.take(1); err == nil {
				_, err = r.sized(1)
			}
		}
		return r.b, err
	}
	if err := r.pairs(); err != nil { // contexts
		return nil, err
	}
	if _, err := r.sized(2); err != nil { // destination
		return nil, err
	}
	err := r.pairs() // dtab
	return r.b, err
}

// pairs passes over a number of pairs of texts.
func (r *muxReader) pairs() error {
	n, err := r.number(2)
	for i := 0; i < 2*n && err == nil; i++ {
		_, err = r.sized(2)
	}
	return err
}

// muxInit is what a client wants to have agreed upon.
type muxInit struct {
	version  int
	fragment int // how long the payload of a frame to it may be; 0 is any length
	tls      string
}

func muxInitOf(b []byte) (muxInit, error) {
	r := &muxReader{b}
	var x muxInit
	var err error
	if x.version, err = r.number(2); err != nil {
		return x, err
	}
	for len(r.b) > 0 {
		key, err := r.sized(4)
		if err != nil {
			return x, err
		}
		value, err := r.sized(4)
		if err != nil {
			return x, err
		}
		switch string(key) {
		case "mux-framer":
			if len(value) != 4 {
				return x, fmt.Errorf("mux: a mux-framer of %d bytes: must be 4", len(value))
			}
			if x.fragment = int(int32(binary.BigEndian.Uint32(value))); x.fragment < 1 { //nolint:gosec // it is signed
				return x, fmt.Errorf("mux: a mux-framer of %d: must be positive", x.fragment)
			}
		case "tls":
			x.tls = string(value)
		}
	}
	return x, nil
}

// bytes returns the server's side of it.
func (x muxInit) bytes() []byte {
	b := binary.BigEndian.AppendUint16(nil, uint16(x.version)) //nolint:gosec // 1
	b = appendFrame(b, []byte("mux-framer"))
	b = appendFrame(b, binary.BigEndian.AppendUint32(nil, uint32(x.fragment))) //nolint:gosec // a constant
	b = appendFrame(b, []byte("tls"))
	return appendFrame(b, []byte(x.tls))
}

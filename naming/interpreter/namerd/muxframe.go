package namerd

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The types of mux messages, by the specification. Finagle sends two of them under
// other numbers.
const (
	muxTdispatch  = 2
	muxRdispatch  = -2
	muxTdrain     = 64
	muxRdrain     = -64
	muxTping      = 65
	muxRping      = -65
	muxTdiscarded = 66
	muxRdiscarded = -66
	muxTlease     = 67
	muxRerr       = -128
	muxRerrOfOld  = 127
)

const (
	// muxControlTag is the tag of pings, and muxFirstTag to muxLastTag are those of
	// requests. muxFragment marks all but the last of the fragments of a message.
	muxControlTag = 1
	muxFirstTag   = 2
	muxLastTag    = 1<<23 - 1
	muxFragment   = 1 << 23

	// muxMaxFrame is how long a frame may be, and muxMaxMessage a message of several.
	muxMaxFrame   = 64 << 20
	muxMaxMessage = 64 << 20
)

// muxFrame is a message, or a fragment of one.
type muxFrame struct {
	typ  int8
	tag  uint32
	body []byte
}

// readMuxFrame reads one frame. The memory that it takes grows with what has
// arrived, not with what is announced.
func readMuxFrame(r io.Reader) (muxFrame, error) {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:4]); err != nil {
		return muxFrame{}, err
	}
	size := binary.BigEndian.Uint32(head[:4])
	if size < 4 || size > muxMaxFrame {
		return muxFrame{}, fmt.Errorf("mux: a frame of %d bytes: must be 4 to %d", size, muxMaxFrame)
	}
	if _, err := io.ReadFull(r, head[4:]); err != nil {
		return muxFrame{}, unexpectedEnd(err)
	}
	word := binary.BigEndian.Uint32(head[4:])
	f := muxFrame{typ: int8(word >> 24), tag: word & 0xffffff} //nolint:gosec // the first byte, signed
	if size == 4 {
		return f, nil
	}
	var body bytes.Buffer
	if _, err := io.CopyN(&body, r, int64(size-4)); err != nil {
		return muxFrame{}, unexpectedEnd(err)
	}
	f.body = body.Bytes()
	return f, nil
}

func unexpectedEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// bytes returns the frame as it is sent.
func (f muxFrame) bytes() []byte {
	b := make([]byte, 0, 8+len(f.body))
	b = binary.BigEndian.AppendUint32(b, uint32(4+len(f.body))) //nolint:gosec // bodies are ours and short
	b = binary.BigEndian.AppendUint32(b, uint32(uint8(f.typ))<<24|f.tag)
	return append(b, f.body...)
}

// muxDispatch is the body of a Tdispatch without contexts, destination and dtab.
func muxDispatch(body []byte) []byte {
	return append(make([]byte, 6, 6+len(body)), body...)
}

// The status of an Rdispatch.
const (
	muxOK    = 0
	muxError = 1
	muxNack  = 2
)

// errMuxReply is why an Rdispatch means nothing.
var errMuxReply = errors.New("mux: an Rdispatch ends before its body")

// muxReply takes an Rdispatch apart; its contexts are of no interest.
func muxReply(b []byte) (status byte, body []byte, err error) {
	if len(b) < 3 {
		return 0, nil, errMuxReply
	}
	status = b[0]
	n := int(binary.BigEndian.Uint16(b[1:])) * 2 // a key and a value each
	b = b[3:]
	for range n {
		if len(b) < 2 {
			return 0, nil, errMuxReply
		}
		l := int(binary.BigEndian.Uint16(b))
		if len(b) < 2+l {
			return 0, nil, errMuxReply
		}
		b = b[2+l:]
	}
	return status, b, nil
}

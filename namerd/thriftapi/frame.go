package thriftapi

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// maxFrame is how long a frame of a client may be. Requests are a name and some
// rules.
const maxFrame = 4 << 20

// minFrame is the length of what every frame begins with in either protocol.
const minFrame = 4

// readFrame reads what follows a length of four bytes, in mux and in framed thrift
// alike. The memory that it takes grows with what has arrived, not with what is
// announced. io.EOF is the end between two frames.
func readFrame(r io.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(head[:])
	if size < minFrame || size > maxFrame {
		return nil, fmt.Errorf("a frame of %d bytes: must be %d to %d", size, minFrame, maxFrame)
	}
	var body bytes.Buffer
	if _, err := io.CopyN(&body, r, int64(size)); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return body.Bytes(), nil
}

// appendFrame appends b with its length before it.
func appendFrame(to, b []byte) []byte {
	to = binary.BigEndian.AppendUint32(to, uint32(len(b))) //nolint:gosec // our own, and not that long
	return append(to, b...)
}

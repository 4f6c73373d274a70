package http2

import (
	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Stream is one stream of a connection. It may be used from any goroutine; the order of
// what is sent is the order of the calls.
type Stream struct {
	conn *Conn
	id   uint32
}

// Conn returns the connection.
func (s *Stream) Conn() *Conn { return s.conn }

// ID returns the stream's id.
func (s *Stream) ID() uint32 { return s.id }

// SendHead sends a response head, :status first; heads of 1xx may come before the final
// one.
func (s *Stream) SendHead(fields []hpack.HeaderField, end bool) error { return nil }

// SendData copies p. What windows and the connection's buffer allow is appended to the
// buffer (sent bytes); the rest waits in the stream and is reported by Sent later.
func (s *Stream) SendData(p []byte, end bool) (sent int, err error) { return 0, nil }

// SendTrailer sends trailers after the queued data, which ends our side.
func (s *Stream) SendTrailer(fields []hpack.HeaderField) error { return nil }

// Reset ends the stream early: queued data is dropped, there are no more events. It does
// nothing if both sides have ended.
func (s *Stream) Reset(code xhttp2.ErrCode) {}

// Consume gives n bytes of the stream's receive window back.
func (s *Stream) Consume(n int) {}

// Queued returns how many bytes of data wait in the stream.
func (s *Stream) Queued() int { return 0 }

package http2

import "golang.org/x/net/http2/hpack"

// Accept is called by a server connection's reader for the HEADERS that open a stream.
// fields has the pseudo-headers first and is validated (RFC 9113 8.1 to 8.3: a
// malformed request never gets here, it is reset with PROTOCOL_ERROR). The slice is
// reused after the call, the strings in it are not. end: the request has no body. A nil
// Receiver refuses the stream (REFUSED_STREAM) unless the stream was reset or answered
// completely during the call.
//
// Accept must not block. No lock is held: it may send on s and on any other connection.
type Accept func(s *Stream, fields []hpack.HeaderField, end bool) Receiver

// Receiver is told what a peer does to one stream, in order, by the goroutine that runs
// the connection's Serve (except Sent). The methods must not block and may call anything
// on any connection; no lock is held.
type Receiver interface {
	// Head is a response head on a client stream, :status first; those of 1xx come
	// before the final one. It is never called on the server side. fields is reused
	// after the call, the strings are not.
	Head(s *Stream, fields []hpack.HeaderField, end bool)
	// Data is a piece of the body. p is valid during the call only. Its len is to be
	// given back by s.Consume when it has been passed on; padding is none of the
	// receiver's business. p is empty only if end.
	Data(s *Stream, p []byte, end bool)
	// Trailer ends the peer's side. fields as in Head, without pseudo-headers.
	Trailer(s *Stream, fields []hpack.HeaderField)
	// Reset is the last event of a stream that did not end normally on both sides:
	// *ResetError, or *ConnError if the connection was lost or will not process the
	// stream. It is not called after (*Stream).Reset.
	Reset(s *Stream, err error)
	// Sent says that n bytes that SendData had to queue have moved on to the
	// connection's buffer. Any goroutine may call it, at the same time as the others.
	Sent(s *Stream, n int)
}

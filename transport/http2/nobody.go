package http2

import "golang.org/x/net/http2/hpack"

// nobody receives what is left of a request that was answered without it.
type nobody struct{}

var _ Receiver = nobody{}

// Head implements Receiver.
func (nobody) Head(*Stream, []hpack.HeaderField, bool) {}

// Data implements Receiver.
func (nobody) Data(s *Stream, p []byte, _ bool) { s.Consume(len(p)) }

// Trailer implements Receiver.
func (nobody) Trailer(*Stream, []hpack.HeaderField) {}

// Reset implements Receiver.
func (nobody) Reset(*Stream, error) {}

// Sent implements Receiver.
func (nobody) Sent(*Stream, int) {}

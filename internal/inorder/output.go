package inorder

import "io"

// enough is how much Output hands on at once.
const enough = 64 << 10

// Output hands text to W in large pieces. After an error of W it hands on nothing more. It is
// not safe for concurrent use.
type Output struct {
	W   io.Writer
	Buf []byte // what has not been handed on
	Err error  // of W
}

// Piece adds text, and returns Err. It is what Do's take wants.
func (o *Output) Piece(text []byte) error {
	if o.Buf = append(o.Buf, text...); len(o.Buf) > enough {
		return o.Flush()
	}
	return o.Err
}

// Flush hands on what there is, and returns Err.
func (o *Output) Flush() error {
	if o.Err == nil && len(o.Buf) > 0 {
		_, o.Err = o.W.Write(o.Buf)
	}
	o.Buf = o.Buf[:0]
	return o.Err
}

package meshhttp

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync/atomic"

	"github.com/weft-mesh/weft"
)

// own makes the end of the response's body the end of the attempt: until the last
// byte the endpoint is busy with it. A body that is in memory has ended.
func (a *attempt) own(resp *http.Response, res weft.Result, whole bool) {
	if whole {
		a.done(res, answered(resp))
		return
	}
	b := &a.body
	b.ReadCloser, b.a, b.res, b.answered = resp.Body, a, res, answered(resp)
	if w, ok := resp.Body.(io.Writer); ok {
		resp.Body = &duplex{body: b, Writer: w}
	} else {
		resp.Body = b
	}
}

// answered is what the protocol's default classifier calls a success.
func answered(resp *http.Response) bool { return resp.StatusCode < http.StatusInternalServerError }

// body is a response's body as the caller gets it. When it has been read to its
// end, has failed, or is closed, the attempt and the exchange end.
type body struct {
	io.ReadCloser
	a        *attempt
	x        *exchange // nil if the response is one of those that are not returned
	res      weft.Result
	answered bool
	ended    atomic.Bool
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.x != nil { // what nobody gets has not been received
		b.x.received.Add(int64(n))
	}
	if err != nil {
		b.end(err)
	}
	return n, err
}

// Close implements io.Closer.
func (b *body) Close() error {
	err := b.ReadCloser.Close()
	b.end(nil)
	return err
}

// end takes the result that stands since the head unless the body turned out to be
// broken, which is the endpoint's fault unless the caller has gone.
func (b *body) end(err error) {
	if b.ended.Swap(true) {
		return
	}
	a, res := b.a, b.res
	switch broken := err != nil && !errors.Is(err, io.EOF); {
	case a.x.gone() && !errors.Is(err, io.EOF):
		res.Class = weft.Ignored
	case broken && res.Class == weft.Success:
		res.Class, b.answered = weft.Failure, false
		res.Err = &weft.Error{Stage: weft.StageReceive, Dst: a.pick.Client.ID(), Err: err}
	}
	a.done(res, b.answered)
	if b.x != nil {
		b.x.class, b.x.err = res.Class, res.Err
		b.x.end()
	}
}

// duplex is the body of a 101 response or of a tunnel: the raw connection.
type duplex struct {
	*body
	io.Writer
}

// CloseWrite ends the writing half, if the connection can.
func (d *duplex) CloseWrite() error {
	if c, ok := d.Writer.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return http.ErrNotSupported
}

// memBody is a body that is in memory, and what is to be closed with it.
type memBody struct {
	bytes.Reader
	io.Closer
}

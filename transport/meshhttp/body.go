package meshhttp

import (
	"errors"
	"io"
	"net/http"
	"sync"

	"github.com/weft-mesh/weft"
)

// own makes the response's body end the attempt: load, breaker and latency count
// until the last byte, because until then the endpoint is busy with it.
func (a *attempt) own(resp *http.Response, res weft.Result) {
	answered := resp.StatusCode < 500
	if a.whole || resp.Body == nil || resp.Body == http.NoBody {
		a.done(res, answered)
		return
	}
	wrap(resp, func(err error) {
		if err != nil && res.Class == weft.Success {
			res.Class, res.Err, answered = weft.Failure, &weft.Error{Stage: weft.StageReceive, Dst: a.pick.Client.ID(), Err: err}, false
			if interrupted(a.x.ctx, err) {
				res.Class = weft.Ignored
			}
		}
		a.done(res, answered)
	})
}

// release makes the response's body end the exchange.
func (x *exchange) release(resp *http.Response) {
	if resp.Body == nil || resp.Body == http.NoBody {
		x.end()
		x.dest.Release()
		return
	}
	wrap(resp, func(error) {
		x.end()
		x.dest.Release()
	})
}

// wrap calls done once when the body has been read to its end, failed, or was
// closed. The body of a switched protocol stays writable.
func wrap(resp *http.Response, done func(error)) {
	b := &body{ReadCloser: resp.Body, done: done}
	if w, ok := resp.Body.(io.Writer); ok {
		resp.Body = &duplex{body: b, Writer: w}
		return
	}
	resp.Body = b
}

type body struct {
	io.ReadCloser
	once sync.Once
	done func(error)
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		end := err
		if errors.Is(err, io.EOF) {
			end = nil
		}
		b.once.Do(func() { b.done(end) })
	}
	return n, err
}

// Close implements io.Closer.
func (b *body) Close() error {
	err := b.ReadCloser.Close()
	b.once.Do(func() { b.done(nil) })
	return err
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
	return nil
}

package http2

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"

	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// maxInformational bounds the 1xx responses that wait to be reported.
const maxInformational = 16

// informational is a 1xx response.
type informational struct {
	code   int
	header http.Header
}

// errResponseEnded stops an upload that the response did not wait for.
var errResponseEnded = errors.New("http2: the response ended before the request")

// exchange is one request and its response on a client connection: the Receiver of its
// stream. It is one allocation together with the response and its body.
type exchange struct {
	client  *Client
	req     *http.Request
	stream  *Stream // set by open; events do not use it
	connect bool    // CONNECT without a body: the caller may write to the response's
	tunnel  bool    // and so it is; set with resp
	written func()
	wake    chan struct{} // of the one who waits for the head, then for the body
	resp    http.Response
	in      body
	out     bodyWriter

	mu    sync.Mutex
	heads []informational
	head  bool  // resp is there
	err   error // why there is no response
	sent  bool  // the request was sent completely
	done  bool  // nothing is left to be cancelled
	stop  func() bool
	body  io.ReadCloser // what is being uploaded; nil: nothing
}

// open opens the stream on conn.
func (x *exchange) open(conn *Conn, head []hpack.HeaderField, end bool) error {
	s, err := conn.Open(x, head, end)
	if errors.Is(err, ErrClosed) {
		return errConnClosed
	}
	if err != nil {
		return err
	}
	x.stream, x.out.stream = s, s
	return nil
}

// news returns what is there for the one who waits for the head.
func (x *exchange) news() (heads []informational, head bool, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	heads, x.heads = x.heads, nil
	return heads, x.head, x.err
}

// wakeUp wakes the one who waits for the head.
func (x *exchange) wakeUp() {
	select {
	case x.wake <- struct{}{}:
	default:
	}
}

// Head implements Receiver.
func (x *exchange) Head(s *Stream, fields []hpack.HeaderField, end bool) {
	code, err := responseStatus(fields)
	if err != nil || code == http.StatusSwitchingProtocols {
		s.Reset(xhttp2.ErrCodeProtocol)
		x.failed(errNoStatus)
		return
	}
	header := x.client.names.header(fields[1:])
	if code < 200 {
		x.mu.Lock()
		if len(x.heads) < maxInformational {
			x.heads = append(x.heads, informational{code, header})
		}
		x.mu.Unlock()
		x.wakeUp()
		return
	}
	x.respond(code, header, s.conn.tlsState, end)
	x.mu.Lock()
	x.head = true
	x.mu.Unlock()
	if end {
		x.ended(s)
	}
	x.wakeUp()
}

// respond makes the response.
func (x *exchange) respond(code int, header http.Header, state *tls.ConnectionState, end bool) {
	x.resp = http.Response{
		Status: statusText(code), StatusCode: code,
		Proto: "HTTP/2.0", ProtoMajor: 2,
		Header: header, Trailer: announced(header),
		ContentLength: -1, Body: http.NoBody,
		Request: x.req, TLS: state,
	}
	if v := header["Content-Length"]; len(v) == 1 {
		if n, err := strconv.ParseInt(v[0], 10, 64); err == nil && n >= 0 {
			x.resp.ContentLength = n
		}
	} else if end && x.req.Method != http.MethodHead {
		x.resp.ContentLength = 0
	}
	x.in.init(x, x.resp.ContentLength, x.wake, &x.resp.Trailer)
	switch {
	case x.connect && code < 300:
		x.tunnel = true
		x.resp.ContentLength = -1
		x.resp.Body = &tunnel{x}
	case !end:
		x.resp.Body = &x.in
	}
	if end {
		x.in.end(io.EOF, nil)
	}
}

// Data implements Receiver.
func (x *exchange) Data(s *Stream, p []byte, end bool) {
	if !x.in.add(p, end) {
		s.Reset(xhttp2.ErrCodeCancel) // closed
		x.failed(errBodyClosed)
		return
	}
	if end {
		x.ended(s)
	}
}

// Trailer implements Receiver.
func (x *exchange) Trailer(s *Stream, fields []hpack.HeaderField) {
	x.in.end(io.EOF, x.client.names.header(fields))
	x.ended(s)
}

// Reset implements Receiver.
func (x *exchange) Reset(_ *Stream, err error) { x.failed(err) }

// Sent implements Receiver.
func (x *exchange) Sent(*Stream, int) { x.out.news() }

// ended is called when the response has come completely. A request that is still being
// sent is of no use then, except in a tunnel.
func (x *exchange) ended(s *Stream) {
	x.mu.Lock()
	unsent := !x.sent
	x.mu.Unlock()
	if unsent && x.tunnel {
		return
	}
	if unsent {
		x.out.stop(errResponseEnded)
		s.Reset(xhttp2.ErrCodeNo)
	}
	x.finish()
	if unsent {
		x.closeUploadAside()
	}
}

// failed is called when the stream has ended early.
func (x *exchange) failed(err error) {
	x.mu.Lock()
	if !x.head && x.err == nil {
		x.err = err
	}
	head := x.head
	x.mu.Unlock()
	if head {
		x.in.end(err, nil)
	}
	x.out.stop(err)
	x.finish()
	x.closeUploadAside()
	x.wakeUp()
}

// abort ends the exchange from this side because of err.
func (x *exchange) abort(err error) {
	x.stream.Reset(xhttp2.ErrCodeCancel)
	x.stream.conn.Flush()
	x.mu.Lock()
	head := x.head
	x.mu.Unlock()
	if head {
		x.in.fail(err)
	}
	x.failed(err)
}

// finish is called when nothing is left that could be cancelled.
func (x *exchange) finish() {
	x.mu.Lock()
	x.done = true
	stop := x.stop
	x.stop = nil
	x.mu.Unlock()
	if stop != nil {
		stop()
	}
}

// finished says whether finish has been called.
func (x *exchange) finished() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.done
}

// watch has the exchange aborted when ctx ends before it.
func (x *exchange) watch(ctx context.Context) {
	if ctx.Done() == nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.done {
		x.stop = context.AfterFunc(ctx, func() { x.abort(context.Cause(ctx)) })
	}
}

// bodyRead implements bodyOwner.
func (x *exchange) bodyRead(n int) {
	x.stream.Consume(n)
	x.stream.conn.Flush()
}

// bodyClosed implements bodyOwner.
func (x *exchange) bodyClosed(unread bool) {
	if unread {
		x.abort(errBodyClosed)
	}
}

package http2

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync"

	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

const (
	sendTries  = 3        // connections that one request is tried on
	inlineBody = 32 << 10 // longest body that is read before its request is sent
)

// Sending is what Send reports besides its result.
type Sending struct {
	// Written is called once the whole request is on its way, if it ever is, from any
	// goroutine; nil: not called.
	Written func()
	// Fresh says that the request was the first on its connection.
	Fresh bool
	// Sent says that the endpoint may have seen the request. It is false after an error
	// that proves the contrary.
	Sent bool
}

// RoundTrip implements http.RoundTripper for the endpoint, whatever host the URL names.
//
// A request that the endpoint provably did not process (GOAWAY, REFUSED_STREAM) is
// repeated on another connection, a few times, if its body can be had again. Fields
// that belong to an HTTP/1 connection are removed. The response to CONNECT has a Body
// that is an io.ReadWriteCloser, unless the request has a body to be sent instead.
// Nothing is compressed or decompressed, no field is added but content-length.
//
// Errors are those of the context and of the request's body, and *DialError,
// *ResetError, *ConnError and ErrClosed.
func (c *Client) RoundTrip(req *http.Request) (*http.Response, error) {
	var sending Sending
	return c.Send(req, &sending)
}

// Send is RoundTrip which reports what happened.
func (c *Client) Send(req *http.Request, sending *Sending) (*http.Response, error) {
	s := &sender{c: c, req: req, body: req.Body, report: sending}
	resp, err := s.send()
	if s.head != nil {
		c.heads.put(s.head)
	}
	if s.body != nil {
		_ = s.body.Close()
	}
	return resp, err
}

// sender sends one request, perhaps more than once.
type sender struct {
	c      *Client
	req    *http.Request
	report *Sending
	trace  *httptrace.ClientTrace // nil: none
	head   *[]hpack.HeaderField
	body   io.ReadCloser // what has to be closed yet; nil: nothing
	inline []byte        // the whole body, if it was read already
	length int64
}

func (s *sender) send() (*http.Response, error) {
	if err := s.prepare(); err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		s.report.Sent = false
		resp, err := s.try()
		if err == nil {
			return resp, nil
		}
		if !Unprocessed(err) {
			return nil, err
		}
		s.report.Sent = false
		if try == sendTries || s.req.Context().Err() != nil || !s.rewind() {
			return nil, err
		}
	}
}

// prepare does what is done once for all tries.
func (s *sender) prepare() error {
	req := s.req
	if req.URL == nil {
		return errors.New("http2: request without a URL")
	}
	ctx := req.Context()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	s.trace = httptrace.ContextClientTrace(ctx)
	s.length = requestLength(req)
	s.head = s.c.heads.get()
	head, err := s.c.appendRequest(*s.head, req)
	*s.head = head
	if err != nil {
		return err
	}
	// A body that can be had again comes from memory, so that reading it takes no time.
	if req.GetBody != nil && s.length > 0 && s.length <= inlineBody && len(req.Trailer) == 0 {
		s.inline = make([]byte, s.length)
		if _, err := io.ReadFull(req.Body, s.inline); err != nil {
			return err
		}
	}
	return nil
}

// rewind prepares the body for another try.
func (s *sender) rewind() bool {
	if s.body != nil || s.req.Body == nil {
		return true // it was not touched, or was read at once
	}
	if s.req.GetBody == nil {
		return false
	}
	body, err := s.req.GetBody()
	if err != nil {
		return false
	}
	s.body = body
	return true
}

// try sends the request once.
func (s *sender) try() (*http.Response, error) {
	x := &exchange{client: s.c, req: s.req, written: s.report.Written}
	x.wake = make(chan struct{}, 1)
	x.connect = s.req.Method == http.MethodConnect && s.length == 0
	fresh, err := s.open(x)
	if err != nil {
		return nil, err
	}
	s.report.Sent = true
	s.report.Fresh = fresh
	if s.trace != nil {
		s.traceSent(fresh, x)
	}
	switch {
	case x.connect:
	case s.length == 0:
		if len(s.req.Trailer) > 0 {
			x.sendTrailer()
		}
		x.requestSent()
	case s.inline != nil:
		if _, err := x.stream.SendData(s.inline, true); err == nil {
			x.requestSent()
		}
	case expectsContinue(s.req):
		x.stream.conn.Flush()
		return s.await(x, true)
	default:
		s.upload(x)
	}
	x.stream.conn.flushShared()
	return s.await(x, false)
}

// traceSent reports to the request's trace.
func (s *sender) traceSent(fresh bool, x *exchange) {
	if s.trace.GotConn != nil {
		s.trace.GotConn(httptrace.GotConnInfo{Conn: x.stream.conn.NetConn(), Reused: !fresh})
	}
	if s.trace.WroteHeaders != nil {
		s.trace.WroteHeaders()
	}
	if wrote := s.trace.WroteRequest; wrote != nil {
		written := x.written
		x.written = func() {
			wrote(httptrace.WroteRequestInfo{})
			if written != nil {
				written()
			}
		}
	}
}

// open opens a stream for x as soon as there is a connection. fresh says that it is the
// first one there.
func (s *sender) open(x *exchange) (fresh bool, err error) {
	end := s.length == 0 && len(s.req.Trailer) == 0 && !x.connect
	if s.trace != nil && s.trace.GetConn != nil {
		s.trace.GetConn(s.req.URL.Host)
	}
	for {
		conn := s.c.Pick()
		if conn == nil {
			err = s.wait(x, end)
		} else {
			err = x.open(conn, *s.head, end)
		}
		switch {
		case err == nil:
			return x.stream.ID() <= firstStream, nil
		case errors.Is(err, ErrStreamLimit), errors.Is(err, ErrDraining), errors.Is(err, errConnClosed):
			// Somebody was faster.
		default:
			return false, err
		}
	}
}

// firstStream is the id of a client connection's first stream.
const firstStream = 3

// errConnClosed tells a connection's ErrClosed from a Client's.
var errConnClosed = errors.New("http2: the connection was closed just now")

// wait waits for a connection and opens a stream there.
func (s *sender) wait(x *exchange, end bool) error {
	var (
		mu        sync.Mutex
		abandoned bool
		done      = make(chan error, 1)
	)
	ready := func(conn *Conn, err error) {
		mu.Lock()
		defer mu.Unlock()
		if abandoned {
			return
		}
		if err == nil {
			err = x.open(conn, *s.head, end)
		}
		done <- err
	}
	conn, cancel := s.c.Acquire(ready)
	if conn != nil {
		return x.open(conn, *s.head, end)
	}
	ctx := s.req.Context()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	cancel()
	mu.Lock()
	defer mu.Unlock()
	abandoned = true
	select {
	case err := <-done:
		if err == nil {
			x.stream.Reset(xhttp2.ErrCodeCancel)
			x.stream.conn.Flush()
		}
	default:
	}
	return context.Cause(ctx)
}

// Unprocessed says whether err proves that the endpoint did nothing with a request, so
// that any request may be repeated elsewhere.
func Unprocessed(err error) bool {
	if reset, ok := errors.AsType[*ResetError](err); ok {
		return reset.Remote && reset.Code == xhttp2.ErrCodeRefusedStream
	}
	lost, ok := errors.AsType[*ConnError](err)
	return ok && lost.Unprocessed
}

package http1

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"time"
)

// turn is one request and its response on a connection: everything that an exchange
// needs and an idle connection does not. Turns are used again. The goroutine that
// sends the request has it, and then the response's body does.
type turn struct {
	pool  *Pool
	lim   limits
	req   *http.Request
	ctx   context.Context //nolint:containedctx // a turn lives exactly as long as its request
	x     *Exchange
	trace *httptrace.ClientTrace // nil: nobody asked

	c    *poolConn   // nil: given back
	stop func() bool // keeps the context's end from interrupting c; nil: it does not
	hang *hangup     // instead of stop, where the context is one of a Server's
	out  outgoing
	up   *upload // nil: the body was written inline

	rd     reader // its buffer also holds the request's head, before anything is read
	size   int    // of the request's head, in rd.buf
	head   head
	body   payload
	status statusText

	replay bool // the request can be sent once more
	last   bool // the request says that the connection ends with it
	fed    bool // the request has a body
	heard  bool // something of a response came
	used   bool // c has carried requests before

	// What responses are made of with PoolOptions.Recycle.
	resp    http.Response
	own     clientBody
	nobody  Exchange    // whose caller does not want to know
	owner   *clientBody // of the response under way
	chunked [1]string
	bufs    [2][]byte
	vector  net.Buffers
}

func newTurn(p *Pool) *turn {
	return &turn{
		pool: p, chunked: [1]string{"chunked"},
		lim: limits{line: p.o.MaxLineBytes, header: p.o.MaxHeaderBytes, fields: p.o.MaxHeaders}.withDefaults(),
	}
}

// responseBuffer is what a response is read to: one that fits is read at once, and its
// connection serves others before anybody has looked at it. Only exchanges under way
// have one.
const responseBuffer = 16 << 10

// keptBuffer is how large a buffer may have grown to be used for other exchanges.
const keptBuffer = 16 << 10

// maxInformational is how many 1xx responses may come before the final one.
const maxInformational = 16

// suspectAfter is the idle time after which a connection is looked at before a request
// is sent on it that could be sent again without looking.
const suspectAfter = time.Second

// RoundTrip implements http.RoundTripper, whatever the host of the request's URL. Of
// httptrace it calls the hooks for connections, for the writing of the request, and for
// responses.
func (p *Pool) RoundTrip(req *http.Request) (*http.Response, error) { return p.Send(req, nil) }

// Send is RoundTrip, and reports through x how it went; x may be nil.
//
// An error that comes of the connection being closed before anything of the response
// came leads to another sending, on a fresh connection, if the request had been given
// one that was idle, and it can be sent again, because it has no body, or one that is
// Buffered, or GetBody; and either its method is idempotent or nothing of it has reached
// the endpoint, which on Linux is known also when the endpoint closed the connection
// while the request was on its way. Other errors are the caller's: a *ConnectError, ErrTooManyWaiters,
// ErrPoolClosed, a *RequestError or a *ResponseError, the cause of the end of the
// request's context, or an error of the connection or of the request's body.
//
// The request's body is closed in any case, when it has been read; that may be after
// Send has returned, if a Read of it was under way. No Read begins when Send has
// returned an error or the response's body has been read or closed.
func (p *Pool) Send(req *http.Request, x *Exchange) (*http.Response, error) {
	resp, err := p.send(req, x)
	if err == ErrPoolClosed && req.Body != nil { //nolint:errorlint // it is returned as it is
		_ = req.Body.Close() // nothing was read of it
	}
	return resp, err
}

// send is Send, except that ErrPoolClosed leaves the body as it was, for another pool.
func (p *Pool) send(req *http.Request, x *Exchange) (*http.Response, error) {
	t, _ := p.turns.Get().(*turn)
	t.req, t.ctx, t.x = req, req.Context(), x
	resp, err := t.do()
	if err != nil {
		if err != ErrPoolClosed { //nolint:errorlint // as above
			t.out.close()
		}
		t.free()
		return nil, err
	}
	return resp, nil
}

// free gives the turn back.
func (t *turn) free() {
	if !t.pool.o.Recycle {
		t.head.header = nil // it is the response's
	}
	t.reset()
	t.pool.turns.Put(t)
}

// reset forgets the request.
func (t *turn) reset() {
	t.req, t.ctx, t.x, t.trace, t.c, t.stop, t.hang, t.up, t.owner = nil, nil, nil, nil, nil, nil, nil, nil, nil
	t.out = outgoing{}
	t.resp.Request, t.resp.Body, t.resp.Trailer, t.resp.TLS = nil, nil, nil, nil
	t.rd.src, t.rd.r, t.rd.w = nil, 0, 0
	if len(t.rd.buf) > keptBuffer {
		t.rd.buf = nil
	}
	t.body = payload{}
	t.replay, t.last, t.fed, t.heard, t.used = false, false, false, false, false
}

func (t *turn) do() (*http.Response, error) {
	if err := t.plan(t.req.Body); err != nil {
		return nil, err
	}
	if t.x == nil {
		t.trace = httptrace.ContextClientTrace(t.ctx)
		if t.x = &t.nobody; t.out.aside {
			t.x = &Exchange{} // an upload may outlive the turn
		}
	}
	if t.ctx.Err() != nil {
		return nil, context.Cause(t.ctx)
	}
	t.getConn()
	c, fresh, err := t.pool.take(t.ctx)
	if err == nil && !fresh && t.suspicious(c) && !c.alive() {
		c, err = t.pool.replace(t.ctx, c)
		fresh = true
	}
	if err != nil {
		return nil, err
	}
	resp, err := t.on(c, fresh)
	switch {
	case err == nil:
		return resp, nil
	case fresh, !t.stale(err):
		t.release(false)
		return nil, err
	}
	t.unhook(c)
	if err := t.again(); err != nil {
		t.release(false)
		return nil, err
	}
	t.c = nil
	if c, err = t.pool.replace(t.ctx, c); err != nil {
		return nil, err
	}
	if resp, err = t.on(c, true); err != nil {
		t.release(false)
	}
	return resp, err
}

// plan decides how the body is written, and writes the head into the buffer.
func (t *turn) plan(body io.ReadCloser) error {
	minor := 1
	if t.x != nil && t.x.HTTP10 {
		minor = 0
	}
	if err := t.out.plan(t.req, body, minor); err != nil {
		return err
	}
	if t.rd.buf == nil {
		t.rd.buf = make([]byte, responseBuffer)
	}
	head, err := appendRequest(t.rd.buf[:0], t.req, minor, &t.out)
	if err != nil {
		return err
	}
	if cap(head) > cap(t.rd.buf) {
		t.rd.buf = head[:cap(head)]
	}
	t.size = len(head)
	t.replay = t.out.replayable(t.req)
	t.fed = t.out.src != nil
	t.last = t.req.Close || minor == 0 || saysClose(t.req.Header)
	return nil
}

// suspicious reports whether c, which was idle, is to be looked at before it is used.
// A request that may be sent again needs no look, which costs a system call, to find
// out that the endpoint has closed the connection. But where the last request had a
// body, the endpoint may have taken a part of it for a request, and the answer to that
// must not become the answer to this one.
func (t *turn) suspicious(c *poolConn) bool {
	return !t.replay || !safe(t.req.Method) || c.fed || time.Since(c.idleSince) > suspectAfter
}

// safe reports whether a method changes nothing (RFC 9110 §9.2.1).
func safe(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return false
}

// idempotent reports whether a request that was processed may be sent again (RFC 9110
// §9.2.2).
func idempotent(method string) bool {
	return safe(method) || method == http.MethodPut || method == http.MethodDelete
}

// stale reports whether err can be that of a connection which was closed while it was
// idle, and the request may be sent on another one.
func (t *turn) stale(err error) bool {
	var unsent *unsentError
	switch {
	case t.heard, !t.replay, isTimeout(err), t.ctx.Err() != nil:
		return false
	case errors.As(err, &unsent):
		return true
	}
	_, malformed := errors.AsType[*ResponseError](err)
	_, ours := errors.AsType[*bodyError](err)
	return !malformed && !ours && (idempotent(t.req.Method) || errors.Is(err, io.EOF) && t.c != nil && t.c.unheard())
}

// unsentError is a failed write before which nothing had been sent.
type unsentError struct{ err error }

func (e *unsentError) Error() string { return "http1: writing the request: " + e.err.Error() }
func (e *unsentError) Unwrap() error { return e.err }

// again prepares the request to be sent once more.
func (t *turn) again() error {
	t.x.Resent = true
	body := t.req.Body
	if t.fed && t.out.mem == nil {
		t.out.close()
		var err error
		if body, err = t.req.GetBody(); err != nil {
			return &bodyError{err}
		}
	}
	return t.plan(body)
}

// on sends the request on c and returns the response. After an error it is for the
// caller to close c, if t still has it.
func (t *turn) on(c *poolConn, fresh bool) (*http.Response, error) {
	t.c, t.used = c, !fresh
	t.x.Fresh = t.x.Fresh || fresh
	t.rd.src, t.rd.r, t.rd.w = c, 0, 0
	c.before = c.written
	t.gotConn(fresh)
	t.watch()
	err := t.send()
	if err == nil {
		err = t.receive()
	}
	if err == nil {
		return t.accept()
	}
	err = t.explain(err)
	t.heard = t.heard || t.rd.w > 0
	return nil, err
}

// watch makes the end of the request's context interrupt the connection.
func (t *turn) watch() {
	if t.ctx.Done() == nil {
		return
	}
	if h := hangupOf(t.ctx); h != nil {
		t.hang = h
		if !h.watch(t.c) {
			t.c.interrupt() // he is gone
		}
		return
	}
	t.stop = context.AfterFunc(t.ctx, t.c.interrupter)
}

// receive reads heads until the final one.
func (t *turn) receive() error {
	for range maxInformational {
		if err := t.readHead(); err != nil {
			return err
		}
		if t.head.status >= 200 || t.head.status == http.StatusSwitchingProtocols {
			return nil
		}
		if err := t.inform(); err != nil {
			return err
		}
	}
	return &ResponseError{Err: refuse(http.StatusBadGateway, "too many informational responses")}
}

func (t *turn) readHead() error {
	block, err := t.rd.head(&t.lim)
	if err == nil {
		size := len(block)
		t.gotFirstByte()
		t.heard = true
		if err = t.head.parseResponse(block, t.req.Method); err == nil {
			t.rd.take(size)
			return nil
		}
	}
	return t.malformed(err)
}

// malformed marks an error of the protocol as the endpoint's.
func (t *turn) malformed(err error) error {
	if _, ok := errors.AsType[*ProtocolError](err); ok {
		return &ResponseError{Err: err}
	}
	return err
}

// explain returns what to say of an error of the connection: what was behind it.
func (t *turn) explain(err error) error {
	interrupted := t.c != nil && t.c.interrupted.Load()
	if t.ctx.Err() != nil && (t.c == nil || interrupted) {
		return context.Cause(t.ctx)
	}
	if t.up != nil {
		// What the read says of a connection that is gone is the same whenever the upload
		// notices, and tells an end from a reset, as a failed write does not.
		if failed := t.up.failure(); failed != nil && (interrupted || t.up.ours()) {
			return failed
		}
	}
	if _, ok := errors.AsType[*ResponseError](err); ok {
		return err
	}
	err = t.malformed(err)
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("http1: the endpoint closed the connection and did not answer: %w", err)
	}
	switch {
	case !interrupted || !errors.Is(err, os.ErrDeadlineExceeded):
		return err
	case t.hang != nil:
		return context.Canceled // which the context is about to say as well
	case t.up != nil:
		return errAborted
	}
	return http.ErrBodyReadAfterClose // by Close, during a Read
}

// accept returns the response whose head was read.
func (t *turn) accept() (*http.Response, error) {
	if t.head.status == http.StatusSwitchingProtocols || t.req.Method == http.MethodConnect && t.head.status < 300 {
		return t.switched()
	}
	if t.up == nil {
		t.out.close()
	}
	t.body.begin(&t.rd, &t.lim, &t.head)
	resp := t.response()
	if t.head.framing == empty && !t.pool.o.Recycle {
		resp.Body = http.NoBody
		t.release(true)
		t.free()
		return resp, nil
	}
	b := &t.own
	if !t.pool.o.Recycle {
		b = &clientBody{}
	}
	b.t, b.resp, b.err = t, resp, nil
	resp.Body = b
	// What is here already needs no connection, nor anybody who watches it.
	if t.up == nil && (t.head.framing == empty || t.head.framing == sized && int64(len(t.rd.buffered())) >= t.body.left) {
		t.release(true)
		return resp, nil
	}
	b.attach(t.c)
	t.owner = b
	return resp, nil
}

// errUnasked refuses a change of protocol that nobody asked for.
func errUnasked() error {
	return &ResponseError{Err: refuse(http.StatusBadGateway, "101 without a request to upgrade")}
}

// switched returns the response after which the connection is no longer HTTP/1.1.
func (t *turn) switched() (*http.Response, error) {
	if t.head.status == http.StatusSwitchingProtocols && len(t.req.Header["Upgrade"]) == 0 {
		return nil, errUnasked()
	}
	if !t.unhook(t.c) {
		switch {
		case t.ctx.Err() != nil:
			return nil, context.Cause(t.ctx)
		case t.up != nil:
			return nil, errAborted
		}
		return nil, context.Canceled // which the context is about to say as well
	}
	t.out.close()
	resp := &http.Response{}
	*resp = *t.response()
	resp.Body = newTunnelConn(t.c, t.rd.buffered())
	resp.ContentLength = -1
	if t.pool.o.ReadTimeout > 0 {
		_ = t.c.nc.SetReadDeadline(time.Time{}) // reading says so if it fails
	}
	t.c = nil
	t.head.header = nil // it is the response's
	t.free()
	return resp, nil
}

// release gives the connection back, if ok and nothing else speaks against its being
// used again, and closes it otherwise.
func (t *turn) release(ok bool) {
	c := t.c
	if c == nil {
		return
	}
	t.c = nil
	if t.owner != nil {
		t.owner.attach(nil)
		t.owner = nil
	}
	ok = t.unhook(c) && ok
	// Bytes after the response are nobody's.
	if ok && !t.last && !t.head.close && int64(len(t.rd.buffered())) == t.body.left && t.body.framing != untilClose && t.settle(c) {
		c.fed = t.fed
		t.pool.put(c)
		t.putIdle()
		return
	}
	c.close()
}

// unhook takes the connection away from the request's context and from the upload, and
// reports whether neither has spoilt it.
func (t *turn) unhook(c *poolConn) bool {
	ok := true
	if t.stop != nil {
		ok = t.stop()
		t.stop = nil
	}
	if t.hang != nil {
		t.hang.unwatch(c)
		ok = !c.interrupted.Load()
		t.hang = nil
	}
	if t.up != nil {
		ok = t.up.finish() && ok
	}
	return ok
}

// settle leaves no deadline on a connection that will be idle.
func (t *turn) settle(c *poolConn) bool {
	if t.pool.o.ReadTimeout <= 0 && c.until.IsZero() {
		return !c.interrupted.Load()
	}
	return c.limitReads(time.Time{}) == nil
}

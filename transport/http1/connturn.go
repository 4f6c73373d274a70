package http1

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
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
	return &turn{pool: p, lim: p.lim, chunked: [1]string{"chunked"}}
}

// responseBuffer is what a response is read to: one that fits is read at once, and its
// connection serves others before anybody has looked at it. Only exchanges under way
// have one.
const responseBuffer = 16 << 10

// keptBuffer is how large a buffer may have grown to be used for other exchanges.
const keptBuffer = 16 << 10

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
	t := p.spares.turn(p)
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
	t.pool.spares.turns.Put(t)
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

// on sends the request on c and returns the response. After an error it is for the
// caller to close c, if t still has it.
func (t *turn) on(c *poolConn, fresh bool) (*http.Response, error) {
	t.c, t.used = c, !fresh
	t.x.Fresh = t.x.Fresh || fresh
	t.rd.src, t.rd.r, t.rd.w = c, 0, 0
	c.before = c.written
	c.requests++
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

package http1

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"time"
)

// serving is a request and its response, as a Server sees them.
type serving struct {
	c       *serverConn
	head    head
	url     url.URL
	req     http.Request
	codings [1]string
	body    *requestBody // nil: there is none. Never used again: its reader may come late
	w       response
	cancel  context.CancelFunc // of the request's own context
	tail    [16]byte           // room for what follows a chunk
}

// forget drops what belongs to a connection.
func (x *serving) forget() {
	clear(x.head.header)
	clear(x.head.values[:cap(x.head.values)])
	clear(x.w.own)
	*x = serving{
		head: head{fields: x.head.fields, header: x.head.header},
		w:    response{own: x.w.own},
	}
}

// serveOne reads one request, has it handled, and reports whether the connection may be
// used for another one.
func (c *serverConn) serveOne() bool {
	x := c.work.x
	if x == nil {
		x = &serving{}
		if c.srv.o.Recycle {
			c.work.x = x
		}
	}
	x.c = c
	if err := x.read(); err != nil {
		c.refuse(x, err)
		return false
	}
	if !x.handle() || c.hijacked {
		return false
	}
	return x.finish()
}

// read reads the head of a request and makes the *http.Request.
func (x *serving) read() error {
	work := x.c.work
	x.head.minor = 1 // until it says otherwise
	if tokenByte(work.reader.buffered()[0]) == 0 {
		return refuse(http.StatusBadRequest, "request does not begin with a method")
	}
	block, err := work.reader.head(&x.c.srv.lim)
	if err != nil {
		return err
	}
	x.c.requests++
	err = x.head.parseRequest(block)
	work.reader.take(len(block))
	if err != nil {
		return err
	}
	if most := x.c.srv.lim.body; most > 0 && x.head.framing == sized && x.head.length > most {
		return &http.MaxBytesError{Limit: most}
	}
	work.inHead, work.by = false, time.Time{}
	return x.make()
}

// make makes the *http.Request of the head.
func (x *serving) make() error {
	h, c := &x.head, x.c
	if err := parseTarget(&x.url, h.method, h.target); err != nil {
		return err
	}
	if c.srv.o.Recycle {
		if c.base == nil {
			c.base = (&http.Request{}).WithContext(&c.ctx)
		}
		x.req = *c.base
	} else {
		ctx, cancel := context.WithCancel(&c.ctx)
		x.req, x.cancel = *(&http.Request{}).WithContext(ctx), cancel
	}
	r := &x.req
	r.Method, r.URL, r.Header, r.Host, r.RequestURI = h.method, &x.url, h.header, h.host, h.target
	r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/1.1", 1, h.minor
	if h.minor == 0 {
		r.Proto = "HTTP/1.0"
	}
	r.Close, r.Trailer, r.TLS, r.RemoteAddr = h.close, h.trailer, c.tls, c.remote
	r.ContentLength, r.Body, x.body = h.length, http.NoBody, nil
	if h.framing == chunked {
		x.codings[0] = "chunked"
		r.TransferEncoding = x.codings[:]
	} else {
		r.Trailer = nil
	}
	if h.framing != empty {
		x.body = newRequestBody(x)
		r.Body = x.body
	}
	x.w.begin(x)
	return nil
}

// parseTarget makes the URL of a request target that head.checkTarget has found good.
func parseTarget(u *url.URL, method, target string) error {
	*u = url.URL{}
	if method == http.MethodConnect {
		u.Host = target
		return nil
	}
	path, query, found := strings.Cut(target, "?")
	if target[0] == '/' && isPlainPath(path) {
		u.Path, u.RawQuery, u.ForceQuery = path, query, found && query == ""
		return nil
	}
	parsed, err := url.ParseRequestURI(target)
	if err != nil {
		return refuse(http.StatusBadRequest, "malformed request target")
	}
	*u = *parsed
	return nil
}

// isPlainPath reports whether a path is its own escaped form, so that there is nothing to
// parse.
func isPlainPath(p string) bool {
	for i := range len(p) {
		c := p[i]
		if t := tokenByte(c); 'a' <= t && t <= 'z' || digit(c) {
			continue
		}
		switch c {
		case '/', '-', '_', '.', '~', '$', '&', '+', ',', ':', ';', '=', '@':
		default:
			return false
		}
	}
	return true
}

// handle runs the Handler and reports whether it came to its end.
func (x *serving) handle() (ended bool) {
	c := x.c
	c.work.inBody = true
	if x.body == nil || x.body.here() {
		c.watch.arm()
	}
	returned := false
	defer func() {
		if x.cancel != nil {
			x.cancel()
		}
		if ended {
			return
		}
		value := recover()
		if value != nil && value != http.ErrAbortHandler { //nolint:errorlint // it is that very value
			c.srv.log.panicked(context.WithoutCancel(&c.ctx), c.remote, value, debug.Stack())
		}
		x.stop()
		if value == nil && !returned {
			c.end() // runtime.Goexit: nobody else will
		}
	}()
	c.srv.o.Handler.ServeHTTP(&x.w, &x.req)
	returned = true
	return true
}

// stop ends all use of the connection by others than its goroutine.
func (x *serving) stop() {
	if x.body != nil {
		x.body.shut()
	}
	x.c.watch.disarm()
	x.c.deadline.unrestrict()
	x.w.ended = true
}

// How much of a body that the handler did not read is read for it, and for how long, to be
// able to go on with the connection.
const (
	drainRequest = 256 << 10
	drainPause   = time.Second
)

// finish ends the response, reads what is left of the request, and reports whether the
// connection may be used again.
func (x *serving) finish() bool {
	c := x.c
	if x.body != nil {
		x.body.shut()
	}
	c.watch.disarm()
	c.deadline.unrestrict()
	ok := x.w.finish()
	x.w.ended = true
	if x.w.resetWrite {
		_ = c.nc.SetWriteDeadline(time.Time{}) // the next write hears of it
	}
	if x.body != nil && !x.body.p.ended() {
		if ok {
			ok = x.drain()
		}
		if !ok {
			c.linger()
		}
	}
	c.work.inBody, c.work.by = false, time.Time{}
	return ok
}

// drain reads the rest of the request's body, unless that is too much.
func (x *serving) drain() bool {
	p := &x.body.p
	if x.body.waits.Load() || p.framing == sized && p.left > drainRequest {
		return false
	}
	x.c.work.by = time.Now().Add(drainPause)
	buf := x.c.work.space()
	for n := 0; n <= drainRequest; {
		m, err := p.Read(buf)
		n += m
		if err == io.EOF { //nolint:errorlint // readers return io.EOF itself
			return true
		}
		if err != nil {
			return false
		}
	}
	return false
}

// refuse answers a request that is none.
func (c *serverConn) refuse(x *serving, err error) {
	status := statusOf(err)
	if status == 0 {
		if !isDeadline(err) {
			return // there is nobody to answer
		}
		status = http.StatusRequestTimeout
	}
	c.srv.log.debug("http1: refused a request", c.remote, err)
	out := appendStatusLine(c.work.space()[:0], status, x.head.minor)
	out = append(c.srv.appendDate(out), "Content-Length: 0\r\nConnection: close\r\n\r\n"...)
	if c.write(out, nil, nil) == nil {
		c.linger()
	}
}

var errEnded = errors.New("http1: the handler has returned, or the connection was hijacked")

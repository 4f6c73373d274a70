package http2

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"sync/atomic"

	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// errHandlerDone is what the body of a request gives when its handler has returned.
var errHandlerDone = fmt.Errorf("http2: the handler has returned: %w", http.ErrBodyReadAfterClose)

// call is one request that a handler serves: the Receiver of its stream. It is one
// allocation together with the body and the ResponseWriter.
type call struct {
	sc      *serverConn
	stream  *Stream
	fields  *[]hpack.HeaderField // of the request, until it is made of them
	bodied  bool                 // there is a body
	req     *http.Request
	cancel  context.CancelCauseFunc
	in      body
	w       responseWriter
	dismiss atomic.Bool // the stream is to be reset when all is sent, for the request goes on
}

// accept is the Accept of the connection.
func (sc *serverConn) accept(s *Stream, fields []hpack.HeaderField, end bool) Receiver {
	if sc.running.Add(1) > sc.limit {
		sc.running.Add(-1)
		return nil
	}
	if n := sc.server.running.Add(1); sc.server.o.MaxHandlers > 0 && n > int64(sc.server.o.MaxHandlers) {
		sc.server.running.Add(-1)
		sc.running.Add(-1)
		return nil
	}
	c := &call{sc: sc, stream: s, bodied: !end, fields: sc.server.heads.get()}
	*c.fields = append(*c.fields, fields...)
	c.w.init(c, s)
	ctx, cancel := context.WithCancelCause(sc.ctx)
	c.cancel = cancel
	if !end {
		known := int64(-1)
		for i := range fields {
			if fields[i].Name == "content-length" {
				known = parseLength(fields[i].Value)
			}
		}
		c.in.init(c, known, make(chan struct{}, 1), nil)
	}
	sc.server.work.Add(1)
	go c.run(ctx)
	return c
}

// Head implements Receiver.
func (c *call) Head(*Stream, []hpack.HeaderField, bool) {}

// Data implements Receiver.
func (c *call) Data(s *Stream, p []byte, end bool) {
	if !c.in.add(p, end) {
		// Whoever does not read it does not pay for it either.
		s.Consume(len(p))
	}
}

// Trailer implements Receiver.
func (c *call) Trailer(_ *Stream, fields []hpack.HeaderField) {
	c.in.end(io.EOF, c.sc.server.names.header(fields))
}

// Reset implements Receiver.
func (c *call) Reset(_ *Stream, err error) {
	if c.bodied {
		c.in.end(err, nil)
	}
	c.w.out.stop(err)
	c.cancel(err)
}

// Sent implements Receiver.
func (c *call) Sent(s *Stream, _ int) {
	c.w.out.news()
	if c.dismiss.Load() && s.Queued() == 0 {
		s.Reset(xhttp2.ErrCodeNo)
		s.conn.Flush()
	}
}

// bodyRead implements bodyOwner.
func (c *call) bodyRead(n int) {
	c.stream.Consume(n)
	c.stream.conn.Flush()
}

// bodyClosed implements bodyOwner. What comes yet is dropped.
func (c *call) bodyClosed(bool) {}

// run serves the request.
func (c *call) run(ctx context.Context) {
	server := c.sc.server
	defer func() {
		c.cancel(context.Canceled)
		c.sc.running.Add(-1)
		server.running.Add(-1)
		server.work.Done()
	}()
	req, err := c.request(ctx)
	server.heads.put(c.fields)
	c.fields = nil
	if err != nil {
		c.w.Header()["Content-Type"] = []string{"text/plain; charset=utf-8"}
		c.w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(&c.w, err.Error()+"\n") // the client may have left
		c.finish()
		return
	}
	c.req = req
	if c.handle() {
		c.finish()
	}
}

// handle runs the handler. It returns false if that panicked.
func (c *call) handle() (ok bool) {
	defer func() {
		if ok {
			return
		}
		cause := recover() // nil: runtime.Goexit
		if logger := c.stream.conn.o.Logger; logger != nil && cause != nil && !isAbort(cause) {
			logger.Error("panic in the handler", "remote", c.sc.remote, "path", c.req.URL.Path,
				"panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
		}
		c.w.out.stop(errHandlerDone)
		c.w.release()
		c.stream.Reset(xhttp2.ErrCodeInternal)
		c.stream.conn.Flush()
		if c.bodied {
			c.in.fail(errHandlerDone)
		}
	}()
	c.sc.server.o.Handler.ServeHTTP(&c.w, c.req)
	return true
}

// isAbort says whether a panic is the one that ends a response silently.
func isAbort(cause any) bool {
	err, ok := cause.(error)
	return ok && errors.Is(err, http.ErrAbortHandler)
}

// finish ends the response. A request that still comes is cut off then.
func (c *call) finish() {
	c.w.finish()
	if c.bodied {
		_ = c.in.Close()
		if !c.in.complete() {
			c.dismiss.Store(true)
			if c.stream.Queued() == 0 {
				c.stream.Reset(xhttp2.ErrCodeNo)
			}
		}
	}
	c.stream.conn.flushShared()
}

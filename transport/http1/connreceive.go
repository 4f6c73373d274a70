package http1

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// maxInformational is how many 1xx responses may come before the final one.
const maxInformational = 16

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

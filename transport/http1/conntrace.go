package http1

import (
	"net/http"
	"net/http/httptrace"
	"net/textproto"
)

// inform passes on the 1xx response that was read.
func (t *turn) inform() error {
	if t.x.Informational != nil {
		if err := t.x.Informational(t.head.status, t.head.header); err != nil {
			return err
		}
	}
	trace := t.trace
	if trace == nil {
		trace = httptrace.ContextClientTrace(t.ctx)
	}
	if trace == nil {
		return nil
	}
	if t.head.status == http.StatusContinue && trace.Got100Continue != nil {
		trace.Got100Continue()
	}
	if trace.Got1xxResponse != nil {
		return trace.Got1xxResponse(t.head.status, textproto.MIMEHeader(t.head.header.Clone()))
	}
	return nil
}

func (t *turn) getConn() {
	if t.trace != nil && t.trace.GetConn != nil {
		t.trace.GetConn(t.req.URL.Host)
	}
}

func (t *turn) gotConn(fresh bool) {
	if t.trace != nil && t.trace.GotConn != nil {
		t.trace.GotConn(httptrace.GotConnInfo{Conn: t.c.nc, Reused: !fresh, WasIdle: !fresh})
	}
}

func (t *turn) putIdle() {
	if t.trace != nil && t.trace.PutIdleConn != nil {
		t.trace.PutIdleConn(nil)
	}
}

func (t *turn) wroteRequest() {
	if t.trace != nil && t.trace.WroteRequest != nil {
		t.trace.WroteRequest(httptrace.WroteRequestInfo{})
	}
}

func (t *turn) gotFirstByte() {
	if t.trace != nil && t.trace.GotFirstResponseByte != nil && !t.heard {
		t.trace.GotFirstResponseByte()
	}
}

package meshh2

import (
	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/retry"
	"github.com/weft-mesh/weft/transport/http2"
)

// What happens on the way back is the way there in reverse: first what the router
// adds, then what the listener takes away.

// pass gives the caller the head of a response. There will be no other attempt.
func (x *exchange) pass(on *http2.Conn, a *attempt, fields []hpack.HeaderField, end bool) {
	h := x.r.head()
	h.Load(fields)
	if a.known {
		SetSuccessClass(h, a.class)
	}
	if a.diagnosis != nil {
		h.Del(nameLength) // there will be more
		end = false
	}
	AppendVia(h)
	if x.h.opts.ClearContext && ClearResponse(h) {
		x.muted, end = true, true // an error of the mesh: its body says what the head does not
	}
	x.answered(a.status)
	x.from = a.out
	x.release()
	_ = x.in.SendHead(h.Fields, end) // a stream that has failed tells so by itself
	if end {
		x.stream.responseEnd(x.elapsed())
	}
	x.r.free(h)
	flush(on, x.peer.conn)
}

// answered notes that the caller has, or is about to get, the head of a response.
func (x *exchange) answered(status string) {
	x.headSent, x.status = true, status
	x.latency = x.elapsed()
	x.stream.answered(x.latency)
}

// passData gives the caller a piece of the body. The endpoint may send as much more
// as the caller has taken.
func (x *exchange) passData(on *http2.Conn, p []byte, end bool) {
	if len(p) == 0 && !end {
		return
	}
	n := len(p)
	if !x.muted {
		if x.stream.responseData(len(p)); end {
			x.stream.responseEnd(x.elapsed())
		}
		n, _ = x.in.SendData(p, end) // a stream that has failed tells so by itself
		if n < len(p) {
			x.queued = true
		}
		flush(on, x.peer.conn)
	}
	if out := x.from; out != nil && n > 0 {
		out.Consume(n)
	}
}

// passEnd gives the caller the end of a response. l5d-success-class goes into the
// trailers if the head could not have it, which may take trailers of our own.
func (x *exchange) passEnd(on *http2.Conn, p []byte, trailer []hpack.HeaderField, trailed bool, class weft.Class, early bool) {
	switch {
	case x.muted:
		x.passData(on, p, false)
		return
	case !trailed && early:
		x.passData(on, p, true)
		return
	}
	x.passData(on, p, false)
	h := x.r.head()
	h.Load(trailer)
	if !early {
		SetSuccessClass(h, class)
	}
	_ = x.in.SendTrailer(h.Fields) // a stream that has failed tells so by itself
	x.stream.responseTrailer()
	x.stream.responseEnd(x.elapsed())
	x.r.free(h)
	flush(on, x.peer.conn)
}

// complete ends an exchange whose response the caller has got.
func (x *exchange) complete(on *http2.Conn, a *attempt, class weft.Class, err error) {
	if class == weft.Retryable && x.body.tooLong && !x.asked {
		x.set.counters().requestTooLong.Inc()
	}
	res := weft.Result{Class: class, Err: err}
	a.finish(res, true)
	x.loopEnd(a.pick.Client.Retry())
	x.success = class
	x.end(res)
	if a.out == nil { // the mesh has answered
		x.cur = nil
		x.dismiss(on)
		return
	}
	x.finished = x.body.ended && x.tries == 1 && !x.queued && !x.parked
}

// loopEnd ends the retry loop. c is the client of an outcome about which the loop
// was not asked.
func (x *exchange) loopEnd(c *retry.Client) {
	if !x.asked {
		var policy retry.Policy
		if x.dest != nil {
			policy = x.dest.Policy()
		}
		x.loop.End(&policy, c, c != nil)
	}
	x.asked = true
}

// giveUp ends an exchange without a response of an endpoint, or with a part of one.
func (x *exchange) giveUp(on *http2.Conn, res weft.Result) {
	x.failure = failureOf(res.Err)
	x.success = weft.Failure
	x.answer(on, res.Err)
	x.end(res)
	x.dismiss(on)
}

// answer tells the caller of an error.
func (x *exchange) answer(on *http2.Conn, err error) {
	a := AnswerTo(x.req.Method, x.req.GRPC, x.headSent, err)
	if x.h.opts.ClearContext {
		a = a.Clear()
	}
	switch {
	case a.Reset:
		x.reset(on, a.Code)
		return
	case a.Trailer != nil:
		_ = x.in.SendTrailer(a.Trailer) // a stream that has failed tells so by itself
		x.stream.responseTrailer()
	default:
		x.answered(a.Head[0].Value)
		_ = x.in.SendHead(a.Head, a.Body == nil) // a stream that has failed tells so by itself
		if a.Body != nil {
			_, _ = x.in.SendData(a.Body, true) // likewise
			x.stream.responseData(len(a.Body))
		}
	}
	x.stream.responseEnd(x.elapsed())
	flush(on, x.peer.conn)
}

// reset resets the caller's stream.
func (x *exchange) reset(on *http2.Conn, code xhttp2.ErrCode) {
	if x.closed {
		return
	}
	x.closed = true
	x.stream.reset(x.elapsed(), false)
	x.in.Reset(code)
	flush(on, x.peer.conn)
}

// dismiss asks the caller not to send the rest of a request that has been answered
// (RFC 9113, 8.1).
func (x *exchange) dismiss(on *http2.Conn) {
	if !x.body.ended && x.in.Queued() == 0 {
		x.reset(on, xhttp2.ErrCodeNo)
	}
}

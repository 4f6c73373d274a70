package meshh2

import (
	"strconv"
	"time"

	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/transport/http2"
)

// response is what an endpoint has answered so far.
type response struct {
	status  string // "" before the head
	latency time.Duration
	class   weft.Class
	known   bool // class is decided

	// A response that may have to be thrown away is withheld until it is clear.
	held      *Head // nil: it is not
	heldData  []byte
	holdUntil time.Time

	late      Head // what a classifier sees of the head later on: the status
	lateField [1]hpack.HeaderField
}

// Head implements http2.Receiver: the head of a response.
func (a *attempt) Head(s *http2.Stream, fields []hpack.HeaderField, end bool) {
	x := a.x
	x.mu.Lock()
	defer x.unlock()
	if x.cur != a || a.out != s || a.over {
		return
	}
	on := s.Conn()
	if status := fields[0].Value; len(status) == 3 && status[0] == '1' {
		// The caller may be waiting for it to send the body. It says nothing of the
		// outcome.
		if !x.headSent {
			_ = x.in.SendHead(fields, false) // a stream that has failed tells so by itself
			on.FlushAfter(x.peer.conn)
		}
		return
	}
	a.respond(on, fields, end)
	if !x.over {
		x.arm()
	}
}

// entry is what the access log is told.
func (a *attempt) entry() AccessEntry {
	x := a.x
	return AccessEntry{
		Request: &x.req.Head, Response: &a.late, Remote: x.peer.remote, Service: x.dest.Path(), Client: a.pick.Client.ID(),
		Endpoint: a.pick.Endpoint.Addr(), Attempt: a.n + 1, Latency: a.latency, Trace: x.req.Trace,
	}
}

// respond takes the head of a response to the caller, or to another attempt.
func (a *attempt) respond(on *http2.Conn, fields []hpack.HeaderField, end bool) {
	x := a.x
	a.status = fields[0].Value
	x.now = time.Since(x.begun) // looking at the clock is not free: once for all who want to know
	a.latency = max(x.now-a.since, 1)
	if a.stream.answered(x.now); end {
		a.stream.responseEnd(x.now)
	}
	a.until = time.Time{} // the timeouts wait for the head only: a stream may take as long as it likes
	a.late.Fields = fields
	if a.to != nil && a.to.state.AccessLog != nil {
		a.to.state.AccessLog(a.entry())
	}
	cl := x.set.Classifier
	a.class, a.known = cl.Early(x.req.Method, &a.late, nil)
	var after time.Duration
	if a.known && a.class == weft.Retryable {
		after = retryAfter(&a.late)
	}
	a.lateField[0] = fields[0]
	a.late.Fields = a.lateField[:]
	if end && !a.known {
		a.class, a.known = cl.Late(x.req.Method, &a.late, nil, nil), true
	}
	a.annotateHead()
	if a.known && a.class == weft.Retryable {
		res := weft.Result{Class: a.class, RetryAfter: after}
		if x.again(on, a, &res) {
			return
		}
		a.class = res.Class
	}
	if !a.known && x.mayRetry() {
		// Only the end of the response tells whether it is the one that the caller gets.
		a.held = x.r.head()
		a.held.Load(fields)
		a.holdUntil = time.Now().Add(x.set.ClassificationTimeout)
		return
	}
	x.pass(on, a, fields, end)
	switch {
	case end && a.diagnosis != nil:
		a.last(on, nil, nil, false)
	case end:
		x.complete(on, a, a.class, nil)
	}
}

// mayRetry reports whether a response whose class is not known could have to make
// room for another attempt.
func (x *exchange) mayRetry() bool {
	return !x.body.dropped && x.dest.Budget() != nil && x.set.ClassificationTimeout > 0 && x.set.ResponseBytes > 0 &&
		x.set.Classifier.CanRetry(x.req.Method)
}

// Data implements http2.Receiver: a piece of a response's body.
func (a *attempt) Data(s *http2.Stream, p []byte, end bool) {
	x := a.x
	x.mu.Lock()
	defer x.unlock()
	if x.cur != a || a.out != s || a.over {
		return
	}
	on := s.Conn()
	a.stream.responseData(len(p))
	switch {
	case end:
		x.now = 0
		a.stream.responseEnd(x.elapsed())
		a.last(on, p, nil, false)
	case a.held == nil:
		x.passData(on, p, false)
	default:
		a.heldData = append(a.heldData, p...)
		if len(a.heldData) > x.set.ResponseBytes {
			x.set.counters().responseTooLong.Inc()
			a.letGo(on)
		}
	}
}

// Trailer implements http2.Receiver: the end of a response.
func (a *attempt) Trailer(s *http2.Stream, fields []hpack.HeaderField) {
	x := a.x
	x.mu.Lock()
	defer x.unlock()
	if x.cur != a || a.out != s || a.over {
		return
	}
	x.now = 0
	a.stream.responseTrailer()
	a.stream.responseEnd(x.elapsed())
	a.last(s.Conn(), nil, fields, true)
}

// letGo passes on what was withheld of a response.
func (a *attempt) letGo(on *http2.Conn) {
	held, data := a.held, a.heldData
	a.held, a.heldData, a.holdUntil = nil, data[:0], time.Time{}
	a.x.pass(on, a, held.Fields, false)
	a.x.r.free(held)
	if len(data) > 0 {
		a.x.passData(on, data, false)
	}
}

// last takes the end of a response, with the last piece of its body or with
// trailers, to the caller, or to another attempt.
func (a *attempt) last(on *http2.Conn, p []byte, trailer []hpack.HeaderField, trailed bool) {
	x := a.x
	class, early := a.class, a.known
	if !early {
		var t *Head
		if trailed {
			t = x.r.head()
			t.Load(trailer)
		}
		class = x.set.Classifier.Late(x.req.Method, &a.late, t, nil)
		x.r.free(t)
	}
	if a.held != nil {
		if class == weft.Retryable {
			res := weft.Result{Class: class}
			if x.again(on, a, &res) {
				x.arm()
				return
			}
			class = res.Class
		}
		a.letGo(on)
	}
	if a.diagnosis != nil {
		p = append(append([]byte(nil), p...), a.diagnosis.text(a)...)
	}
	x.passEnd(on, p, trailer, trailed, class, early)
	x.complete(on, a, class, nil)
}

// broken is called when a stream ends before its response has.
func (a *attempt) broken(on *http2.Conn, err error) {
	x := a.x
	if a.status == "" {
		a.failed(on, err)
		return
	}
	class := a.class
	if !a.known || class == weft.Success {
		class = x.set.Classifier.Late(x.req.Method, &a.late, nil, err)
	}
	if class == weft.Success {
		class = weft.Failure // it was not whole
	}
	res := weft.Result{Class: class, Err: err}
	if a.held != nil {
		a.giveUp(on, res)
		return
	}
	a.stop(on, xhttp2.ErrCodeCancel)
	a.finish(res, false)
	x.cur = nil
	x.loopEnd(a.pick.Client.Retry())
	x.giveUp(on, res)
}

// retryAfter reads retry-after in seconds.
func retryAfter(resp *Head) time.Duration {
	n, err := strconv.ParseUint(resp.Get("retry-after"), 10, 31)
	if err != nil {
		return 0
	}
	return time.Duration(n) * time.Second
}

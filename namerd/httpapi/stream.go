package httpapi

import (
	"net/http"
	"strconv"
)

// stream sends the document and whatever it becomes, until the client goes away or
// the Handler is closed. If there never was a document, what is wrong is sent and the
// stream ends: the status is 200 already.
func (x *exchange) stream(src source, contentType string) {
	if x.r.ContentLength != 0 { // while a body is left, servers do not see that a client goes away
		if _, ok := x.body(); !ok {
			return
		}
	}
	if n := x.h.streams.Add(1); n > int64(x.h.opts.MaxStreams) {
		x.h.streams.Add(-1)
		x.out.Header().Set("Retry-After", "10")
		x.fail(http.StatusServiceUnavailable, "There are "+strconv.Itoa(x.h.opts.MaxStreams)+" watches, and no more are allowed")
		return
	}
	defer x.h.streams.Add(-1)
	x.contentType(contentType)
	x.out.WriteHeader(http.StatusOK)
	err := x.out.send("")
	if err == nil {
		err = x.follow(src)
	}
	if err != nil {
		x.h.opts.Logger.DebugContext(x.ctx, "namerd: a watch was cut off", "client", x.r.RemoteAddr, "uri", x.r.RequestURI, "err", err)
	}
	x.out.arm() // for the end, which the server sends
}

// follow sends the newest document whenever the one before has been taken.
func (x *exchange) follow(src source) error {
	sent := document{absent: true}
	for {
		s, stale := src.Load()
		switch {
		case s.Known && s.Value != sent:
			sent = s.Value
			if sent.absent {
				break
			}
			if err := x.out.send(sent.body); err != nil {
				return err
			}
		case !s.Known && s.Err != nil:
			return x.out.send(s.Err.Error() + "\n")
		}
		select {
		case <-stale:
		case <-x.ctx.Done():
			return nil
		}
	}
}

package http2

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/textproto"
	"time"

	"golang.org/x/net/http/httpguts"
)

// errRequestLength says that a request's body is not as long as was announced.
var errRequestLength = errors.New("http2: the request's body has another length than its ContentLength")

// expectsContinue says whether req's body is to be sent only when the peer asks for it.
func expectsContinue(req *http.Request) bool {
	return httpguts.HeaderValuesContainsToken(req.Header["Expect"], "100-continue")
}

// await waits for the response's head. If hold, the body is sent only when the peer
// asks for it, or says nothing for too long.
func (s *sender) await(x *exchange, hold bool) (*http.Response, error) {
	ctx := s.req.Context()
	var late <-chan time.Time
	if hold {
		t := time.NewTimer(s.c.o.ContinueTimeout)
		defer t.Stop()
		late = t.C
		if s.trace != nil && s.trace.Wait100Continue != nil {
			s.trace.Wait100Continue()
		}
	}
	for {
		select {
		case <-x.wake:
		case <-late:
			late = nil
			s.upload(x)
			continue
		case <-ctx.Done():
			err := context.Cause(ctx)
			x.abort(err)
			return nil, err
		}
		heads, headed, err := x.news()
		for _, h := range heads {
			if h.code == http.StatusContinue && late != nil {
				late = nil
				s.upload(x)
			}
			if err := s.trace1xx(h); err != nil {
				x.abort(err)
				return nil, err
			}
		}
		switch {
		case headed:
			if s.trace != nil && s.trace.GotFirstResponseByte != nil {
				s.trace.GotFirstResponseByte()
			}
			x.watch(ctx)
			return &x.resp, nil
		case err != nil:
			return nil, err
		}
	}
}

// trace1xx reports an informational response to the request's trace.
func (s *sender) trace1xx(h informational) error {
	if s.trace == nil {
		return nil
	}
	if h.code == http.StatusContinue && s.trace.Got100Continue != nil {
		s.trace.Got100Continue()
	}
	if s.trace.Got1xxResponse == nil {
		return nil
	}
	return s.trace.Got1xxResponse(h.code, textproto.MIMEHeader(h.header))
}

// upload sends the body beside the waiting for the response.
func (s *sender) upload(x *exchange) {
	body := s.body
	s.body = nil // closed there
	x.uploading(body)
	go x.upload(body, s.length) // it ends with the stream, which closes the body
}

// upload sends body, which has that length if it is not negative, and the trailer.
func (x *exchange) upload(body io.ReadCloser, length int64) {
	defer x.closeUpload()
	buf := x.client.buffers.get()
	defer x.client.buffers.put(buf)
	trailer := len(x.req.Trailer) > 0
	for {
		n, err := body.Read(*buf)
		if length >= 0 {
			length -= int64(n)
			if length < 0 {
				x.abort(errRequestLength)
				return
			}
			if length == 0 && !trailer {
				err = io.EOF // what Read would say next
			}
		}
		if err != nil && err != io.EOF {
			// The end of the exchange closes the body: that error is nobody's, least of all
			// that of a response which came whole.
			if !x.finished() {
				x.abort(err)
			}
			return
		}
		if err == io.EOF && length > 0 {
			x.abort(errRequestLength)
			return
		}
		if n > 0 || err == io.EOF && !trailer {
			if _, werr := x.out.write((*buf)[:n], err == io.EOF && !trailer); werr != nil {
				if _, ok := errors.AsType[*ResetError](werr); ok {
					x.failed(werr) // others are told by an event, or by who stopped it
				}
				return
			}
		}
		if err == io.EOF {
			if trailer {
				x.sendTrailer()
			}
			x.requestSent()
			x.stream.conn.Flush()
			return
		}
		x.stream.conn.Flush()
	}
}

// sendTrailer ends the request with its trailer, whose values are known by now.
func (x *exchange) sendTrailer() {
	head := x.client.heads.get()
	defer x.client.heads.put(head)
	fields, err := x.client.names.appendTrailer(*head, x.req.Trailer)
	*head = fields
	if err != nil {
		x.abort(err)
		return
	}
	if len(fields) == 0 {
		_, err = x.stream.SendData(nil, true)
	} else {
		err = x.stream.SendTrailer(fields)
	}
	_ = err // told by an event
}

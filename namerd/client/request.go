package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
)

// maxBody is how long an answer, or an item of a stream, may be.
const maxBody = 64 << 20

// Request is a request for what has no method of its own.
type Request struct {
	Method string // empty is GET

	// Path is what follows /api/1/, escaped, such as dtabs/default.
	Path   string
	Query  url.Values
	Header http.Header // beside the client's own
	Body   []byte
}

func (r Request) method() string {
	if r.Method == "" {
		return http.MethodGet
	}
	return r.Method
}

func (r Request) reads() bool { m := r.method(); return m == http.MethodGet || m == http.MethodHead }

// Response is a good answer: 2xx.
type Response struct {
	Code   int
	Header http.Header
	Body   []byte
}

// Do sends a request and returns a good answer. Errors are *StatusError for any other
// answer and *TransportError for none.
func (c *Client) Do(ctx context.Context, r Request) (*Response, error) {
	if c.opts.Timeout > 0 {
		var cancel context.CancelFunc
		limit := fmt.Errorf("no answer within %s: %w", c.opts.Timeout, context.DeadlineExceeded)
		ctx, cancel = context.WithTimeoutCause(ctx, c.opts.Timeout, limit)
		defer cancel()
	}
	rsp, err := c.open(ctx, r)
	if err != nil {
		return nil, err
	}
	defer rsp.Body.Close() //nolint:errcheck // it was read, or failed
	body, err := io.ReadAll(io.LimitReader(rsp.Body, maxBody+1))
	if err == nil && len(body) > maxBody {
		err = errTooLong
	}
	if err != nil {
		return nil, &TransportError{Method: r.method(), URL: urlOf(rsp), Sent: true, Err: because(ctx, err)}
	}
	if why := rsp.Header.Get("weft-stale"); why != "" {
		c.opts.Logger.WarnContext(ctx, "namerd cannot ask its store and answers what it knew", "url", urlOf(rsp), "why", why)
	}
	return &Response{Code: rsp.StatusCode, Header: rsp.Header, Body: body}, nil
}

var errTooLong = errors.New("the answer is too long")

// because returns why ctx ended if that is why something failed.
func because(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// open sends a request to one namerd after the other until one answers.
func (c *Client) open(ctx context.Context, r Request) (*http.Response, error) {
	first := int(c.good.Load())
	var all []error
	for i := range c.bases {
		at := (first + i) % len(c.bases)
		rsp, err := c.ask(ctx, c.bases[at], r)
		var lost *TransportError
		if !errors.As(err, &lost) {
			c.good.Store(int32(at))
			return rsp, err
		}
		c.good.CompareAndSwap(int32(at), int32((at+1)%len(c.bases)))
		all = append(all, err)
		if ctx.Err() != nil || lost.Sent && !r.reads() {
			break
		}
	}
	if len(all) == 1 {
		return nil, all[0]
	}
	return nil, errors.Join(all...)
}

// ask sends a request to one namerd.
func (c *Client) ask(ctx context.Context, base *url.URL, r Request) (*http.Response, error) {
	u := strings.TrimSuffix(base.String(), "/") + "/api/1/" + r.Path
	if len(r.Query) > 0 {
		u += "?" + r.Query.Encode()
	}
	var sent atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		// A write goes to a second connection only if nothing of it went out on the first.
		GetConn: func(string) { sent.Store(false) },
		GotConn: func(httptrace.GotConnInfo) { sent.Store(true) },
	})
	var body io.Reader
	if r.Body != nil {
		body = bytes.NewReader(r.Body)
	}
	req, err := http.NewRequestWithContext(traced, r.method(), u, body)
	if err != nil {
		return nil, fmt.Errorf("namerd client: %w", err)
	}
	maps.Copy(req.Header, r.Header)
	c.sign(req)
	rsp, err := c.http.Do(req)
	if err != nil {
		if failed, ok := errors.AsType[*url.Error](err); ok {
			err = failed.Err
		}
		return nil, &TransportError{Method: r.method(), URL: u, Sent: sent.Load(), Err: because(ctx, err)}
	}
	if rsp.StatusCode >= 200 && rsp.StatusCode <= 299 {
		return rsp, nil
	}
	defer rsp.Body.Close() //nolint:errcheck // what was read of it will do
	return nil, &StatusError{
		Method: r.method(), URL: u, Code: rsp.StatusCode, Status: rsp.Status, Message: message(rsp),
	}
}

// urlOf returns what was asked in the end, after redirects.
func urlOf(rsp *http.Response) string {
	if rsp.Request == nil {
		return "" // the transport is somebody else's
	}
	return rsp.Request.URL.String()
}

// sign adds the headers that say who asks.
func (c *Client) sign(req *http.Request) {
	if c.opts.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.opts.Token)
	}
	if req.Method == http.MethodGet || req.Method == http.MethodHead {
		return
	}
	for name, text := range map[string]string{"weft-author": c.note.Author, "weft-reason": c.note.Reason} {
		if text = oneLine(text); text != "" {
			req.Header.Set(name, text)
		}
	}
}

// oneLine returns text that can be the value of a header.
func oneLine(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD")))
}

// message is the beginning of what the body of a bad answer says.
func message(rsp *http.Response) string {
	b, _ := io.ReadAll(io.LimitReader(rsp.Body, 4096))
	text := strings.ToValidUTF8(strings.TrimSpace(string(b)), "\uFFFD")
	if text == "" {
		text = oneLine(rsp.Header.Get("weft-error")) // where the body is empty for the sake of 1.7.5
	}
	if to := rsp.Header.Get("Location"); to != "" && rsp.StatusCode/100 == 3 {
		text = strings.TrimSpace("it has moved to " + to + " " + text)
	}
	return text
}

package consul

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	dialTimeout = 5 * time.Second
	maxBody     = 64 << 20 // bytes of an answer
	maxReason   = 300      // bytes of an answer that end up in an error

	// askTimeout is for what the agent answers at once.
	askTimeout = 10 * time.Second
)

// StatusError says that the agent has refused a request.
type StatusError struct {
	Request string // method and path
	Status  int
	Reason  string // what the agent said
}

// Error says what was asked, what came back and, where it is known, what helps.
func (e *StatusError) Error() string {
	text := fmt.Sprintf("consul: %s: status %d: %s", e.Request, e.Status, e.Reason)
	if e.Status == http.StatusForbidden {
		text += ": the token is not known or lacks a permission"
	}
	return text
}

// client asks one agent. It is safe for concurrent use.
type client struct {
	agent     Agent
	base      url.URL
	transport *http.Transport
	http      *http.Client
	pulse     *pulse
	turns     *turns
	troubles  *troubles
}

// newClient returns a client. It takes an agent without a leader for down if
// leader is set, because it has nothing to say then.
func newClient(a Agent, o Options, leader bool) (*client, error) {
	addr, err := a.address()
	if err != nil {
		return nil, err
	}
	c := &client{agent: a, base: url.URL{Scheme: "http", Host: addr}, troubles: newTroubles(o.Logger, addr)}
	if a.TLS != nil {
		c.base.Scheme = "https"
	}
	c.transport = newTransport(a)
	c.transport.MaxIdleConnsPerHost = o.MaxQueries
	c.transport.ForceAttemptHTTP2 = a.TLS != nil
	// A connection that carries all queries must not be one that leads nowhere.
	c.transport.HTTP2 = &http.HTTP2Config{SendPingTimeout: 2 * time.Second, PingTimeout: 2 * time.Second}
	c.http = newHTTPClient(c.transport)
	c.pulse = newPulse(c, leader)
	c.turns = newTurns(o.MaxQueries, c.pulse.askAgain)
	return c, nil
}

func newTransport(a Agent) *http.Transport {
	t := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSHandshakeTimeout: dialTimeout,
		IdleConnTimeout:     90 * time.Second,
	}
	if a.TLS != nil {
		t.TLSClientConfig = a.TLS.Clone()
	}
	return t
}

// newHTTPClient returns a client that does not follow redirects: the API has none,
// and the token must not go elsewhere.
func newHTTPClient(t *http.Transport) *http.Client {
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// close waits for what belongs to the client itself; whoever uses it has ended.
func (c *client) close() {
	c.pulse.close()
	c.transport.CloseIdleConnections()
}

// request makes a request of the path, which is escaped.
func (c *client) request(ctx context.Context, method, path string, params url.Values, body any) (*http.Request, error) {
	var payload io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("consul: %w", err)
		}
		payload = bytes.NewReader(text)
	}
	u := c.base
	target := u.String() + path
	if len(params) > 0 {
		target += "?" + params.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, target, payload)
	if err != nil {
		return nil, fmt.Errorf("consul: %w", err)
	}
	if c.agent.Token != "" {
		req.Header.Set("X-Consul-Token", c.agent.Token)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

// do sends a request and has the answer read. An answer whose status is not among
// the accepted ones is a *StatusError.
func (c *client) do(req *http.Request, read func(*http.Response) error, accepted ...int) error {
	err := c.exchange(req, read, accepted)
	if _, refused := errors.AsType[*StatusError](err); err == nil || refused {
		return err
	}
	if cause := context.Cause(req.Context()); cause != nil {
		err = cause // says more than that a context has ended
	}
	return fmt.Errorf("consul: %s %s: %w", req.Method, req.URL.Path, bare(err))
}

func (c *client) exchange(req *http.Request, read func(*http.Response) error, accepted []int) error {
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // it was read as far as anybody wants
	c.pulse.heard()
	resp.Body = http.MaxBytesReader(nil, resp.Body, maxBody)
	if !slices.Contains(accepted, resp.StatusCode) {
		return refusal(req, resp)
	}
	if err := read(resp); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body) // the connection can be used again after that
	return err
}

// refusal is the error of an answer that is none.
func refusal(req *http.Request, resp *http.Response) error {
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxReason))
	reason := strings.Join(strings.Fields(string(text)), " ")
	if reason == "" {
		reason = http.StatusText(resp.StatusCode)
	}
	if err != nil {
		reason += " (cut off: " + err.Error() + ")"
	}
	return &StatusError{Request: req.Method + " " + req.URL.Path, Status: resp.StatusCode, Reason: reason}
}

// bare takes off the URL that net/http puts around its errors, as ours have it.
func bare(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// call sends a request whose answer says nothing, and bounds the time that takes.
func (c *client) call(ctx context.Context, method, path string, params url.Values, body any) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	req, err := c.request(ctx, method, path, params, body)
	if err != nil {
		return err
	}
	return c.do(req, func(*http.Response) error { return nil }, http.StatusOK)
}

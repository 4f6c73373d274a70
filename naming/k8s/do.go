package k8s

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// Server returns where the API server is, without credentials.
func (c *Client) Server() string { return c.base.Redacted() }

// Do sends a request with JSON, or without a body if it is nil, to a path of the API
// server and returns the body of the answer. An answer that is no success is a
// *StatusError. After any other error it is not known whether the server has done what
// it was asked for. Do does not retry, and ends with ctx or the Client.
func (c *Client) Do(ctx context.Context, method, path string, query url.Values, body []byte) ([]byte, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.ctx, cancel)()
	u := *c.base
	u.Path += path
	u.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("k8s: %w", err)
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.client().Do(req)
	if err != nil {
		if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok && c.config.CAFile != "" {
			c.distrust()
		}
		return nil, fmt.Errorf("k8s: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // it has been read
	if resp.StatusCode/100 != 2 {
		return nil, statusOf(path, resp)
	}
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("k8s: %s: %w", path, err)
	}
	return answer, nil
}

package rancher

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	// apiVersion is the one of the metadata's format, whose names are in snake case.
	apiVersion = "2015-12-19"

	// patience is how long an answer may take, beyond the time that it was asked to wait.
	patience = 10 * time.Second

	// maxBody, maxVersion and maxText bound what is read of an answer, what a version is,
	// and what is shown of an answer that is an error.
	maxBody    = 64 << 20
	maxVersion = 256
	maxText    = 200
)

// StatusError is an answer with another status than 200.
type StatusError struct {
	URL    string
	Status int
	Text   string // the beginning of the body
}

// Error implements error.
func (e *StatusError) Error() string {
	text := fmt.Sprintf("rancher: GET %s: status %d %s", e.URL, e.Status, http.StatusText(e.Status))
	if e.Text != "" {
		text += fmt.Sprintf(": %q", e.Text)
	}
	return text
}

// client asks the metadata service.
type client struct {
	base string // with the version of the format
	host string
	http *http.Client
}

func newClient(c Config, o Options) (*client, error) {
	base, err := c.base()
	if err != nil {
		return nil, err
	}
	return &client{base: base, host: c.hostHeader(), http: &http.Client{
		Transport:     &http.Transport{DialContext: o.Dial, IdleConnTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

func (c *client) close() { c.http.CloseIdleConnections() }

// get returns the content at a path, which the service may wait with.
func (c *client) get(ctx context.Context, path, accept string, wait time.Duration) ([]byte, error) {
	limit := wait + patience
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no answer within %v", limit))
	defer cancel()
	target := c.base + path
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("rancher: %w", err)
	}
	req.Host = c.host
	req.Header.Set("Accept", accept)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("rancher: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // it was read, or is of no use
	if resp.StatusCode != http.StatusOK {
		text, err := io.ReadAll(io.LimitReader(resp.Body, maxText))
		if err != nil {
			text = nil // the status says enough
		}
		return nil, &StatusError{URL: target, Status: resp.StatusCode, Text: strings.TrimSpace(string(text))}
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return nil, fmt.Errorf("rancher: GET %s: %w", target, err)
	}
	if len(body) > maxBody {
		return nil, fmt.Errorf("rancher: GET %s: %w: more than %d bytes", target, errGarbled, maxBody)
	}
	return body, nil
}

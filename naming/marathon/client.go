package marathon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// maxConns is how many connections there are at most. Questions beyond wait.
	maxConns = 32

	// maxBody bounds what is read of an answer.
	maxBody = 128 << 20

	// maxText bounds what is shown of an answer that is an error.
	maxText = 200
)

// StatusError is an answer with another status than 200.
type StatusError struct {
	Method, URL string
	Status      int
	Text        string // the beginning of the body
}

// Error implements error.
func (e *StatusError) Error() string {
	text := fmt.Sprintf("marathon: %s %s: status %d %s", e.Method, e.URL, e.Status, http.StatusText(e.Status))
	if e.Text != "" {
		text += fmt.Sprintf(": %q", e.Text)
	}
	return text
}

// client asks Marathon.
type client struct {
	base    *url.URL
	host    string
	basic   string // the header Authorization without a login
	login   *login // nil without one
	http    *http.Client
	timeout time.Duration
}

func newClient(c Config, o Options) (*client, error) {
	base, err := c.base()
	if err != nil {
		return nil, err
	}
	a := &client{base: base, host: c.Host, timeout: o.Timeout}
	if strings.Contains(c.Host, ":") {
		a.host = "[" + c.Host + "]"
	}
	if c.DCOS != "" {
		if a.login, err = newLogin(c.DCOS); err != nil {
			return nil, err
		}
	} else if c.BasicAuth != "" {
		a.basic = "Basic " + c.BasicAuth
	}
	a.http = &http.Client{
		Transport: &http.Transport{
			DialContext:         o.Dial,
			TLSClientConfig:     c.TLS,
			TLSHandshakeTimeout: 10 * time.Second,
			MaxConnsPerHost:     maxConns,
			MaxIdleConnsPerHost: maxConns,
			IdleConnTimeout:     time.Minute,
		},
		// Credentials are not for whoever an answer points to.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return a, nil
}

func (c *client) close() { c.http.CloseIdleConnections() }

// get returns the content at a path of the API, logged in if need be.
func (c *client) get(ctx context.Context, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, fmt.Errorf("no answer within %v", c.timeout))
	defer cancel()
	target := c.base.String() + path
	if c.login == nil {
		return c.ask(ctx, http.MethodGet, target, nil, c.basic)
	}
	token, err := c.login.token(ctx, "", c.logIn)
	if err != nil {
		return nil, err
	}
	body, err := c.ask(ctx, http.MethodGet, target, nil, "token="+token)
	if isUnauthorized(err) {
		fresh, loginErr := c.login.token(ctx, token, c.logIn)
		if loginErr != nil {
			return nil, errors.Join(err, loginErr)
		}
		token = fresh
		body, err = c.ask(ctx, http.MethodGet, target, nil, "token="+token)
	}
	if err == nil {
		c.login.accepted(token)
	}
	return body, err
}

// logIn sends a login to a path that is not below the prefix of the API.
func (c *client) logIn(ctx context.Context, path string, body []byte) ([]byte, error) {
	return c.ask(ctx, http.MethodPost, c.base.Scheme+"://"+c.base.Host+path, body, "")
}

func (c *client) ask(ctx context.Context, method, target string, body []byte, authorization string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("marathon: %w", err)
	}
	req.Host = c.host
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("marathon: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // it was read, or is of no use
	if resp.StatusCode != http.StatusOK {
		text, err := io.ReadAll(io.LimitReader(resp.Body, maxText))
		if err != nil {
			text = nil // the status says enough
		}
		return nil, &StatusError{Method: method, URL: target, Status: resp.StatusCode, Text: strings.TrimSpace(string(text))}
	}
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return nil, fmt.Errorf("marathon: %s %s: %w", method, target, err)
	}
	if len(answer) > maxBody {
		return nil, fmt.Errorf("marathon: %s %s: %w: more than %d bytes", method, target, errGarbled, maxBody)
	}
	return answer, nil
}

func isUnauthorized(err error) bool {
	s, ok := errors.AsType[*StatusError](err)
	return ok && s.Status == http.StatusUnauthorized
}

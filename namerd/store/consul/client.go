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
	"strconv"
	"strings"
	"time"
)

const (
	maxBody   = 256 << 20 // bytes of an answer
	maxReason = 500       // bytes of an answer that end up in an error
)

// errGarbled is in the chain of the error of an answer that Consul does not give.
var errGarbled = errors.New("unintelligible answer")

// statusError says that the agent has not done what it was asked for.
type statusError struct {
	request string // method and path
	status  int
	reason  string // what the agent said
}

func (e *statusError) Error() string {
	return fmt.Sprintf("%s: status %d: %s", e.request, e.status, e.reason)
}

// client asks one agent. It is safe for concurrent use.
type client struct {
	base       string
	host       string
	token      string
	datacenter string
	transport  *http.Transport
	http       *http.Client
}

func newClient(c Config, timeout time.Duration, conns int) *client {
	k := &client{token: c.Token, datacenter: c.Datacenter}
	k.base, k.host = c.base()
	k.transport = &http.Transport{
		DialContext:         (&net.Dialer{Timeout: timeout}).DialContext,
		TLSHandshakeTimeout: timeout,
		IdleConnTimeout:     90 * time.Second,
		MaxConnsPerHost:     conns,
		MaxIdleConnsPerHost: conns,
	}
	if c.TLS != nil {
		k.transport.TLSClientConfig = c.TLS.Clone()
	}
	// The API has no redirects, and the token must not go elsewhere.
	k.http = &http.Client{Transport: k.transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return k
}

func (k *client) close() { k.transport.CloseIdleConnections() }

// answer is what came back.
type answer struct {
	status   int
	index    uint64 // X-Consul-Index; 0 if there is none
	filtered bool   // ACLs have taken something out of it
	body     []byte
}

// do makes a request of a path, which is escaped. Statuses other than 200, 404 and 409
// are *statusErrors.
func (k *client) do(ctx context.Context, method, path string, params url.Values, body []byte) (a answer, err error) {
	if params == nil {
		params = url.Values{}
	}
	if k.datacenter != "" {
		params.Set("dc", k.datacenter)
	}
	target := k.base + path
	if len(params) > 0 {
		target += "?" + params.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return a, err
	}
	req.Host = k.host
	if k.token != "" {
		req.Header.Set("X-Consul-Token", k.token)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	a, err = k.exchange(req)
	if _, answered := errors.AsType[*statusError](err); err == nil || answered {
		return a, err
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // the URL is said once
	}
	return a, fmt.Errorf("%s %s: %w", method, path, err)
}

func (k *client) exchange(req *http.Request) (a answer, err error) {
	resp, err := k.http.Do(req)
	if err != nil {
		return a, err
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	a.status = resp.StatusCode
	a.filtered = resp.Header.Get("X-Consul-Results-Filtered-By-Acls") == "true"
	if a.body, err = io.ReadAll(http.MaxBytesReader(nil, resp.Body, maxBody)); err != nil {
		return a, err
	}
	switch a.status {
	case http.StatusOK, http.StatusNotFound, http.StatusConflict:
	default:
		reason := strings.Join(strings.Fields(string(a.body[:min(len(a.body), maxReason)])), " ")
		if reason == "" {
			reason = http.StatusText(a.status)
		}
		return a, &statusError{req.Method + " " + req.URL.Path, a.status, reason}
	}
	if text := resp.Header.Get("X-Consul-Index"); text != "" {
		if a.index, err = strconv.ParseUint(text, 10, 64); err != nil {
			return a, fmt.Errorf("%w: X-Consul-Index: %q: want a number", errGarbled, text)
		}
	}
	return a, nil
}

// pair is a key and its value.
type pair struct {
	Key         string
	Value       []byte
	ModifyIndex uint64
}

// get reads what is at or, if params say so, below a key. None is found where there is
// nothing.
func (k *client) get(ctx context.Context, key string, params url.Values) (pairs []pair, a answer, err error) {
	a, err = k.do(ctx, http.MethodGet, "/v1/kv/"+escaped(key), params, nil)
	switch {
	case err != nil:
		return nil, a, err
	case a.filtered:
		return nil, a, &statusError{"GET " + key, http.StatusForbidden, "the token may not see all of it"}
	case a.index == 0 || a.status == http.StatusConflict:
		return nil, a, fmt.Errorf("%w: GET %s: status %d without X-Consul-Index", errGarbled, key, a.status)
	case a.status == http.StatusNotFound:
		return nil, a, nil
	}
	if err := json.Unmarshal(a.body, &pairs); err != nil {
		return nil, a, fmt.Errorf("%w: GET %s: %w", errGarbled, key, err)
	}
	return pairs, a, nil
}

// one reads one key. The zero pair is returned where there is none.
func (k *client) one(ctx context.Context, key string, params url.Values) (pair, answer, error) {
	pairs, a, err := k.get(ctx, key, params)
	if err != nil || len(pairs) == 0 {
		return pair{}, a, err
	}
	return pairs[0], a, nil
}

// escaped returns a key as a part of a URL.
func escaped(key string) string {
	parts := strings.Split(key, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}

// keys returns the keys directly below a prefix.
func (k *client) keys(ctx context.Context, prefix string, params url.Values) (keys []string, err error) {
	params.Set("keys", "true")
	params.Set("separator", "/")
	a, err := k.do(ctx, http.MethodGet, "/v1/kv/"+escaped(prefix), params, nil)
	switch {
	case err != nil:
		return nil, err
	case a.filtered:
		return nil, &statusError{"GET " + prefix, http.StatusForbidden, "the token may not see all of it"}
	case a.index == 0 || a.status == http.StatusConflict:
		return nil, fmt.Errorf("%w: GET %s: status %d without X-Consul-Index", errGarbled, prefix, a.status)
	case a.status == http.StatusNotFound:
		return nil, nil
	}
	if err := json.Unmarshal(a.body, &keys); err != nil {
		return nil, fmt.Errorf("%w: GET %s: %w", errGarbled, prefix, err)
	}
	return keys, nil
}

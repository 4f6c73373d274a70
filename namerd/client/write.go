package client

import (
	"context"
	"net/http"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
)

// Create makes a namespace. namerd.ErrExists if there is one. The version is empty if
// the namerd does not say it, as 1.7.5 does not; so it is with the other writes.
func (c *Client) Create(ctx context.Context, namespace string, d dtab.Dtab) (namerd.Version, error) {
	return c.write(ctx, http.MethodPost, namespace, d, "")
}

// Update replaces the dtab of a namespace if its version is still v. namerd.ErrMissing
// if there is no such namespace, namerd.ErrMismatch if it has another version; a
// namerd over Consul may say the latter for the former.
func (c *Client) Update(ctx context.Context, namespace string, d dtab.Dtab, v namerd.Version) (namerd.Version, error) {
	if v == "" {
		return "", &namerd.Error{Is: namerd.ErrMismatch, Namespace: namespace, Detail: errNoVersion}
	}
	return c.write(ctx, http.MethodPut, namespace, d, v)
}

// Put makes the namespace or replaces its dtab.
func (c *Client) Put(ctx context.Context, namespace string, d dtab.Dtab) (namerd.Version, error) {
	return c.write(ctx, http.MethodPut, namespace, d, "")
}

// Delete removes a namespace, if v is not empty only while it has that version; namerd
// 1.7.5 does not look at v. namerd.ErrMissing if there is no such namespace,
// namerd.ErrMismatch if it has another version.
func (c *Client) Delete(ctx context.Context, namespace string, v namerd.Version) error {
	path, err := inDtabs(namespace)
	if err != nil {
		return err
	}
	_, err = c.Do(ctx, Request{Method: http.MethodDelete, Path: path, Header: ifMatch(http.Header{}, v)})
	return err
}

func (c *Client) write(ctx context.Context, method, namespace string, d dtab.Dtab, v namerd.Version) (namerd.Version, error) {
	path, err := inDtabs(namespace)
	if err != nil {
		return "", err
	}
	rsp, err := c.Do(ctx, Request{
		Method: method, Path: path, Body: []byte(d.Exact()),
		Header: ifMatch(http.Header{"Content-Type": {"application/dtab"}}, v),
	})
	if err != nil {
		return "", err
	}
	made, err := ParseETag(rsp.Header.Get("ETag"))
	if err != nil {
		return "", nil //nolint:nilerr // the write was made; a version that is none is like none
	}
	return made, nil
}

func ifMatch(h http.Header, v namerd.Version) http.Header {
	if v != "" {
		h.Set("If-Match", ETag(v))
	}
	return h
}

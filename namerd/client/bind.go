package client

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/interpreter/namerdhttp"
)

// Bind returns what a name is bound to by the dtab of a namespace followed by local.
// The endpoints of the leaves are those of the moment.
func (c *Client) Bind(ctx context.Context, namespace string, local dtab.Dtab, p dtab.Path) (dtab.Tree[*naming.Bound], error) {
	b, err := c.bound(ctx, "bind", namespace, question(local, p))
	if err != nil {
		return dtab.Tree[*naming.Bound]{}, err
	}
	t, err := ParseBound(b)
	if err != nil {
		err = nonsense("what "+p.String()+" is bound to", err)
	}
	return t, err
}

// ParseBound reads a bound tree with the endpoints in it.
func ParseBound(b []byte) (dtab.Tree[*naming.Bound], error) {
	t, err := namerdhttp.ParseTree(b)
	if err != nil {
		return t, err
	}
	// The same nodes read as an explanation have the endpoints, leaf by leaf in the
	// same order.
	d, err := namerdhttp.ParseDelegation(b)
	if err != nil {
		return t, err
	}
	var addrs []naming.State[weft.EndpointSet]
	d.MapLeaves(func(d naming.Delegation) naming.Delegation {
		addrs = append(addrs, d.Addr)
		return d
	})
	return dtab.Map(t, func(leaf *naming.Bound) *naming.Bound {
		with := *leaf
		addr := addrs[0]
		addrs = addrs[1:]
		with.Addrs = func(context.Context) weft.Source[naming.State[weft.EndpointSet]] {
			return weft.Const[naming.State[weft.EndpointSet]]{V: addr}
		}
		return &with
	}), nil
}

// Addr returns the endpoints of a concrete id, such as /#/io.l5d.fs/web.
func (c *Client) Addr(ctx context.Context, namespace string, id dtab.Path) (weft.EndpointSet, error) {
	return c.endpoints(ctx, "addr", namespace, question(nil, id))
}

// Resolve returns the endpoints of one leaf of what a name is bound to.
func (c *Client) Resolve(ctx context.Context, namespace string, local dtab.Dtab, p dtab.Path) (weft.EndpointSet, error) {
	return c.endpoints(ctx, "resolve", namespace, question(local, p))
}

func (c *Client) endpoints(ctx context.Context, api, namespace string, q url.Values) (weft.EndpointSet, error) {
	b, err := c.bound(ctx, api, namespace, q)
	if err != nil {
		return weft.EndpointSet{}, err
	}
	st, err := namerdhttp.ParseAddr(b)
	switch {
	case err != nil:
		return weft.EndpointSet{}, nonsense("the endpoints of "+q.Get("path"), err)
	case st.Known:
		return st.Value, nil
	case st.Err != nil:
		return weft.EndpointSet{}, st.Err
	default:
		return weft.EndpointSet{}, errPending
	}
}

var errPending = errors.New("the endpoints are not known yet")

// Delegate explains how a name is bound by the dtab of a namespace followed by local.
// The namespace "" is an empty dtab.
func (c *Client) Delegate(ctx context.Context, namespace string, local dtab.Dtab, p dtab.Path) (naming.Delegation, error) {
	r := Request{Path: "delegate", Header: acceptJSON(), Query: question(local, p)}
	if namespace != "" {
		r.Path += "/" + Escape(namespace)
	}
	if len(r.Query.Encode()) > longQuery {
		body, err := json.Marshal(map[string]string{"namespace": namespace, "dtab": local.Exact(), "path": p.String()})
		if err != nil {
			return naming.Delegation{}, err
		}
		r.Method, r.Body = http.MethodPost, body
		r.Header.Set("Content-Type", "application/json")
		r.Query = question(nil, p) // without which namerd 1.7.5 fails
	}
	rsp, err := c.Do(ctx, r)
	if err != nil {
		return naming.Delegation{}, err
	}
	d, err := namerdhttp.ParseDelegation(rsp.Body)
	if err != nil {
		err = nonsense("the explanation of "+p.String(), err)
	}
	return d, err
}

// longQuery is a query that might not fit into the first line of a request, which a
// namerd 1.7.5 takes up to 4 kB of.
const longQuery = 2048

func question(local dtab.Dtab, p dtab.Path) url.Values {
	q := url.Values{"path": {p.String()}}
	if len(local) > 0 {
		q.Set("dtab", local.Exact())
	}
	return q
}

func (c *Client) bound(ctx context.Context, api, namespace string, q url.Values) ([]byte, error) {
	if namespace == "" {
		return nil, errNoNamespace
	}
	rsp, err := c.Do(ctx, Request{Path: api + "/" + Escape(namespace), Query: q, Header: acceptJSON()})
	if err != nil {
		return nil, err
	}
	return rsp.Body, nil
}

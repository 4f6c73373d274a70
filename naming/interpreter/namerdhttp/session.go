package namerdhttp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/interpreter/remote"
)

// session asks one endpoint in HTTP/1.1, with a connection for every question. It
// ends when the endpoint does not take connections or answer pings any more.
type session struct {
	remote.Life
	http  *http.Client
	pings *http.Client // on a connection of their own
	stir  weft.Var[struct{}]
	base  url.URL
	ns    string
}

// opener returns how sessions are opened.
func opener(namespace string) remote.Open {
	return func(ctx context.Context, p remote.Peer) (remote.Session, error) {
		s := &session{Life: remote.NewLife(), ns: namespace, base: url.URL{Scheme: "http", Host: p.Authority()}}
		dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
			conn, err := p.Dial(ctx, "http/1.1")
			if err != nil && ctx.Err() == nil && s.Context().Err() == nil {
				s.End(err)
			}
			return conn, err
		}
		s.http = client(dial)
		s.pings = client(func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dial(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return &observed{Conn: conn, closed: func() { s.stir.Store(struct{}{}) }}, nil
		})
		if err := s.Ping(ctx); err != nil {
			_ = s.Close()
			return nil, err
		}
		return s, nil
	}
}

func client(dial func(ctx context.Context, network, addr string) (net.Conn, error)) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:         dial,
			DisableCompression:  true,
			MaxIdleConnsPerHost: 2,
			IdleConnTimeout:     time.Minute,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// observed is a connection that tells of its end, if that is the peer's doing.
type observed struct {
	net.Conn
	closed func()
}

// Read implements net.Conn.
func (c *observed) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err != nil && !errors.Is(err, net.ErrClosed) {
		c.closed()
	}
	return n, err
}

// Stirred implements remote.Session: questions that were answered with an error have
// no connection that would be lost when namerd is restarted, but pings have.
func (s *session) Stirred() <-chan struct{} {
	_, stale := s.stir.Load()
	return stale
}

// Close implements remote.Session.
func (s *session) Close() error {
	s.End(naming.ErrClosed)
	s.http.CloseIdleConnections()
	s.pings.CloseIdleConnections()
	return nil
}

// Ping implements remote.Session: any answer will do.
func (s *session) Ping(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.Context(), cancel)()
	rsp, err := s.do(ctx, s.pings, http.MethodHead, "dtabs", nil)
	if err != nil {
		if s.Context().Err() != nil {
			return context.Cause(s.Context())
		}
		return err
	}
	return rsp.Body.Close()
}

// do sends a request. A request that got no answer was cut.
func (s *session) do(ctx context.Context, c *http.Client, method, api string, query url.Values) (*http.Response, error) {
	u := s.base
	u.Path = "/api/1/" + api + "/" + s.ns
	u.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, method, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	rsp, err := c.Do(req)
	if err != nil {
		if failed, ok := errors.AsType[*url.Error](err); ok {
			err = failed.Err // the address is in what the link says
		}
		return nil, &remote.CutError{Err: err}
	}
	return rsp, nil
}

// get returns the body of a good answer.
func (s *session) get(ctx context.Context, api string, query url.Values) (io.ReadCloser, error) {
	rsp, err := s.do(ctx, s.http, http.MethodGet, api, query)
	if err != nil {
		return nil, err
	}
	if rsp.StatusCode == http.StatusOK {
		return rsp.Body, nil
	}
	defer func() { _ = rsp.Body.Close() }()
	return nil, fmt.Errorf("namerd answers %s: %s", rsp.Status, excerpt(rsp.Body))
}

// excerpt is the beginning of a text, for messages.
func excerpt(r io.Reader) string {
	b, _ := io.ReadAll(io.LimitReader(r, 512))
	return strings.ToValidUTF8(strings.TrimSpace(string(b)), "\uFFFD")
}

// Tree implements remote.Session.
func (s *session) Tree(ctx context.Context, q remote.Question, set func(naming.State[dtab.Tree[*naming.Bound]])) error {
	return stream(ctx, s, "bind", bindQuery(q, true), func(item json.RawMessage) {
		set(result(ParseTree(item)))
	})
}

// Addrs implements remote.Session.
func (s *session) Addrs(ctx context.Context, id dtab.Path, set func(naming.State[weft.EndpointSet])) error {
	return stream(ctx, s, "addr", url.Values{"path": {id.String()}, "watch": {"true"}}, func(item json.RawMessage) {
		st, err := ParseAddr(item)
		if err != nil {
			st = result(weft.EndpointSet{}, err)
		}
		set(st)
	})
}

// Dtab implements remote.Session.
func (s *session) Dtab(ctx context.Context, set func(naming.State[dtab.Dtab])) error {
	return stream(ctx, s, "dtabs", url.Values{"watch": {"true"}}, func(item json.RawMessage) {
		set(result(ParseDtab(item)))
	})
}

// Explain implements remote.Session.
func (s *session) Explain(ctx context.Context, q remote.Question) (naming.Delegation, error) {
	body, err := s.get(ctx, "delegate", bindQuery(q, false))
	if err != nil {
		return naming.Delegation{}, err
	}
	defer func() { _ = body.Close() }()
	b, err := io.ReadAll(io.LimitReader(body, maxItem))
	if err != nil {
		return naming.Delegation{}, &remote.CutError{Err: err}
	}
	d, err := ParseDelegation(b)
	if err != nil {
		return d, fmt.Errorf("namerd's explanation makes no sense: %w", err)
	}
	return d, nil
}

func bindQuery(q remote.Question, watch bool) url.Values {
	v := url.Values{"path": {q.Path.String()}}
	if q.Rules != "" {
		v.Set("dtab", q.Rules)
	}
	if watch {
		v.Set("watch", "true")
	}
	return v
}

// result is an answer that was read, or why it could not be.
func result[T any](v T, err error) naming.State[T] {
	if err != nil {
		return naming.Failed[T](fmt.Errorf("namerd's answer makes no sense: %w", err))
	}
	return naming.Ok(v)
}

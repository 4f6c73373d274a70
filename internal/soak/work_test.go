package soak_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/weft-mesh/weft/internal/origin"
	"github.com/weft-mesh/weft/internal/soak"
)

// opTimeout is how long an operation may take: longer than all that may befall it.
const opTimeout = 40 * time.Second

// job is one sort of operation over one way.
type job struct {
	kind      string
	retryable bool
	weight    int
	do        func(ctx context.Context, r *rand.Rand, n *atomic.Int64) error
}

// httpJobs are the operations over one client.
func httpJobs(way, base string, c *http.Client) []job {
	h := caller{c, base}
	return []job{
		{way + " get", true, 10, h.get},
		{way + " post", false, 6, h.post},
		{way + " download", true, 2, h.download},
		{way + " trickle", true, 2, h.trickle},
		{way + " upload", false, 2, h.upload},
		{way + " echo", false, 2, h.echo},
		{way + " abandon", true, 1, h.abandon},
	}
}

// caller makes requests of an http.Client.
type caller struct {
	client *http.Client
	base   string
}

func (h caller) get(ctx context.Context, r *rand.Rand, n *atomic.Int64) error {
	return h.fetch(ctx, origin.Pattern{Seed: r.Uint32(), Size: int64(r.IntN(20000))}, "", n)
}

func (h caller) download(ctx context.Context, r *rand.Rand, n *atomic.Int64) error {
	return h.fetch(ctx, origin.Pattern{Seed: r.Uint32(), Size: 300_000 + int64(r.IntN(2<<20))}, "&unsized=1", n)
}

func (h caller) trickle(ctx context.Context, r *rand.Rand, n *atomic.Int64) error {
	return h.fetch(ctx, origin.Pattern{Seed: r.Uint32(), Size: int64(r.IntN(300000))}, "&chunk=2000", n)
}

func (h caller) fetch(ctx context.Context, p origin.Pattern, opts string, n *atomic.Int64) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/pattern?seed=%d&size=%d%s", h.base, p.Seed, p.Size, opts), http.NoBody)
	if err != nil {
		return err
	}
	resp, err := h.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return failed(resp)
	}
	got, err := p.Check(resp.Body)
	n.Add(got)
	if err != nil {
		return &cutError{err}
	}
	return nil
}

func (h caller) post(ctx context.Context, r *rand.Rand, n *atomic.Int64) error {
	return h.send(ctx, origin.Pattern{Seed: r.Uint32(), Size: int64(r.IntN(30000))}, true, n)
}

func (h caller) upload(ctx context.Context, r *rand.Rand, n *atomic.Int64) error {
	return h.send(ctx, origin.Pattern{Seed: r.Uint32(), Size: 300_000 + int64(r.IntN(2<<20))}, r.IntN(2) == 0, n)
}

func (h caller) send(ctx context.Context, p origin.Pattern, sized bool, n *atomic.Int64) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("%s/check?seed=%d&size=%d", h.base, p.Seed, p.Size), io.NopCloser(p.Reader()))
	if err != nil {
		return err
	}
	if sized {
		req.ContentLength = p.Size
		if p.Size == 0 {
			req.Body = http.NoBody
		}
	}
	resp, err := h.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
		n.Add(p.Size)
		_, err := io.Copy(io.Discard, resp.Body)
		return err
	case http.StatusUnprocessableEntity: // the origin has checked it
		text, _ := io.ReadAll(resp.Body)
		return fmt.Errorf("%w: %s", origin.ErrWrongBytes, text)
	}
	return failed(resp)
}

// echo sends and receives at once.
func (h caller) echo(ctx context.Context, r *rand.Rand, n *atomic.Int64) error {
	p := origin.Pattern{Seed: r.Uint32(), Size: int64(r.IntN(500000))}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.base+"/echo", io.NopCloser(p.Reader()))
	if err != nil {
		return err
	}
	resp, err := h.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return failed(resp)
	}
	got, err := p.Check(resp.Body)
	n.Add(got)
	if err != nil {
		return &cutError{err}
	}
	return nil
}

// abandon goes away in the middle of an answer.
func (h caller) abandon(ctx context.Context, r *rand.Rand, _ *atomic.Int64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := origin.Pattern{Seed: r.Uint32(), Size: 64 << 20}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/pattern?seed=%d&size=%d", h.base, p.Seed, p.Size), http.NoBody)
	if err != nil {
		return err
	}
	resp, err := h.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return failed(resp)
	}
	part := p
	part.Size = int64(r.IntN(1 << 20))
	if _, err := part.Check(io.LimitReader(resp.Body, part.Size)); err != nil {
		return &cutError{err}
	}
	return nil
}

// failed is a response that is not the origin's.
func failed(resp *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 200))
	if resp.Header.Get("l5d-err") == "" && resp.StatusCode != http.StatusGatewayTimeout && resp.StatusCode != http.StatusServiceUnavailable {
		return fmt.Errorf("status %d of the origin: %s", resp.StatusCode, text)
	}
	return fmt.Errorf("status %d: %s", resp.StatusCode, text)
}

// grpcJobs are the calls over one connection.
func grpcJobs(way string, cc *grpc.ClientConn) []job {
	return []job{
		{way + " unary", false, 10, func(ctx context.Context, r *rand.Rand, n *atomic.Int64) error {
			p := origin.Pattern{Seed: r.Uint32(), Size: int64(r.IntN(100000))}
			sent, got := soak.Message(p.Bytes()), soak.Message{}
			if err := cc.Invoke(ctx, soak.Unary, &sent, &got); err != nil {
				return err
			}
			return check(p, got, n)
		}},
		{way + " stream", false, 3, func(ctx context.Context, r *rand.Rand, n *atomic.Int64) error {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			s, err := cc.NewStream(ctx, soak.StreamDesc(), soak.Stream)
			if err != nil {
				return err
			}
			for range 1 + r.IntN(30) {
				p := origin.Pattern{Seed: r.Uint32(), Size: int64(r.IntN(30000))}
				sent, got := soak.Message(p.Bytes()), soak.Message{}
				if err := s.SendMsg(&sent); err != nil && !errors.Is(err, io.EOF) { // EOF: the status comes with RecvMsg
					return err
				}
				if err := s.RecvMsg(&got); err != nil {
					return err
				}
				if err := check(p, got, n); err != nil {
					return err
				}
			}
			if err := s.CloseSend(); err != nil {
				return err
			}
			if err := s.RecvMsg(&soak.Message{}); !errors.Is(err, io.EOF) {
				return fmt.Errorf("at the end: %w", err)
			}
			return nil
		}},
	}
}

func check(p origin.Pattern, got soak.Message, n *atomic.Int64) error {
	c := p.NewChecker()
	if _, err := c.Write(got); err != nil {
		return err
	}
	n.Add(p.Size)
	return c.Done()
}

package etcd

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/naming"
)

// request asks etcd once, linearizably, and returns the header of the answer.
type request func(ctx context.Context, c *clientv3.Client) (*etcdserverpb.ResponseHeader, error)

// patient returns the context of a call of a method.
func (s *Store) patient(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, s.opts.Patience, fmt.Errorf("no success within %v", s.opts.Patience))
}

// once makes a request once.
func (s *Store) once(ctx context.Context, r request) (progress, error) {
	if ctx.Err() != nil {
		return progress{}, context.Cause(ctx)
	}
	sess, release, err := s.link.acquire(ctx)
	if err != nil {
		return progress{}, err
	}
	defer release()
	short, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	defer context.AfterFunc(s.link.ctx, cancel)()
	before := s.link.progress()
	h, err := r(short, sess.client)
	switch {
	case err == nil:
		return s.link.note(before, h), nil
	case s.link.ctx.Err() != nil:
		err = naming.ErrClosed
	case timedOut(err) && ctx.Err() == nil, outdated(err):
		s.link.discard(sess)
	}
	return progress{}, err
}

// read makes a request that changes nothing until it succeeds, is refused, or ctx ends.
func (s *Store) read(ctx context.Context, r request) (progress, error) {
	b := newDelay(s.opts)
	for {
		p, err := s.once(ctx, r)
		if err == nil || final(err) || errors.Is(err, naming.ErrClosed) {
			return p, err
		}
		if !b.wait(ctx) {
			return p, ended(ctx, err)
		}
	}
}

// ended returns the error of what has failed until ctx ended.
func ended(ctx context.Context, last error) error {
	cause := context.Cause(ctx)
	if errors.Is(last, cause) {
		return last
	}
	return fmt.Errorf("%w: %w", cause, last)
}

// failed returns err as the error of what was asked about a namespace, or about none.
func failed(namespace string, err error) error {
	if reason := reasonOf(err); reason != nil {
		return &namerd.Error{Is: reason, Namespace: namespace, Detail: err}
	}
	if namespace == "" {
		return fmt.Errorf("etcd: %w", err)
	}
	return fmt.Errorf("etcd: namespace %s: %w", namespace, err)
}

// delay is the pause between attempts.
type delay struct{ next, longest time.Duration }

func newDelay(o Options) *delay { return &delay{next: o.MinBackoff, longest: o.MaxBackoff} }

// wait pauses, longer each time, and reports whether ctx lasts.
func (b *delay) wait(ctx context.Context) bool {
	t := time.NewTimer(b.next - rand.N(b.next/2+1))
	defer t.Stop()
	b.next = min(2*b.next, b.longest)
	select {
	case <-t.C:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

package namerd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/apache/thrift/lib/go/thrift"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/interpreter/namerd/namerthrift"
	"github.com/weft-mesh/weft/naming/interpreter/remote"
)

// session asks a namerd in thrift over mux.
type session struct {
	*muxSession
	namespace string
}

// opener returns how sessions are opened.
func opener(namespace string) remote.Open {
	return func(ctx context.Context, p remote.Peer) (remote.Session, error) {
		conn, err := p.Dial(ctx)
		if err != nil {
			return nil, err
		}
		s := &session{newMuxSession(conn), namespace}
		if err := s.Ping(ctx); err != nil {
			_ = s.Close()
			return nil, fmt.Errorf("mux: %w", err)
		}
		return s, nil
	}
}

// failure is the answer that a method declares for what did not work out.
type failure struct {
	reason string
	stamp  []byte // the version of the failure, if namerd gave one
}

func (f *failure) Error() string {
	if f.reason == "" {
		return "namerd gives no reason"
	}
	return f.reason
}

// call makes a call and reads its result.
func (s *session) call(ctx context.Context, method string, args, result namerthrift.Struct) error {
	b, err := namerthrift.Marshal(method, thrift.CALL, 0, args)
	if err != nil {
		return err
	}
	if b, err = s.muxSession.call(ctx, b); err != nil {
		return err
	}
	_, err = namerthrift.Unmarshal(b, func(h namerthrift.Header) (namerthrift.Struct, error) {
		if h.Method != method || h.Type != thrift.REPLY {
			return nil, fmt.Errorf("thrift: the answer to %s is a message %q of type %d", method, h.Method, h.Type)
		}
		return result, nil
	})
	if _, ok := errors.AsType[thrift.TApplicationException](err); ok {
		return fmt.Errorf("namerd: %s: %w", method, err)
	}
	return err
}

// errNoResult is why a reply means nothing.
var errNoResult = errors.New("namerd's answer has neither a result nor a failure")

// Tree implements remote.Session.
func (s *session) Tree(ctx context.Context, q remote.Question, set func(naming.State[dtab.Tree[*naming.Bound]])) error {
	return poll(ctx, func(stamp []byte) ([]byte, error) {
		ref := &namerthrift.NameRef{Stamp: stamp, Name: namerthrift.NewPath(q.Path), Ns: s.namespace}
		var r namerthrift.BindResult
		err := s.call(ctx, namerthrift.MethodBind, &namerthrift.BindArgs{Req: &namerthrift.BindReq{Dtab: q.Rules, Name: ref}}, &r)
		switch {
		case err != nil:
			return nil, err
		case r.Failure != nil:
			return nil, declared(r.Failure.Reason, r.Failure.Name)
		case r.Success == nil:
			return nil, errNoResult
		}
		t, err := r.Success.Tree.Value()
		set(result(t, err))
		return r.Success.Stamp, nil
	}, func(err error) { set(naming.Failed[dtab.Tree[*naming.Bound]](err)) })
}

// Addrs implements remote.Session.
func (s *session) Addrs(ctx context.Context, id dtab.Path, set func(naming.State[weft.EndpointSet])) error {
	return poll(ctx, func(stamp []byte) ([]byte, error) {
		ref := &namerthrift.NameRef{Stamp: stamp, Name: namerthrift.NewPath(id), Ns: s.namespace}
		var r namerthrift.AddrResult
		err := s.call(ctx, namerthrift.MethodAddr, &namerthrift.AddrArgs{Req: &namerthrift.AddrReq{Name: ref}}, &r)
		switch {
		case err != nil:
			return nil, err
		case r.Failure != nil:
			return nil, declared(r.Failure.Reason, r.Failure.Name)
		case r.Success == nil:
			return nil, errNoResult
		}
		set(result(r.Success.Value.Value()))
		return r.Success.Stamp, nil
	}, func(err error) { set(naming.Failed[weft.EndpointSet](err)) })
}

// Dtab implements remote.Session.
func (s *session) Dtab(ctx context.Context, set func(naming.State[dtab.Dtab])) error {
	return poll(ctx, func(stamp []byte) ([]byte, error) {
		var r namerthrift.DtabResult
		err := s.call(ctx, namerthrift.MethodDtab, &namerthrift.DtabArgs{Req: &namerthrift.DtabReq{Stamp: stamp, Ns: s.namespace}}, &r)
		switch {
		case err != nil:
			return nil, err
		case r.Failure != nil:
			return nil, declared(r.Failure.Reason, nil)
		case r.Success == nil:
			return nil, errNoResult
		}
		set(result(dtab.Parse(r.Success.Dtab)))
		return r.Success.Stamp, nil
	}, func(err error) { set(naming.Failed[dtab.Dtab](err)) })
}

// Explain implements remote.Session.
func (s *session) Explain(ctx context.Context, q remote.Question) (naming.Delegation, error) {
	var r namerthrift.DelegateResult
	// A request with a stamp is never answered.
	err := s.call(ctx, namerthrift.MethodDelegate, &namerthrift.DelegateArgs{Req: &namerthrift.DelegateReq{
		Dtab:       q.Rules,
		Delegation: &namerthrift.Delegation{Tree: namerthrift.NewPathLeaf(q.Path), Ns: s.namespace},
	}}, &r)
	switch {
	case err != nil:
		return naming.Delegation{}, err
	case r.Failure != nil:
		return naming.Delegation{}, declared(r.Failure.Reason, nil)
	case r.Success == nil:
		return naming.Delegation{}, errNoResult
	}
	d, err := r.Success.Tree.Value()
	if err != nil {
		return d, fmt.Errorf("namerd's explanation makes no sense: %w", err)
	}
	return d, nil
}

// minPoll is the shortest time between two questions about the same thing whose
// answers do not wait for a change.
const minPoll = 100 * time.Millisecond

// poll asks over and over, each time with the stamp of the answer before, so that
// namerd answers when there is something new. It returns the first error, unless
// that is a failure with a stamp of its own, which can be waited for like an answer.
func poll(ctx context.Context, ask func(stamp []byte) ([]byte, error), failed func(error)) error {
	var stamp []byte
	for {
		next, err := ask(stamp)
		var f *failure
		switch {
		case errors.As(err, &f) && len(f.stamp) > 0 && !bytes.Equal(f.stamp, stamp):
			failed(err)
			next = f.stamp
			wait(ctx, minPoll)
		case err != nil:
			return err
		case bytes.Equal(next, stamp):
			wait(ctx, minPoll) // not how it should be, but not a reason to spin
		}
		stamp = next
	}
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

func declared(reason string, ref *namerthrift.NameRef) error {
	f := &failure{reason: reason}
	if ref != nil {
		f.stamp = ref.Stamp
	}
	return f
}

// result is an answer that was read, or why it could not be.
func result[T any](v T, err error) naming.State[T] {
	if err != nil {
		return naming.Failed[T](fmt.Errorf("namerd's answer makes no sense: %w", err))
	}
	return naming.Ok(v)
}

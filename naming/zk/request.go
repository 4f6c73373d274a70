package zk

import (
	"context"
	"errors"
	"fmt"

	zoo "github.com/go-zookeeper/zk"
)

// answer is what the servers said about a znode.
type answer struct {
	data     []byte
	children []string
	exists   bool
	stat     zoo.Stat
	changed  <-chan struct{} // closed when it may not hold any longer
	err      error
}

// start asks a question as soon as it may, and has the answer delivered from another
// goroutine. It returns ErrNoSession if there is no session, and the context's error.
func (s *session) start(ctx context.Context, k watchKey, deliver func(answer)) error {
	return s.request(ctx, func(conn *zoo.Conn) {
		w, set := s.watched.join(k)
		a := ask(conn, k, set)
		if set {
			s.watched.set(k, w, a.err == nil && (k.query != getExists || !a.exists))
		}
		a.changed = w.fired
		deliver(a)
	})
}

// ask asks a question once, and waits for the answer.
func (s *session) ask(ctx context.Context, q query, path string) (answer, error) {
	got := make(chan answer, 1)
	if err := s.start(ctx, watchKey{path, q}, func(a answer) { got <- a }); err != nil {
		return answer{}, err
	}
	select {
	case a := <-got:
		return a, a.err
	case <-ctx.Done():
		return answer{}, context.Cause(ctx)
	}
}

// request runs f, which asks something of the servers, on a goroutine of its own. It
// returns ErrNoSession if there is no session.
func (s *session) request(ctx context.Context, f func(*zoo.Conn)) error {
	select {
	case s.inFlight <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.cur.up || s.ctx.Err() != nil {
		<-s.inFlight
		return ErrNoSession
	}
	s.requests++
	conn := s.client.conn
	s.wg.Go(func() {
		defer func() { <-s.inFlight }()
		f(conn)
		s.answered()
	})
	return nil
}

// ask asks a question of the library. A znode that does not exist is zoo.ErrNoNode,
// except where that is the question.
func ask(conn *zoo.Conn, k watchKey, watch bool) (a answer) {
	var stat *zoo.Stat
	switch {
	case k.query == getData && watch:
		a.data, stat, _, a.err = conn.GetW(k.path)
	case k.query == getData:
		a.data, stat, a.err = conn.Get(k.path)
	case k.query == getChildren && watch:
		a.children, stat, _, a.err = conn.ChildrenW(k.path)
	case k.query == getChildren:
		a.children, stat, a.err = conn.Children(k.path)
	case watch:
		a.exists, stat, _, a.err = conn.ExistsW(k.path)
	default:
		a.exists, stat, a.err = conn.Exists(k.path)
	}
	if stat != nil {
		a.stat = *stat
	}
	return a
}

// connectionLost reports whether an error is about the session and not about what
// was asked; the link then tells more, soon if not yet.
func connectionLost(err error) bool {
	for _, e := range []error{ErrNoSession, zoo.ErrConnectionClosed, zoo.ErrNoServer, zoo.ErrSessionExpired, zoo.ErrClosing, zoo.ErrSessionMoved} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// explained returns the error of a request with what to do about it.
func explained(path string, err error) error {
	if errors.Is(err, zoo.ErrNoAuth) {
		return fmt.Errorf("zk: %s: %w: its ACL does not let these credentials read it", path, err)
	}
	return fmt.Errorf("zk: %s: %w", path, err)
}

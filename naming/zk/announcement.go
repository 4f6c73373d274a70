package zk

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"time"

	zoo "github.com/go-zookeeper/zk"

	"github.com/weft-mesh/weft/naming"
)

// announcement is what Announce returns.
type announcement struct {
	a        *Announcer
	path     string // of the serverset
	members  []*ownMember
	withdraw context.CancelFunc
	done     chan struct{} // closed when it has been withdrawn
}

// ownMember is a member that is this process.
type ownMember struct {
	data []byte
	path string // empty while it is not known to be registered

	// unsure says that a request to register it was sent and not answered, so it may
	// be registered without being known.
	unsure  bool
	changed <-chan struct{} // closed when somebody else may have changed it
}

// Close implements io.Closer.
func (n *announcement) Close() error {
	n.withdraw()
	t := time.NewTimer(withdrawal)
	defer t.Stop()
	select {
	case <-n.done:
	case <-t.C:
	}
	return nil
}

// run registers the members and keeps them registered until ctx ends, and then
// withdraws them, until the announcer is closed.
func (n *announcement) run(ctx context.Context) {
	defer close(n.done)
	s, release, err := n.a.sessions.use(n.a.ensemble)
	if err != nil {
		return // the announcer was closed, and there is nothing to withdraw
	}
	defer release()
	n.work(ctx, s, n.register, false)
	n.work(n.a.ctx, s, n.remove, true)
	n.a.faults.well(n.path)
}

// work does f over and over until ctx ends, or until it is done: whenever there is
// a connection, when something changed, and with back-off when it failed.
func (n *announcement) work(ctx context.Context, s *session, f func(context.Context, *session) error, once bool) {
	const minBackoff, maxBackoff = 100 * time.Millisecond, 10 * time.Second
	backoff := minBackoff
	for ctx.Err() == nil {
		link, changed := s.link.Load()
		signals := []<-chan struct{}{changed}
		if !link.up {
			_ = naming.Any(ctx, signals) // the loop looks at ctx
			continue
		}
		err := f(ctx, s)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil && once:
			return
		case err == nil:
			backoff = minBackoff
			n.a.faults.well(n.path)
			for _, m := range n.members {
				signals = append(signals, m.changed)
			}
			_ = naming.Any(ctx, signals)
		case connectionLost(err):
			waitFor(ctx, time.Second, signals)
		default:
			n.a.faults.failed("announcement at "+n.path, err)
			waitFor(ctx, backoff, signals)
			backoff = min(2*backoff, maxBackoff)
		}
	}
}

// register sees to it that all members are registered.
func (n *announcement) register(ctx context.Context, s *session) error {
	for _, m := range n.members {
		for {
			if err := n.find(ctx, s, m); err != nil {
				return err
			}
			if m.path != "" {
				break
			}
			if err := n.create(ctx, s, m); err != nil {
				return err
			}
		}
	}
	return nil
}

// remove sees to it that no member is registered.
func (n *announcement) remove(ctx context.Context, s *session) error {
	for _, m := range n.members {
		if err := n.find(ctx, s, m); err != nil {
			return err
		}
		if m.path == "" {
			continue
		}
		err := n.do(ctx, s, func(conn *zoo.Conn) error { return conn.Delete(m.path, -1) })
		if err != nil && !errors.Is(err, zoo.ErrNoNode) {
			return explained(m.path, err)
		}
		m.path = ""
	}
	return nil
}

// find finds out whether and where the member is registered by this session, and
// watches it.
func (n *announcement) find(ctx context.Context, s *session, m *ownMember) error {
	candidates := []string{m.path}
	switch {
	case m.path == "" && !m.unsure:
		return nil
	case m.path == "":
		list, err := s.ask(ctx, getChildren, n.path)
		if err != nil && !errors.Is(err, zoo.ErrNoNode) {
			return explained(n.path, err)
		}
		candidates = candidates[:0]
		for _, name := range list.children {
			if strings.HasPrefix(name, memberPrefix) {
				candidates = append(candidates, below(n.path, name))
			}
		}
	}
	var id int64
	if err := n.do(ctx, s, func(conn *zoo.Conn) error { id = conn.SessionID(); return nil }); err != nil {
		return err
	}
	for _, path := range candidates {
		if n.isOther(path, m) {
			continue
		}
		a, err := s.ask(ctx, getData, path)
		switch {
		case errors.Is(err, zoo.ErrNoNode):
		case err != nil:
			return explained(path, err)
		case a.stat.EphemeralOwner == id && bytes.Equal(a.data, m.data):
			m.path, m.unsure, m.changed = path, false, a.changed
			return nil
		}
	}
	m.path, m.unsure = "", false
	return nil
}

// isOther reports whether a path is that of another member of the announcement.
func (n *announcement) isOther(path string, m *ownMember) bool {
	for _, o := range n.members {
		if o != m && o.path == path {
			return true
		}
	}
	return false
}

// create registers the member.
func (n *announcement) create(ctx context.Context, s *session, m *ownMember) error {
	acl := zoo.WorldACL(zoo.PermAll)
	if n.a.auth {
		acl = append(zoo.AuthACL(zoo.PermAll), zoo.WorldACL(zoo.PermRead)...)
	}
	var path string
	m.unsure = true
	err := n.do(ctx, s, func(conn *zoo.Conn) (err error) {
		for i, r := range n.path + "/" {
			if r != '/' || i == 0 {
				continue
			}
			if _, err := conn.Create(n.path[:i], nil, 0, acl); err != nil && !errors.Is(err, zoo.ErrNodeExists) {
				return explained(n.path[:i], err)
			}
		}
		path, err = conn.Create(below(n.path, memberPrefix), m.data, zoo.FlagEphemeral|zoo.FlagSequence, acl)
		return err
	})
	if err == nil {
		m.path, m.unsure = path, false
		return nil
	}
	if errors.Is(err, ErrNoSession) {
		m.unsure = false // nothing was sent
	}
	return explained(n.path, err)
}

// do asks something of the servers. ctx ends the wait for its turn and not what was
// begun, so that nothing is registered after it was withdrawn.
func (n *announcement) do(ctx context.Context, s *session, f func(*zoo.Conn) error) error {
	done := make(chan error, 1)
	if err := s.request(ctx, func(conn *zoo.Conn) { done <- f(conn) }); err != nil {
		return err
	}
	return <-done
}

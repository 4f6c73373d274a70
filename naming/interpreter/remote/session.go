package remote

import (
	"context"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// Open starts a conversation with a peer. It returns only once the peer has
// answered something, so that a peer that accepts connections and says nothing is
// found out. It returns as soon as ctx ends, which says nothing about the Session
// it has returned.
type Open func(ctx context.Context, p Peer) (Session, error)

// Session is a conversation with one namerd, in some protocol. It is safe for
// concurrent use.
//
// Tree, Addrs and Dtab report what namerd says to set, until ctx ends or
// something goes wrong; they return nil when namerd ended the answer in order.
// An answer that cannot be understood may be reported as naming.Failed and the
// next one waited for. An error is namerd's answer, unless the session has ended or
// it is a *CutError. ctx ends no later than the session. The bound names need not have
// Addrs.
type Session interface {
	Tree(ctx context.Context, q Question, set func(naming.State[dtab.Tree[*naming.Bound]])) error
	Addrs(ctx context.Context, id dtab.Path, set func(naming.State[weft.EndpointSet])) error
	Dtab(ctx context.Context, set func(naming.State[dtab.Dtab])) error

	// Explain asks for an explanation. In what it returns, Bound need not have Addrs,
	// and Addr may be pending.
	Explain(ctx context.Context, q Question) (naming.Delegation, error)

	// Ping returns nil if the peer has answered anything, and an error when ctx has
	// ended.
	Ping(ctx context.Context) error

	// Context ends when the session does, and its cause is why.
	Context() context.Context

	// Stirred is closed when something happened that makes it worthwhile to ask again
	// what was answered with an error, besides the end of the session. Nil never is.
	Stirred() <-chan struct{}

	// End ends the session for the given reason, unless it has ended. It does not
	// wait.
	End(reason error)

	// Close ends the session and waits for what belongs to it.
	Close() error
}

// Question is a name to be bound with the rules of a router and a request.
type Question struct {
	Path  dtab.Path
	Dtab  string // the rules in text form
	Rules string // the rules as Config.EncodeDtab has them
}

// String says what is asked, for status pages.
func (q Question) String() string {
	if q.Dtab == "" {
		return "bind " + q.Path.String()
	}
	return "bind " + q.Path.String() + " with " + q.Dtab
}

// CutError says that the connection under one answer was lost, or that namerd
// did not want to answer at the moment, while the session as a whole goes on.
type CutError struct{ Err error }

func (e *CutError) Error() string { return e.Err.Error() }

func (e *CutError) Unwrap() error { return e.Err }

// UnreachableError says that a question could not be put to namerd, or that the
// connection was lost while the answer was outstanding.
type UnreachableError struct{ Err error }

func (e *UnreachableError) Error() string { return "namerd cannot be asked: " + e.Err.Error() }

func (e *UnreachableError) Unwrap() error { return e.Err }

// Life is the end of a Session, for embedding: Context, End and Stirred.
type Life struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
}

// NewLife returns the Life of a session that has begun.
func NewLife() Life {
	ctx, cancel := context.WithCancelCause(context.Background())
	return Life{ctx, cancel}
}

// Context ends when the session does, and its cause is why.
func (l Life) Context() context.Context { return l.ctx }

// Stirred never fires.
func (Life) Stirred() <-chan struct{} { return nil }

// End ends the session for the given reason, unless it has ended.
func (l Life) End(reason error) { l.cancel(reason) }

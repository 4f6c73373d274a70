package remote

import (
	"context"
	"fmt"

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
// Addrs. A tree that is older than what was seen before, from this peer or another
// one, is reported with an *OlderError beside it.
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

	// Standing says whether the peer knows the newest that was seen of its namespace.
	Standing() weft.Source[Standing]

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

// OlderError says that what a namerd answers comes from before what was seen of the
// same store: it has been away and is not up to date yet.
type OlderError struct {
	Peer           string
	Revision, Seen uint64
}

func (e *OlderError) Error() string {
	return fmt.Sprintf("namerd %s answers from revision %d, older than %d seen before", e.Peer, e.Revision, e.Seen)
}

// Standing is what is known of how up to date a namerd is.
type Standing uint8

// The standings of a namerd.
const (
	Unknown Standing = iota // it has not said anything that could be compared
	Fresh                   // its last answer was as new as any
	Behind                  // its last answer was older than what was seen before
)

// Life is the end of a Session, and its standing, for embedding: Context, End,
// Standing and Stirred.
type Life struct {
	ctx      context.Context
	cancel   context.CancelCauseFunc
	standing *weft.Var[Standing]
}

// NewLife returns the Life of a session that has begun.
func NewLife() Life {
	ctx, cancel := context.WithCancelCause(context.Background())
	return Life{ctx, cancel, weft.NewVar(Unknown)}
}

// Standing is what was noted last.
func (l Life) Standing() weft.Source[Standing] { return l.standing }

// Note notes how up to date the peer is.
func (l Life) Note(s Standing) {
	if now, _ := l.standing.Load(); now != s {
		l.standing.Store(s)
	}
}

// Context ends when the session does, and its cause is why.
func (l Life) Context() context.Context { return l.ctx }

// Stirred never fires.
func (Life) Stirred() <-chan struct{} { return nil }

// End ends the session for the given reason, unless it has ended.
func (l Life) End(reason error) { l.cancel(reason) }

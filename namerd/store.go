package namerd

import (
	"context"
	"io"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// Store keeps dtabs in namespaces. It is safe for concurrent use, by several
// processes too if it is one that they can share. internal/storetest is its
// contract as tests.
//
// A write that returned nil is kept: it survives the death of this process and
// whatever else the store is made to survive. A write that failed with one of the
// errors of this package had no effect; after any other error it may have been made.
type Store interface {
	Reader
	Writer
	naming.Reporter
	io.Closer // ends the watches and waits for them
}

// Reader is how a Store is read. List, Get and History ask the store itself and
// see every write that was acknowledged before they were called. Namespaces and
// Observe do not block; what they return is kept up to date until ctx ends, at
// most a moment behind the store, with the last good value through outages
// (State.Err then says what is wrong). They never go back to an older value than
// they have shown.
type Reader interface {
	// List returns the namespaces in alphabetical order.
	List(ctx context.Context) ([]string, error)

	// Get returns what is stored under a namespace, the zero Stored if there is none.
	Get(ctx context.Context, namespace string) (Stored, error)

	// Namespaces observes List.
	Namespaces(ctx context.Context) weft.Source[naming.State[[]string]]

	// Observe observes Get. A stored value that is not a dtab is a failure: Err is
	// set and the value before it stays in force.
	Observe(ctx context.Context, namespace string) weft.Source[naming.State[Stored]]

	// History returns the last changes of a namespace, the latest first, at most
	// limit of them. It has those that were made through a Store of this kind; how far
	// back it goes is the store's to say. An unknown namespace has none.
	History(ctx context.Context, namespace string, limit int) ([]Change, error)
}

// Writer is how a Store is written. The note is kept in the history. Every write
// returns the version that it made.
//
// Errors, for errors.Is: ErrInvalid for a namespace that the store cannot have,
// ErrForbidden if the store does not let this process write, and those named below.
type Writer interface {
	// Create makes a namespace. ErrExists if there is one.
	Create(ctx context.Context, namespace string, d dtab.Dtab, note Note) (Version, error)

	// Update replaces the dtab of a namespace if its version is still v: of any number
	// of concurrent calls with the same version one succeeds. ErrMissing if there is no
	// such namespace, ErrMismatch if it has another version. A v that the store could
	// not have made is another version.
	Update(ctx context.Context, namespace string, d dtab.Dtab, v Version, note Note) (Version, error)

	// Put makes the namespace or replaces its dtab.
	Put(ctx context.Context, namespace string, d dtab.Dtab, note Note) (Version, error)

	// Delete removes a namespace, if v is not empty only while it has that version.
	// ErrMissing if there is no such namespace, ErrMismatch if it has another version.
	Delete(ctx context.Context, namespace string, v Version, note Note) error
}

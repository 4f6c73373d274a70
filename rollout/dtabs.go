package rollout

import (
	"context"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
)

// Dtabs is what a rollout needs of a control plane. Its errors are those of
// namerd.Writer, for errors.Is; after any other error the write may have been made.
// It is called by one goroutine of a Runner's method at a time.
type Dtabs interface {
	// Get returns what is stored under a namespace, the zero Stored if there is none.
	Get(ctx context.Context, namespace string) (namerd.Stored, error)

	// Create makes a namespace. namerd.ErrExists if there is one.
	Create(ctx context.Context, namespace string, d dtab.Dtab) (namerd.Version, error)

	// Update replaces the dtab of a namespace if its version is still v:
	// namerd.ErrMissing or namerd.ErrMismatch otherwise. The version returned is not used.
	Update(ctx context.Context, namespace string, d dtab.Dtab, v namerd.Version) (namerd.Version, error)

	// Delete removes a namespace, if it can only while its version is v.
	Delete(ctx context.Context, namespace string, v namerd.Version) error
}

// Lister is implemented by Dtabs that know their namespaces. Runner.List needs it.
type Lister interface {
	List(ctx context.Context) ([]string, error)
}

// StoreDtabs makes a namerd's store the Dtabs of a process that embeds it. The
// changes get the author and the reason of note in the store's history.
func StoreDtabs(s namerd.Store, note namerd.Note) Dtabs { return storeDtabs{s, note} }

type storeDtabs struct {
	store namerd.Store
	note  namerd.Note
}

// List implements Lister.
func (s storeDtabs) List(ctx context.Context) ([]string, error) { return s.store.List(ctx) }

// Get implements Dtabs.
func (s storeDtabs) Get(ctx context.Context, namespace string) (namerd.Stored, error) {
	return s.store.Get(ctx, namespace)
}

// Create implements Dtabs.
func (s storeDtabs) Create(ctx context.Context, namespace string, d dtab.Dtab) (namerd.Version, error) {
	return s.store.Create(ctx, namespace, d, s.note)
}

// Update implements Dtabs.
func (s storeDtabs) Update(ctx context.Context, namespace string, d dtab.Dtab, v namerd.Version) (namerd.Version, error) {
	return s.store.Update(ctx, namespace, d, v, s.note)
}

// Delete implements Dtabs.
func (s storeDtabs) Delete(ctx context.Context, namespace string, v namerd.Version) error {
	return s.store.Delete(ctx, namespace, v, s.note)
}

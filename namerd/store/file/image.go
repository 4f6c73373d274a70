package file

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/weft-mesh/weft/namerd"
)

// image is what of the file is shown: what the disk has for sure.
type image struct {
	of string // of the revisions

	mu       sync.RWMutex
	revision uint64
	entries  map[string]shown
}

// shown is a namespace, also one that was deleted. With an error what is stored cannot be
// read.
type shown struct {
	namerd.Stored
	err error
}

// newImage reads all of the file.
func newImage(t *tables) (*image, error) {
	if got := string(t.weft.Get([]byte("format"))); got != format {
		return nil, fmt.Errorf("its format is %q, and this version of weft knows format %q", got, format)
	}
	revision, err := t.number("revision")
	if err != nil {
		return nil, err
	}
	im := &image{of: string(t.weft.Get([]byte("of"))), revision: revision, entries: map[string]shown{}}
	names := func(k, _ []byte) error {
		im.entries[string(k)] = im.read(t, string(k))
		return nil
	}
	if err := t.live.ForEach(names); err != nil {
		return nil, err
	}
	return im, t.dead.ForEach(names)
}

// read returns what the file has of a namespace.
func (im *image) read(t *tables, namespace string) shown {
	r, exists, err := t.record(namespace)
	st := namerd.Stored{Revision: namerd.Revision{Of: im.of, N: r.revision}}
	if exists && err == nil {
		st, err = r.stored(im.of)
	}
	if err != nil {
		err = fmt.Errorf("file: namespace %s: %w", namespace, err)
	}
	return shown{st, err}
}

// update shows what the file has of some namespaces now. It returns those whose
// existence has changed.
func (im *image) update(t *tables, namespaces map[string]bool) (comeOrGone []string, err error) {
	revision, err := t.number("revision")
	if err != nil {
		return nil, err
	}
	entries := map[string]shown{}
	for ns := range namespaces {
		entries[ns] = im.read(t, ns)
	}
	im.mu.Lock()
	defer im.mu.Unlock()
	im.revision = revision
	for ns, e := range entries {
		if im.entries[ns].Exists != e.Exists {
			comeOrGone = append(comeOrGone, ns)
		}
		im.entries[ns] = e
		if e.Revision.N == 0 && e.err == nil {
			delete(im.entries, ns) // it was forgotten
		}
	}
	return comeOrGone, nil
}

// get returns what is shown of a namespace.
func (im *image) get(namespace string) (namerd.Stored, error) {
	im.mu.RLock()
	defer im.mu.RUnlock()
	e, ok := im.entries[namespace]
	if !ok {
		e.Revision = namerd.Revision{Of: im.of, N: im.revision}
	}
	return e.Stored, e.err
}

// list returns the namespaces that exist.
func (im *image) list() []string {
	im.mu.RLock()
	defer im.mu.RUnlock()
	list := make([]string, 0, len(im.entries))
	for _, ns := range slices.Sorted(maps.Keys(im.entries)) {
		if e := im.entries[ns]; e.Exists || e.err != nil {
			list = append(list, ns)
		}
	}
	return list
}

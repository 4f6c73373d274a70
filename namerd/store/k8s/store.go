package k8s

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/turns"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/k8s"
)

// Store is a namerd.Store. It is safe for concurrent use. Close it.
type Store struct {
	opts      Options
	namespace string // of the cluster
	client    *k8s.Client
	release   func() error
	of        atomic.Pointer[string] // what revisions are of, once it is known
	turns     turns.Turns[found]
	closed    context.Context // ends with Close
	end       context.CancelFunc
	objects   *naming.Shared[allDtabs, *snapshot]
	names     *naming.Shared[allNames, []string]
	dtabs     *naming.Shared[oneDtab, namerd.Stored]
}

var _ namerd.Store = (*Store)(nil)

// allDtabs, allNames and oneDtab are what is watched.
type (
	allDtabs struct{ namespace string }
	allNames struct{ namespace string }
	oneDtab  struct{ namespace, name string }
)

func (d allDtabs) String() string { return "k8s dtabs in " + d.namespace }
func (n allNames) String() string { return "names of k8s dtabs in " + n.namespace }
func (d oneDtab) String() string  { return "k8s dtab " + d.name + " in " + d.namespace }

// New returns a Store. It does not connect before it is used.
func New(c Config, o Options) (*Store, error) {
	if c.Namespace == "" {
		c.Namespace = "default"
	}
	if !label.MatchString(c.Namespace) {
		return nil, fmt.Errorf("k8s: namespace: %q is not the name of a namespace", c.Namespace)
	}
	o = o.withDefaults()
	cl, release, err := client(c, o)
	if err != nil {
		return nil, err
	}
	s := &Store{opts: o, namespace: c.Namespace, client: cl, release: release}
	s.closed, s.end = context.WithCancel(context.Background())
	// The client logs what is wrong with the server.
	s.objects = naming.NewShared(naming.WatchFunc[allDtabs, *snapshot](s.watchObjects), naming.SharedOptions{Linger: o.Linger})
	derived := naming.SharedOptions{Linger: -1}
	s.names = naming.NewShared(naming.WatchFunc[allNames, []string](s.watchNames), derived)
	s.dtabs = naming.NewShared(naming.WatchFunc[oneDtab, namerd.Stored](s.watchDtab), derived)
	return s, nil
}

// Close implements io.Closer. What observers have stands still.
func (s *Store) Close() error {
	s.end()
	return errors.Join(s.names.Close(), s.dtabs.Close(), s.objects.Close(), s.release())
}

// Watches implements naming.Reporter.
func (s *Store) Watches() []naming.WatchStatus {
	return slices.Concat(s.objects.Watches(), s.names.Watches(), s.dtabs.Watches())
}

// List implements namerd.Reader.
func (s *Store) List(ctx context.Context) ([]string, error) {
	return retrying(ctx, s, func(ctx context.Context) ([]string, error) {
		all, err := s.list(ctx, "")
		if err != nil {
			return nil, err
		}
		names := make([]string, len(all.Items))
		for i, raw := range all.Items {
			o, err := decode(raw)
			if err != nil {
				return nil, fmt.Errorf("k8s: %s: an object: %w", s.path(), err)
			}
			names[i] = o.name
		}
		slices.Sort(names)
		return names, nil
	})
}

// Get implements namerd.Reader.
func (s *Store) Get(ctx context.Context, namespace string) (namerd.Stored, error) {
	if err := check(namespace); err != nil {
		return namerd.Stored{}, err
	}
	return retrying(ctx, s, func(ctx context.Context) (namerd.Stored, error) {
		f, err := s.find(ctx, namespace)
		switch {
		case err != nil:
			return namerd.Stored{}, err
		case f.raw == nil:
			return namerd.Stored{Revision: namerd.Revision{Of: s.order(ctx), N: number(f.at)}}, nil
		case f.bad != nil:
			return namerd.Stored{}, &malformed{s.path() + "/" + namespace, f.bad}
		default:
			return f.stored(s.order(ctx)), nil
		}
	})
}

// History implements namerd.Reader.
func (s *Store) History(ctx context.Context, namespace string, limit int) ([]namerd.Change, error) {
	if err := check(namespace); err != nil {
		return nil, err
	}
	return retrying(ctx, s, func(ctx context.Context) ([]namerd.Change, error) {
		f, err := s.find(ctx, namespace)
		if err != nil || f.raw == nil {
			return nil, err
		}
		j, err := readJournal(f.object)
		if err != nil {
			return nil, &malformed{s.path() + "/" + namespace, err}
		}
		return j.last(limit)
	})
}

// Namespaces implements namerd.Reader.
func (s *Store) Namespaces(ctx context.Context) weft.Source[naming.State[[]string]] {
	return s.names.Observe(ctx, allNames{s.namespace})
}

// Observe implements namerd.Reader.
func (s *Store) Observe(ctx context.Context, namespace string) weft.Source[naming.State[namerd.Stored]] {
	if err := check(namespace); err != nil {
		return weft.Const[naming.State[namerd.Stored]]{V: naming.Failed[namerd.Stored](&naming.AnswerError{Err: err})}
	}
	return s.dtabs.Observe(ctx, oneDtab{s.namespace, namespace})
}

// Create implements namerd.Writer.
func (s *Store) Create(ctx context.Context, namespace string, d dtab.Dtab, note namerd.Note) (namerd.Version, error) {
	return s.write(ctx, newWriting(namespace, d, note, func(f found) error {
		if f.raw != nil {
			return namerd.ErrExists
		}
		return nil
	}))
}

// Update implements namerd.Writer.
func (s *Store) Update(ctx context.Context, namespace string, d dtab.Dtab, v namerd.Version, note namerd.Note) (namerd.Version, error) {
	return s.write(ctx, newWriting(namespace, d, note, func(f found) error { return mustHave(f, v) }))
}

// Put implements namerd.Writer.
func (s *Store) Put(ctx context.Context, namespace string, d dtab.Dtab, note namerd.Note) (namerd.Version, error) {
	return s.write(ctx, newWriting(namespace, d, note, func(found) error { return nil }))
}

// Delete implements namerd.Writer. The note goes with the history.
func (s *Store) Delete(ctx context.Context, namespace string, v namerd.Version, note namerd.Note) error {
	w := newWriting(namespace, nil, note, func(f found) error {
		if v == "" && f.raw != nil {
			return nil
		}
		return mustHave(f, v)
	})
	w.deletes = true
	_, err := s.write(ctx, w)
	return err
}

// mustHave says why an object does not have the version v.
func mustHave(f found, v namerd.Version) error {
	switch {
	case f.raw == nil:
		return namerd.ErrMissing
	case string(v) != f.version:
		return namerd.ErrMismatch
	default:
		return nil
	}
}

// check refuses what cannot be the name of an object (RFC 1123).
func check(namespace string) error {
	ok := namespace != "" && len(namespace) <= 253
	for i, c := range []byte(namespace) {
		edge := i == 0 || i == len(namespace)-1 || namespace[i-1] == '.' || namespace[i+1] == '.'
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
		case c == '-' && !edge:
		case c == '.' && i > 0 && i < len(namespace)-1 && namespace[i-1] != '.':
		default:
			ok = false
		}
	}
	if !ok {
		return &namerd.Error{
			Is: namerd.ErrInvalid, Namespace: namespace,
			Detail: errors.New("it must be the name of an object of Kubernetes: at most 253 of the characters a-z, 0-9, - and ., " +
				"and on both sides of a . and at the ends a letter or digit"),
		}
	}
	return nil
}

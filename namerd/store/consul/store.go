package consul

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/turns"
	"github.com/weft-mesh/weft/naming"
)

// Store is a namerd.Store in Consul. It is safe for concurrent use. Close it.
type Store struct {
	cfg     Config
	opts    Options
	client  *client
	turns   turns.Turns[place]
	dtabs   string // what the keys of dtabs begin with
	history string // what the keys of histories begin with

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	seq    sequence

	tree   *naming.Shared[everything, *view]
	names  *naming.Shared[allNames, []string]
	values *naming.Shared[oneDtab, namerd.Stored]
}

var _ namerd.Store = (*Store)(nil)

// What is watched, as its status says it.
type (
	everything string
	allNames   string
	oneDtab    string
)

func (e everything) String() string { return "the keys below " + string(e) + " in Consul" }
func (n allNames) String() string   { return "the namespaces below " + string(n) + " in Consul" }
func (n oneDtab) String() string    { return "the dtab " + string(n) + " in Consul" }

// New returns a Store. It does not wait for the agent, which may be away.
func New(c Config, o Options) (*Store, error) {
	c, o = c.withDefaults(), o.withDefaults()
	if err := c.check(); err != nil {
		return nil, err
	}
	s := &Store{cfg: c, opts: o, client: newClient(c, o.Timeout, o.MaxConns+1)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.dtabs, s.history = c.prefixes()
	// The watch of the tree says by itself what goes wrong; the others are views of it.
	shared := naming.SharedOptions{Linger: o.Linger}
	s.tree = naming.NewShared(naming.WatchFunc[everything, *view](s.watchTree), shared)
	s.names = naming.NewShared(naming.WatchFunc[allNames, []string](s.watchNames), shared)
	s.values = naming.NewShared(naming.WatchFunc[oneDtab, namerd.Stored](s.watchDtab), shared)
	return s, nil
}

// Close implements io.Closer. What observers have stands still; calls that wait for
// the agent return.
func (s *Store) Close() error {
	s.cancel()
	defer s.client.close()
	return errors.Join(s.values.Close(), s.names.Close(), s.tree.Close())
}

// Watches implements naming.Reporter.
func (s *Store) Watches() []naming.WatchStatus {
	return slices.Concat(s.tree.Watches(), s.names.Watches(), s.values.Watches())
}

// List implements namerd.Reader.
func (s *Store) List(ctx context.Context) ([]string, error) {
	ctx, cancel := s.patient(ctx)
	defer cancel()
	var keys []string
	if err := s.read(ctx, func(ctx context.Context) (err error) {
		keys, err = s.client.keys(ctx, s.dtabs, s.single())
		if err == nil && len(keys) == 0 {
			err = s.permitted(ctx)
		}
		return err
	}); err != nil {
		return nil, failed("", err)
	}
	list := []string{}
	for _, k := range keys {
		if ns := strings.TrimPrefix(k, s.dtabs); readable(ns) {
			list = append(list, ns)
		}
	}
	slices.Sort(list)
	return list, nil
}

// Get implements namerd.Reader.
func (s *Store) Get(ctx context.Context, namespace string) (namerd.Stored, error) {
	if !readable(namespace) {
		return namerd.Stored{}, nil
	}
	ctx, cancel := s.patient(ctx)
	defer cancel()
	var k pair
	var a answer
	var of string
	if err := s.read(ctx, func(ctx context.Context) (err error) {
		if of, err = s.seq.of(ctx, s); err != nil {
			return err
		}
		k, a, err = s.client.one(ctx, s.dtabs+namespace, s.single())
		return err
	}); err != nil {
		return namerd.Stored{}, failed(namespace, err)
	}
	if k.ModifyIndex == 0 {
		return missing(of, a.index), nil
	}
	st, err := parse(of, k)
	if err != nil {
		return namerd.Stored{}, failed(namespace, err)
	}
	return st, nil
}

// History implements namerd.Reader. It has up to 100 changes.
func (s *Store) History(ctx context.Context, namespace string, limit int) ([]namerd.Change, error) {
	if checkWritten(namespace) != nil {
		return nil, nil
	}
	ctx, cancel := s.patient(ctx)
	defer cancel()
	var pairs []pair
	if err := s.read(ctx, func(ctx context.Context) (err error) {
		params := s.single()
		params.Set("recurse", "true")
		pairs, _, err = s.client.get(ctx, string(s.journal(namespace)), params)
		return err
	}); err != nil {
		return nil, failed(namespace, err)
	}
	pairs = slices.DeleteFunc(pairs, func(p pair) bool { return p.Key == s.journal(namespace).head() })
	slices.SortFunc(pairs, func(a, b pair) int { return -cmp.Compare(a.ModifyIndex, b.ModifyIndex) })
	changes := make([]namerd.Change, 0, len(pairs))
	for _, p := range pairs[:min(max(limit, 0), len(pairs))] {
		e, err := decodeEntry(p.Value)
		if err != nil {
			return nil, failed(namespace, fmt.Errorf("history: %s: %w", p.Key, err))
		}
		if !e.Change.Deleted {
			e.Change.Version = versionOf(p.ModifyIndex)
		}
		changes = append(changes, e.Change)
	}
	return changes, nil
}

// Namespaces implements namerd.Reader.
func (s *Store) Namespaces(ctx context.Context) weft.Source[naming.State[[]string]] {
	return s.names.Observe(ctx, allNames(s.dtabs))
}

// Observe implements namerd.Reader.
func (s *Store) Observe(ctx context.Context, namespace string) weft.Source[naming.State[namerd.Stored]] {
	return s.values.Observe(ctx, oneDtab(namespace))
}

// permitted returns the error of a token that may not see dtabs. To it, a prefix looks
// empty.
func (s *Store) permitted(ctx context.Context) error {
	_, _, err := s.client.one(ctx, s.dtabs+".none", s.single())
	return err
}

// checkWritten says why a namespace cannot be written.
func checkWritten(ns string) error {
	if len(ns) <= maxNamespace && regexp.MustCompile(`^[A-Za-z0-9_-]+$`).MatchString(ns) {
		return nil
	}
	return &namerd.Error{Is: namerd.ErrInvalid, Namespace: ns, Detail: errors.New("namespace must contain only letters, digits, '_' and '-', at most " + strconv.Itoa(maxNamespace))}
}

// maxNamespace is the length of the longest namespace in bytes. Consul takes keys of 512.
const maxNamespace = 400

// readable reports whether there can be a dtab under a name, by whatever means it was
// written.
func readable(ns string) bool {
	return ns != "" && ns != "." && ns != ".." && !strings.Contains(ns, "/")
}

// parse returns what a key has as its value.
func parse(of string, p pair) (namerd.Stored, error) {
	d, err := dtab.Parse(string(p.Value))
	if err != nil {
		return namerd.Stored{}, fmt.Errorf("what is stored at index %d is not a dtab: %w", p.ModifyIndex, err)
	}
	st := missing(of, p.ModifyIndex)
	st.Exists, st.Dtab, st.Version = true, d, versionOf(p.ModifyIndex)
	return st, nil
}

// missing returns what there is where no key is. Without the name of a sequence, an
// index says nothing.
func missing(of string, index uint64) namerd.Stored {
	if of == "" {
		return namerd.Stored{}
	}
	return namerd.Stored{Revision: namerd.Revision{Of: of, N: index}}
}

// versionOf returns the version of a key that was modified at an index.
func versionOf(index uint64) namerd.Version {
	return namerd.Version(strconv.FormatUint(index, 10))
}

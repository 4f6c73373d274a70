package etcd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/turns"
	"github.com/weft-mesh/weft/naming"
)

// Store is a namerd.Store in an etcd cluster. It is safe for concurrent use. Close it.
type Store struct {
	opts    Options
	link    *link
	turns   turns.Turns[place]
	dtabs   string // what the keys of dtabs begin with
	history string // what the keys of histories begin with

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

func (e everything) String() string { return "the keys below " + string(e) + " in etcd" }
func (n allNames) String() string   { return "the namespaces below " + string(n) + " in etcd" }
func (n oneDtab) String() string    { return "the dtab " + string(n) + " in etcd" }

// New returns a Store. It does not wait for etcd, which may be away.
func New(c Config, o Options) (*Store, error) {
	c, o = c.withDefaults(), o.withDefaults()
	if err := c.check(); err != nil {
		return nil, err
	}
	s := &Store{opts: o, link: newLink(c, o)}
	s.dtabs, s.history = c.prefixes()
	// The watch of the tree says by itself what goes wrong; the others are views of it.
	shared := naming.SharedOptions{Linger: o.Linger}
	s.tree = naming.NewShared(naming.WatchFunc[everything, *view](s.watchTree), shared)
	s.names = naming.NewShared(naming.WatchFunc[allNames, []string](s.watchNames), shared)
	s.values = naming.NewShared(naming.WatchFunc[oneDtab, namerd.Stored](s.watchDtab), shared)
	return s, nil
}

// Close implements io.Closer. What observers have stands still; calls that wait for
// etcd return.
func (s *Store) Close() error {
	err := errors.Join(s.values.Close(), s.names.Close(), s.tree.Close())
	s.link.close()
	return err
}

// Watches implements naming.Reporter.
func (s *Store) Watches() []naming.WatchStatus {
	return slices.Concat(s.tree.Watches(), s.names.Watches(), s.values.Watches())
}

// List implements namerd.Reader.
func (s *Store) List(ctx context.Context) ([]string, error) {
	ctx, cancel := s.patient(ctx)
	defer cancel()
	list := []string{}
	_, err := s.read(ctx, func(ctx context.Context, c *clientv3.Client) (*etcdserverpb.ResponseHeader, error) {
		resp, err := c.Get(ctx, s.dtabs, clientv3.WithPrefix(), clientv3.WithKeysOnly())
		if err != nil {
			return nil, err
		}
		list = list[:0]
		for _, kv := range resp.Kvs {
			if ns := strings.TrimPrefix(string(kv.Key), s.dtabs); checkNamespace(ns) == nil {
				list = append(list, ns)
			}
		}
		return resp.Header, nil
	})
	if err != nil {
		return nil, failed("", err)
	}
	slices.Sort(list)
	return list, nil
}

// Get implements namerd.Reader.
func (s *Store) Get(ctx context.Context, namespace string) (namerd.Stored, error) {
	if err := checkNamespace(namespace); err != nil {
		return namerd.Stored{}, err
	}
	ctx, cancel := s.patient(ctx)
	defer cancel()
	var resp *clientv3.GetResponse
	p, err := s.read(ctx, func(ctx context.Context, c *clientv3.Client) (_ *etcdserverpb.ResponseHeader, err error) {
		if resp, err = c.Get(ctx, s.dtabs+namespace); err != nil {
			return nil, err
		}
		return resp.Header, nil
	})
	if err != nil {
		return namerd.Stored{}, failed(namespace, err)
	}
	if len(resp.Kvs) == 0 {
		return missing(p.of(), resp.Header.Revision), nil
	}
	st, err := parse(p.of(), resp.Kvs[0].Value, resp.Kvs[0].ModRevision)
	if err != nil {
		return namerd.Stored{}, failed(namespace, err)
	}
	return st, nil
}

// History implements namerd.Reader. It has up to 100 changes.
func (s *Store) History(ctx context.Context, namespace string, limit int) ([]namerd.Change, error) {
	if err := checkNamespace(namespace); err != nil {
		return nil, err
	}
	ctx, cancel := s.patient(ctx)
	defer cancel()
	limit = min(max(limit, 0), kept)
	from, to := s.journal(namespace).slots()
	var resp *clientv3.GetResponse
	_, err := s.read(ctx, func(ctx context.Context, c *clientv3.Client) (_ *etcdserverpb.ResponseHeader, err error) {
		if resp, err = c.Get(ctx, from, clientv3.WithRange(to), clientv3.WithLimit(int64(max(limit, 1))),
			clientv3.WithSort(clientv3.SortByModRevision, clientv3.SortDescend)); err != nil {
			return nil, err
		}
		return resp.Header, nil
	})
	if err != nil {
		return nil, failed(namespace, err)
	}
	changes := make([]namerd.Change, 0, len(resp.Kvs))
	for _, kv := range resp.Kvs[:min(limit, len(resp.Kvs))] {
		var e entry
		if err := json.Unmarshal(kv.Value, &e); err != nil {
			return nil, failed(namespace, fmt.Errorf("history: %s: %w", kv.Key, err))
		}
		if !e.Change.Deleted {
			e.Change.Version = versionOf(kv.ModRevision)
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
	if err := checkNamespace(namespace); err != nil {
		return weft.Const[naming.State[namerd.Stored]]{V: naming.Failed[namerd.Stored](&naming.AnswerError{Err: err})}
	}
	return s.values.Observe(ctx, oneDtab(namespace))
}

// maxNamespace is the length of the longest namespace in bytes.
const maxNamespace = 1024

func checkNamespace(ns string) error {
	switch {
	case ns == "":
		return &namerd.Error{Is: namerd.ErrInvalid, Namespace: ns, Detail: errors.New("namespace must not be empty")}
	case len(ns) > maxNamespace:
		return &namerd.Error{Is: namerd.ErrInvalid, Namespace: ns, Detail: fmt.Errorf("namespace must have at most %d bytes", maxNamespace)}
	case !utf8.ValidString(ns):
		return &namerd.Error{Is: namerd.ErrInvalid, Namespace: ns, Detail: errors.New("namespace must be UTF-8")}
	}
	return nil
}

// parse returns what the value of a key is that was modified at a revision.
func parse(of string, value []byte, revision int64) (namerd.Stored, error) {
	d, err := dtab.Parse(string(value))
	if err != nil {
		return namerd.Stored{}, fmt.Errorf("what is stored at revision %d is not a dtab: %w", revision, err)
	}
	st := missing(of, revision)
	st.Exists, st.Dtab, st.Version = true, d, versionOf(revision)
	return st, nil
}

// missing returns what there is where no key is.
func missing(of string, revision int64) namerd.Stored {
	return namerd.Stored{Revision: namerd.Revision{Of: of, N: uint64(max(revision, 0))}}
}

// versionOf returns the version of a key that was modified at a revision.
func versionOf(revision int64) namerd.Version {
	return namerd.Version(strconv.FormatInt(revision, 10))
}

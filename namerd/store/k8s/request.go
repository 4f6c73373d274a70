package k8s

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/k8s"
)

const (
	minPause = 50 * time.Millisecond
	maxPause = time.Second

	// maxObject is how large an object may be, in bytes: etcd takes 1.5 MiB.
	maxObject = 1_200_000
)

// ErrNoKind is in the chain of errors if the cluster does not know what a DTab is.
var ErrNoKind = errors.New("k8s: the cluster has no DTabs (dtabs.l5d.io): apply deploy/kubernetes/dtab-crd.yaml")

// malformed is the error of an object that does not hold what it should.
type malformed struct {
	path string
	err  error
}

// Error implements error.
func (e *malformed) Error() string { return fmt.Sprintf("k8s: %s: %v", e.path, e.err) }
func (e *malformed) Unwrap() error { return e.err }

// list is a list of objects as the API server has it.
type list struct {
	Metadata metadata          `json:"metadata"`
	Items    []json.RawMessage `json:"items"`
}

// found is an object of the API server, the zero object if there was none, and the
// version of all objects when that was so.
type found struct {
	object
	raw json.RawMessage
	at  string
}

func (s *Store) path() string { return api + "/namespaces/" + s.namespace + "/" + plural }

// list asks for all objects, or for the one with that name.
func (s *Store) list(ctx context.Context, name string) (list, error) {
	query := url.Values{}
	if name != "" {
		query.Set("fieldSelector", "metadata.name="+name)
	}
	body, err := s.client.Do(ctx, http.MethodGet, s.path(), query, nil)
	if err != nil {
		return list{}, explained(name, err)
	}
	var l list
	if err := json.Unmarshal(body, &l); err != nil {
		return list{}, fmt.Errorf("k8s: %s: it is no list of objects: %w", s.path(), err)
	}
	if l.Metadata.ResourceVersion == "" {
		return list{}, fmt.Errorf("k8s: %s: it is no list of objects", s.path())
	}
	return l, nil
}

// find asks for an object. A list of one tells what a missing object does not: as of
// when it is missing, and that the kind is not.
func (s *Store) find(ctx context.Context, name string) (found, error) {
	all, err := s.list(ctx, name)
	if err != nil {
		return found{}, err
	}
	for _, raw := range all.Items {
		o, err := decode(raw)
		if err != nil {
			return found{}, &malformed{s.path() + "/" + name, err}
		}
		if o.name == name {
			return found{object: o, raw: raw, at: all.Metadata.ResourceVersion}, nil
		}
	}
	return found{at: all.Metadata.ResourceVersion}, nil
}

// order returns what revisions are of: the uid of the namespace, if it may be read, or
// else the address of the server.
func (s *Store) order(ctx context.Context) string {
	if of := s.of.Load(); of != nil {
		return *of
	}
	of := "k8s " + s.client.Server() + " " + s.namespace
	body, err := s.client.Do(ctx, http.MethodGet, "/api/v1/namespaces/"+s.namespace, nil, nil)
	answer, answered := errors.AsType[*k8s.StatusError](err)
	switch {
	case err == nil:
		var n struct {
			Metadata metadata `json:"metadata"`
		}
		if json.Unmarshal(body, &n) == nil && n.Metadata.UID != "" {
			of = "k8s " + n.Metadata.UID
		}
	case !answered || answer.Code != http.StatusForbidden && answer.Code != http.StatusNotFound:
		return of // it is asked again
	}
	s.of.Store(&of)
	return of
}

// begin returns the context of a call, which ends with the Store and with its patience.
func (s *Store) begin(ctx context.Context) (context.Context, context.CancelFunc, error) {
	if s.closed.Err() != nil {
		return nil, nil, naming.ErrClosed
	}
	if err := context.Cause(ctx); err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.opts.Patience)
	stop := context.AfterFunc(s.closed, cancel)
	return ctx, func() { stop(); cancel() }, nil
}

// ended returns why a call whose context has ended failed.
func (s *Store) ended(err error) error {
	if s.closed.Err() != nil {
		return fmt.Errorf("%w: %w", naming.ErrClosed, err)
	}
	return err
}

// retrying reads, again while the server cannot be reached.
func retrying[T any](ctx context.Context, s *Store, read func(context.Context) (T, error)) (T, error) {
	var none T
	ctx, cancel, err := s.begin(ctx)
	if err != nil {
		return none, err
	}
	defer cancel()
	var trouble error
	for delay := minPause; ; delay = min(2*delay, maxPause) {
		v, err := read(ctx)
		if err == nil || !passing(err) {
			return v, err
		}
		if ctx.Err() == nil {
			trouble = err
		} else if trouble == nil {
			trouble = err
		}
		if pause(ctx, delay-rand.N(delay/2)); ctx.Err() != nil {
			return none, s.ended(trouble)
		}
	}
}

// passing reports whether an error may be over in a moment. If it is one of a write,
// that may have been made, except if the server was too busy.
func passing(err error) bool {
	if errors.As(err, new(*malformed)) || errors.As(err, new(*namerd.Error)) || errors.Is(err, errUnknown) || errors.Is(err, ErrNoKind) {
		return false
	}
	answer, ok := errors.AsType[*k8s.StatusError](err)
	return !ok || answer.Code >= http.StatusTooManyRequests
}

// explained returns an answer of the server in the words of package namerd.
func explained(namespace string, err error) error {
	answer, ok := errors.AsType[*k8s.StatusError](err)
	switch {
	case !ok:
		return err
	case answer.Code == http.StatusForbidden:
		return &namerd.Error{Is: namerd.ErrForbidden, Namespace: namespace, Detail: err}
	case answer.Code == http.StatusNotFound && !strings.Contains(answer.Message, `"`):
		// An object or a namespace that is not there is named; a kind is not.
		return fmt.Errorf("%w: %w", ErrNoKind, err)
	case answer.Code == http.StatusRequestEntityTooLarge, strings.Contains(answer.Message, "request is too large"):
		return &namerd.Error{Is: namerd.ErrTooLarge, Namespace: namespace, Detail: err}
	default:
		return err
	}
}

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

package k8s

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// grace is how long a watch that worked may take to be back without being said to
	// fail: servers and what is in between end connections all the time.
	grace = time.Second

	// listTimeout bounds a list, headerTimeout the beginning of the answer to a watch.
	listTimeout   = time.Minute
	headerTimeout = 30 * time.Second

	// watchTimeout is how long a watch is asked to last, at least; at most twice as
	// long. Over plain HTTP nothing but its end tells that the other side is still
	// there, so that it lasts plainTimeout.
	watchTimeout = 5 * time.Minute
	plainTimeout = 30 * time.Second
)

// errBroken is in the chain of the error of a watch that broke off.
var errBroken = errors.New("the watch broke off")

// reflector makes a store hold what the API server has: a list, then watches that go
// on where the last one has ended. It is the work of client-go's Reflector.
type reflector[T any] struct {
	kind   *kind[T]
	scope  scope
	store  *store[T]
	good   func(version string) // the store is as the server has it
	failed func(error)

	api     int    // which of kind.apis
	listed  bool   // there was a list from which a watch can go on
	version string // where to go on
	worked  bool   // there was a list
	lived   bool   // the last watch was one that worked
	streak  int    // of attempts that have not worked

	mu      sync.Mutex
	ended   bool
	suspect *time.Timer // runs during the grace
	reason  error       // what is then said
	trouble error       // what the observers have been told
}

// run returns when ctx ends.
func (r *reflector[T]) run(ctx context.Context) {
	defer r.end()
	for ctx.Err() == nil {
		err := r.once(ctx)
		if ctx.Err() != nil {
			return
		}
		sleep(ctx, r.judge(err))
	}
}

// once lists, unless that is not necessary, and watches until the watch ends.
func (r *reflector[T]) once(ctx context.Context) error {
	r.lived = false
	if !r.listed {
		if err := r.list(ctx); err != nil {
			return err
		}
	}
	return r.follow(ctx)
}

// judge decides what the end of a watch means and how long to wait.
func (r *reflector[T]) judge(err error) time.Duration {
	if r.lived {
		r.streak = 0
	}
	r.streak++
	answer, _ := errors.AsType[*StatusError](err)
	switch {
	case err == nil:
	case expired(err):
		r.listed, r.version = false, "" // the newest there is
	case passing(err) && r.worked:
		r.doubt(err)
	default:
		r.fail(err)
	}
	if answer != nil && answer.Code == http.StatusNotFound {
		r.listed, r.version = false, "0"
	}
	least, most := r.kind.c.opts.backoff()
	if unavailable(err) {
		most *= 10
	}
	pause := jittered(min(most, least<<min(r.streak-1, 20)))
	if answer != nil {
		pause = max(pause, min(answer.RetryAfter, 30*time.Second))
	}
	return pause
}

// list replaces what the store holds.
func (r *reflector[T]) list(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	body, err := r.findAPI(ctx)
	if err != nil {
		return err
	}
	defer body.Close() //nolint:errcheck // it has been read
	var all []object[T]
	var unread []objectKey
	version, err := readList(body, func(raw json.RawMessage) {
		if o, ok := r.decode(raw); ok {
			all = append(all, o)
		} else {
			unread = append(unread, o.key)
		}
	})
	if err != nil {
		return fmt.Errorf("k8s: %s: %w", r.path(), err)
	}
	r.store.replace(all, unread)
	r.version, r.listed, r.worked = version, true, true
	r.succeed()
	return nil
}

// findAPI asks the APIs that may have the kind, beginning with the one that had it.
func (r *reflector[T]) findAPI(ctx context.Context) (io.ReadCloser, error) {
	query := r.query()
	if r.version != "" {
		query.Set("resourceVersion", r.version)
	}
	var missing error
	for range r.kind.apis {
		body, err := r.kind.c.get(ctx, r.path(), query)
		answer, ok := errors.AsType[*StatusError](err)
		if !ok || answer.Code != http.StatusNotFound {
			return body, err
		}
		if missing == nil {
			missing = err
		}
		r.api = (r.api + 1) % len(r.kind.apis)
	}
	return nil, missing
}

// follow watches until the watch ends, which is no error if the server wanted it.
func (r *reflector[T]) follow(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lasts := watchTimeout
	if r.kind.c.base.Scheme == "http" {
		lasts = plainTimeout
	}
	lasts += rand.N(lasts)
	query := r.query()
	query.Set("watch", "1")
	query.Set("allowWatchBookmarks", "true")
	query.Set("timeoutSeconds", strconv.Itoa(int(lasts/time.Second)))
	if r.version != "" {
		query.Set("resourceVersion", r.version)
	}
	overdue := time.AfterFunc(headerTimeout, cancel)
	defer overdue.Stop()
	body, err := r.kind.c.get(ctx, r.path(), query)
	if err != nil {
		return err
	}
	defer body.Close() //nolint:errcheck // nothing is expected of it
	overdue.Reset(lasts + headerTimeout)
	began := time.Now()
	r.succeed()
	for dec := json.NewDecoder(body); ; {
		var e event
		err := dec.Decode(&e)
		if err == nil {
			err = r.apply(e)
			r.lived = r.lived || err == nil
		} else if !errors.Is(err, io.EOF) {
			err = fmt.Errorf("k8s: %s: %w: %w", r.path(), errBroken, err)
		}
		if err != nil {
			r.lived = r.lived || time.Since(began) > time.Second
			if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				return nil
			}
			return err
		}
	}
}

// apply brings the store up to an event.
func (r *reflector[T]) apply(e event) error {
	switch e.Type {
	case "ERROR":
		problem := &StatusError{Path: r.path()}
		problem.fill(e.Object)
		return problem
	case "BOOKMARK":
		if _, version := identify(e.Object); version != "" {
			r.version = version
		}
	case "ADDED", "MODIFIED", "DELETED":
		o, ok := r.decode(e.Object)
		if older(o.version, r.version) {
			return nil
		}
		switch {
		case e.Type == "DELETED":
			r.store.remove(o.key)
		case ok:
			r.store.put(o)
		}
		if o.version != "" {
			r.version = o.version
		}
	default:
		return nil
	}
	r.good(r.version)
	return nil
}

// older reports whether an event has come late: it tells of a version before that
// which is known. Versions that are no numbers are not compared.
func older(version, known string) bool {
	v, err := strconv.ParseUint(version, 10, 64)
	if err != nil {
		return false
	}
	k, err := strconv.ParseUint(known, 10, 64)
	return err == nil && v < k
}

// decode reads an object. What cannot be read is said once for each version.
func (r *reflector[T]) decode(raw json.RawMessage) (object[T], bool) {
	o, err := r.kind.decode(raw)
	if err == nil && o.key.name == "" {
		err = errors.New("it has no name")
	}
	if err != nil {
		o = object[T]{}
		o.key, o.version = identify(raw)
		if r.store.blame(o.key, o.version) {
			r.kind.c.logger.Warn("an object cannot be read and is left as it was", "watch", r.scope.String(),
				"object", o.key.String(), "version", o.version, "err", err)
		}
		return o, false
	}
	if len(o.problems) > 0 && r.store.blame(o.key, o.version) {
		r.kind.c.logger.Warn("parts of an object cannot be used and are left out", "watch", r.scope.String(),
			"object", o.key.String(), "version", o.version, "problems", o.problems)
	}
	return o, true
}

func (r *reflector[T]) path() string {
	path := r.kind.apis[r.api]
	if r.scope.namespace != "" {
		path += "/namespaces/" + r.scope.namespace
	}
	return path + "/" + r.kind.plural
}

func (r *reflector[T]) query() url.Values {
	query := url.Values{}
	if r.scope.name != "" {
		query.Set("fieldSelector", "metadata.name="+strings.NewReplacer(`\`, `\\`, ",", `\,`, "=", `\=`).Replace(r.scope.name))
	}
	return query
}

// succeed says that the store is as the server has it.
func (r *reflector[T]) succeed() {
	r.mu.Lock()
	r.stopDoubt()
	if r.trouble != nil {
		r.kind.c.relieve(r.scope.String(), class(r.trouble), r.trouble)
		r.trouble = nil
	}
	r.mu.Unlock()
	r.good(r.version)
}

// doubt fails unless the watch is back within the grace, which began with the first
// failure.
func (r *reflector[T]) doubt(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reason = err
	if r.suspect != nil || r.trouble != nil {
		return
	}
	var t *time.Timer
	t = time.AfterFunc(grace, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.suspect == t {
			r.suspect = nil
			r.tell(r.reason)
		}
	})
	r.suspect = t
}

func (r *reflector[T]) stopDoubt() {
	if r.suspect != nil {
		r.suspect.Stop()
		r.suspect = nil
	}
}

// fail tells the observers of trouble of a new kind.
func (r *reflector[T]) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopDoubt()
	r.tell(err)
}

// tell does it. The mutex is held.
func (r *reflector[T]) tell(err error) {
	if r.ended || r.trouble != nil && class(r.trouble) == class(err) {
		return
	}
	if r.trouble != nil {
		r.kind.c.relieve(r.scope.String(), class(r.trouble), r.trouble)
	}
	r.trouble = err
	r.kind.c.complain(r.scope.String(), class(err), err)
	r.failed(err)
}

// end takes back what others would wait for.
func (r *reflector[T]) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	r.stopDoubt()
	if r.trouble != nil {
		r.kind.c.relieve(r.scope.String(), class(r.trouble), r.trouble)
	}
}

// jittered returns a random duration from d/2 to d.
func jittered(d time.Duration) time.Duration { return d - rand.N(d/2+1) }

// sleep waits for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

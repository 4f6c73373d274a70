package etcd

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

// errAgain says that the service is to be listed again, which is nothing to report.
var errAgain = errors.New("to be listed again")

// watch is the naming.Watcher of a service. It says itself what goes wrong, as most
// of that concerns all services alike, and returns only when ctx has ended.
func (n *Namer) watch(ctx context.Context, service string, set func(naming.State[weft.EndpointSet])) error {
	f := &follower{
		n: n, service: service, dir: n.keys + service + "/", set: set,
		known: map[string]*record{}, hosts: newHosts(n.opts.Resolve),
	}
	defer f.hosts.close()
	delay := n.opts.MinBackoff
	for ctx.Err() == nil {
		st, stale := n.link.now()
		if !st.well {
			if st.err != nil {
				f.fail(st.err)
			}
			select {
			case <-stale:
			case <-ctx.Done():
			}
			continue
		}
		f.heard = false
		err := f.follow(ctx, st)
		if f.heard {
			delay = n.opts.MinBackoff
		}
		if err == nil || ctx.Err() != nil {
			continue // the session has ended
		}
		if !errors.Is(err, errAgain) {
			f.trouble(st.s, err)
		} else if f.heard {
			continue
		}
		pause(ctx, jittered(delay))
		delay = min(2*delay, n.opts.MaxBackoff)
	}
	return nil
}

// follower is what the watch of a service knows.
type follower struct {
	n       *Namer
	service string
	dir     string // what its keys begin with
	set     func(naming.State[weft.EndpointSet])

	epoch    int64
	revision int64 // what is known is the state at that revision; 0: nothing is
	known    map[string]*record
	hosts    *hosts

	published bool
	heard     bool   // the present watch has brought news
	said      string // the last trouble of this service alone that was logged
}

// record is what is known of a key.
type record struct {
	modified int64 // the revision of its value
	usable   bool  // there was a value that could be read
	in       instance
	bad      error // why the present value cannot be read
}

// follow brings the service up to date and keeps it so. Nil says that the session
// has ended.
func (f *follower) follow(ctx context.Context, st linkState) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(st.s.ctx, cancel)()
	// Without a leader there is no news: better to know.
	ctx = clientv3.WithRequireLeader(ctx)
	if f.revision == 0 || f.epoch != st.epoch {
		if err := f.list(ctx, st); err != nil {
			return ended(ctx, err)
		}
	}
	news, begun, wait := clientv3.WatchChan(nil), make(chan clientv3.WatchChan, 1), sync.WaitGroup{}
	defer wait.Wait()
	defer cancel()
	from, to := everything(f.dir)
	next := f.revision + 1
	wait.Go(func() {
		// It returns when etcd has begun the watch, which may take an outage.
		begun <- st.s.client.Watch(ctx, from, clientv3.WithRange(to), clientv3.WithRev(next),
			clientv3.WithCreatedNotify(), clientv3.WithProgressNotify())
	})
	resync := f.resync()
	defer resync.Stop()
	now := st
	for {
		last := now
		var stale <-chan struct{}
		now, stale = f.n.link.now()
		switch {
		case now.s != st.s:
			return nil
		case now.epoch != f.epoch:
			return errAgain
		case now.well && !last.well:
			f.publish(ctx)
		case !now.well && now.err != nil && now != last:
			f.fail(now.err)
		}
		select {
		case news = <-begun:
		case r, ok := <-news:
			if err := f.take(r, ok); err != nil {
				return ended(ctx, err)
			}
			for more := true; more; { // as little as possible is published twice
				select {
				case r, ok := <-news:
					if err := f.take(r, ok); err != nil {
						return ended(ctx, err)
					}
				default:
					more = false
				}
			}
			f.publish(ctx)
		case <-f.hosts.changed:
			f.publish(ctx)
		case <-stale:
		case <-resync.C:
			f.revision = 0
			f.heard = true
			return errAgain
		case <-ctx.Done():
			return nil
		}
	}
}

// ended returns nil instead of what goes wrong because ctx has ended.
func ended(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}

// resync returns the timer of the next list of a healthy service.
func (f *follower) resync() *time.Timer {
	every := f.n.opts.Resync
	if every < 0 {
		t := time.NewTimer(0)
		t.Stop()
		return t
	}
	return time.NewTimer(every - rand.N(every/4+1))
}

// list reads all keys of the service.
func (f *follower) list(ctx context.Context, st linkState) error {
	ask, cancel := context.WithTimeout(ctx, 3*f.n.opts.Timeout) // there may be many keys
	defer cancel()
	from, to := everything(f.dir)
	resp, err := st.s.client.Get(ask, from, clientv3.WithRange(to))
	if err != nil {
		return err
	}
	before := f.known
	f.known = make(map[string]*record, len(resp.Kvs))
	for _, kv := range resp.Kvs {
		key := string(kv.Key)
		r := before[key]
		if r == nil {
			r = &record{}
		}
		f.known[key] = r
		if f.epoch != st.epoch || r.modified != kv.ModRevision {
			f.read(r, kv)
		}
	}
	f.epoch, f.revision = st.epoch, resp.Header.Revision
	f.n.link.note(f.epoch, f.revision)
	f.publish(ctx)
	return nil
}

// take applies what the watch brings.
func (f *follower) take(r clientv3.WatchResponse, ok bool) error {
	if !ok {
		return errors.New("the watch has ended")
	}
	err := r.Err()
	if errors.Is(err, rpctypes.ErrCompacted) {
		f.revision = 0 // what happened since is not to be had any more
		return errAgain
	}
	if err != nil {
		return err
	}
	f.heard, f.said = true, ""
	for _, e := range r.Events {
		key := string(e.Kv.Key)
		if e.Type == clientv3.EventTypeDelete {
			delete(f.known, key)
			continue
		}
		known := f.known[key]
		if known == nil {
			known = &record{}
			f.known[key] = known
		}
		f.read(known, e.Kv)
	}
	// The header has the revision of the store, which may be ahead of the events.
	if size := len(r.Events); size > 0 {
		f.revision = r.Events[size-1].Kv.ModRevision
	} else if r.IsProgressNotify() {
		f.revision = max(f.revision, r.Header.Revision)
	}
	f.n.link.note(f.epoch, f.revision)
	return nil
}

// read takes the value of a key. A value that cannot be read leaves the last one in
// force.
func (f *follower) read(r *record, kv *mvccpb.KeyValue) {
	in, err := parseInstance(kv.Value)
	if err == nil && in.at.Addr == "" && f.n.opts.Resolve == nil {
		err = fmt.Errorf("has host %q, which must be an IP address as nothing here resolves names", in.host)
	}
	r.modified, r.bad = kv.ModRevision, err
	if err == nil {
		r.in, r.usable = in, true
		return
	}
	f.n.malformed.Add(1)
	f.n.opts.Logger.Warn("etcd: the value of a key cannot be used", "key", string(kv.Key), "revision", kv.ModRevision, "err", err, "left out", !r.usable)
}

// publish reports what is known.
func (f *follower) publish(ctx context.Context) {
	if s, ok := f.hosts.combine(ctx, f.known, f.published); ok {
		f.published = true
		f.set(s.At(strconv.FormatInt(f.revision, 10)))
	}
}

// fail reports that there is no news.
func (f *follower) fail(err error) { f.set(naming.Failed[weft.EndpointSet](err)) }

// trouble reports what went wrong with this service.
func (f *follower) trouble(s *session, err error) {
	if outdated(err) {
		s.end(err) // the next one has a new token
		return
	}
	err = fmt.Errorf("etcd: keys below %q: %w", f.dir, err)
	f.fail(err)
	// What concerns all services is said once for all, by the link.
	if text := err.Error(); !away(err) && text != f.said {
		f.said = text
		f.n.opts.Logger.Warn("etcd: a service cannot be followed", "service", f.service, "err", err)
	}
}

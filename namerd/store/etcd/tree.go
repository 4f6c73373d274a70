package etcd

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/connectivity"

	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/naming"
)

// watchTree follows everything below the path prefix. It says itself what goes wrong,
// and returns only when ctx has ended.
func (s *Store) watchTree(ctx context.Context, _ everything, set func(naming.State[*view])) error {
	f := &follower{s: s, set: set}
	b := newDelay(s.opts)
	for ctx.Err() == nil {
		sess, release, err := s.link.acquire(ctx)
		if err == nil {
			f.heard = false
			err = f.follow(ctx, sess)
			release()
			if f.heard {
				b = newDelay(s.opts)
			}
			if errors.Is(err, errSilent) || outdated(err) {
				s.link.discard(sess)
			}
		}
		if ctx.Err() != nil {
			break
		}
		if err == nil || errors.Is(err, errAgain) {
			if f.heard {
				continue
			}
		} else if !outdated(err) {
			f.fail(err)
		}
		b.wait(ctx)
	}
	return ctx.Err()
}

// follower is what the watch of the tree knows.
type follower struct {
	s   *Store
	set func(naming.State[*view])

	epoch int
	view  *view // nil: everything is to be listed
	said  string
	heard bool // the present session has brought something
}

// follow brings the view up to date and keeps it so. Nil says that the session was
// replaced.
func (f *follower) follow(ctx context.Context, sess *session) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(sess.ctx, cancel)()
	if f.view == nil || f.epoch != f.s.link.progress().epoch {
		if err := f.list(ctx); err != nil {
			return unlessEnded(ctx, err)
		}
	}
	// Without a leader there is no news: better to know.
	ctx = clientv3.WithRequireLeader(ctx)
	var helpers sync.WaitGroup
	defer helpers.Wait()
	defer cancel()
	news, begun := clientv3.WatchChan(nil), make(chan clientv3.WatchChan, 1)
	next := f.view.revision + 1
	helpers.Go(func() {
		// It returns when etcd has begun the watch, which may take an outage.
		begun <- sess.client.Watch(ctx, f.s.dtabs, clientv3.WithPrefix(), clientv3.WithRev(next), clientv3.WithCreatedNotify())
	})
	every := time.NewTicker(f.s.opts.Probe / 2)
	defer every.Stop()
	heard, asked := time.Now(), time.Now() // as if for a sign of life
	for {
		select {
		case news = <-begun:
		case r, ok := <-news:
			heard, asked = time.Now(), time.Time{}
			if err := f.takeAll(ctx, r, ok, news); err != nil {
				return unlessEnded(ctx, err)
			}
		case <-every.C:
			switch {
			case f.epoch != f.s.link.progress().epoch:
				return errAgain
			case sess.client.ActiveConnection().GetState() != connectivity.Ready:
				f.fail(errAway) // the client goes on by itself when it can
			}
			switch {
			case !asked.IsZero() && time.Since(asked) > f.s.opts.Timeout:
				return errSilent
			case asked.IsZero() && news != nil && time.Since(heard) >= f.s.opts.Probe:
				asked = time.Now()
				helpers.Go(func() { _ = sess.client.RequestProgress(ctx) }) // no answer says it all
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// unlessEnded returns nil instead of what goes wrong because ctx has ended.
func unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}

// list reads everything.
func (f *follower) list(ctx context.Context) error {
	var resp *clientv3.GetResponse
	p, err := f.s.once(ctx, func(ctx context.Context, c *clientv3.Client) (_ *etcdserverpb.ResponseHeader, err error) {
		if resp, err = c.Get(ctx, f.s.dtabs, clientv3.WithPrefix()); err != nil {
			return nil, err
		}
		return resp.Header, nil
	})
	if err != nil {
		return err
	}
	at := resp.Header.Revision
	next := &view{revision: at, of: p.of(), listed: at, values: make(map[string]value, len(resp.Kvs)), gone: map[string]int64{}}
	for _, kv := range resp.Kvs {
		ns := strings.TrimPrefix(string(kv.Key), f.s.dtabs)
		if checkNamespace(ns) != nil {
			continue
		}
		var before naming.State[namerd.Stored]
		if f.view != nil {
			before = f.view.at(ns)
		}
		if err := next.put(ns, kv, before); f.view == nil || f.view.values[ns].modified != kv.ModRevision {
			f.bad(ns, err)
		}
	}
	f.epoch, f.view = p.epoch, next
	f.publish()
	return nil
}

// takeAll takes what the watch brings and what else has come meanwhile, so that as
// little as possible is published twice.
func (f *follower) takeAll(ctx context.Context, r clientv3.WatchResponse, ok bool, news clientv3.WatchChan) error {
	next := f.view.clone()
	for {
		if err := f.take(ctx, r, ok, next); err != nil {
			return err
		}
		select {
		case r, ok = <-news:
			continue
		default:
		}
		break
	}
	f.heard = true
	if next.revision != f.view.revision {
		f.view = next
	}
	f.publish()
	return nil
}

// take applies an answer of the watch to the next view.
func (f *follower) take(ctx context.Context, r clientv3.WatchResponse, ok bool, next *view) error {
	if !ok {
		return errors.New("the watch has ended")
	}
	if err := r.Err(); err != nil {
		if errors.Is(err, rpctypes.ErrCompacted) {
			f.heard, f.epoch = true, -1 // what happened since is not to be had any more
			return errAgain
		}
		return err
	}
	if r.Header.GetRevision() < f.view.revision && r.Header.GetRevision() > 0 {
		// A member that is behind, or data that is not what it was: the leader knows.
		if _, err := f.s.once(ctx, func(ctx context.Context, c *clientv3.Client) (*etcdserverpb.ResponseHeader, error) {
			resp, err := c.Get(ctx, f.s.dtabs, clientv3.WithPrefix(), clientv3.WithCountOnly())
			if err != nil {
				return nil, err
			}
			return resp.Header, nil
		}); err != nil {
			return err
		}
		if f.epoch != f.s.link.progress().epoch {
			return errAgain
		}
	}
	for _, e := range r.Events {
		next.revision = max(next.revision, e.Kv.ModRevision)
		ns := strings.TrimPrefix(string(e.Kv.Key), f.s.dtabs)
		switch {
		case checkNamespace(ns) != nil:
		case e.Type == clientv3.EventTypeDelete:
			next.remove(ns, e.Kv.ModRevision)
		default:
			f.bad(ns, next.put(ns, e.Kv, next.at(ns)))
		}
	}
	return nil
}

// bad says that a value cannot be used.
func (f *follower) bad(ns string, err error) {
	if err != nil {
		f.s.opts.Logger.Warn("etcd: a value is not a dtab, what was before it holds", "namespace", ns, "err", err)
	}
}

// publish reports what is known.
func (f *follower) publish() {
	if f.said != "" {
		f.said = ""
		f.s.opts.Logger.Info("etcd: is back", "endpoints", f.s.link.cfg.Endpoints)
	}
	f.set(naming.Ok(f.view).At(strconv.FormatInt(f.view.revision, 10)))
}

// fail reports that there is no news.
func (f *follower) fail(err error) {
	err = failed("", err)
	if kind := kindOf(err); kind != f.said {
		f.said = kind
		f.s.opts.Logger.Warn("etcd: "+kind, "endpoints", f.s.link.cfg.Endpoints, "err", err)
	}
	f.set(naming.Failed[*view](err))
}

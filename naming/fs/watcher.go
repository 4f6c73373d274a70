package fs

import (
	"cmp"
	"context"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/weft-mesh/weft"
)

const (
	// coalesce is how long the look after a notification waits for further ones.
	coalesce = 2 * time.Millisecond

	// blindPoll is how often a directory is looked at that cannot be watched.
	blindPoll = 250 * time.Millisecond
)

// parsed is what the content of a file amounts to.
type parsed[T any] struct {
	value  T
	usable bool  // value may be used
	err    error // what is wrong with the content, or with a part of it if usable
}

// watcher keeps a tree up to date with the files below root. One goroutine reads
// the directories; readers load the tree and ask for directories that it has not
// got yet.
type watcher[T any] struct {
	root  string // absolute
	only  string // the only file that matters; empty for all
	parse func(path string, data []byte) parsed[T]
	opts  Options // with defaults

	tree weft.Var[tree[T]]
	kick chan struct{} // there are new wants

	mu     sync.Mutex
	wants  map[string]bool
	begun  bool
	closed bool
	cancel context.CancelFunc
	wg     sync.WaitGroup

	// The goroutine's own.
	notify *notifier
	parent string // the real path of the directory that root is in
	scans  map[string]*dirScan[T]
}

func newWatcher[T any](root string, o Options, parse func(string, []byte) parsed[T]) *watcher[T] {
	return &watcher[T]{
		root:  root,
		parse: parse,
		opts:  o,
		kick:  make(chan struct{}, 1),
		wants: map[string]bool{},
		scans: map[string]*dirScan[T]{},
	}
}

// begin starts watching if that has not been done. It returns false after close.
func (w *watcher[T]) begin() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.begun || w.closed {
		return !w.closed
	}
	w.begun = true
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel = cancel
	w.wg.Go(func() {
		w.open()
		w.run(ctx)
	})
	return true
}

// want asks for a directory to be looked into. It does not block.
func (w *watcher[T]) want(rel string) {
	w.mu.Lock()
	w.wants[rel] = true
	w.mu.Unlock()
	select {
	case w.kick <- struct{}{}:
	default: // the goroutine has been told and has not looked yet
	}
}

// close ends the watch and waits for it.
func (w *watcher[T]) close() {
	w.mu.Lock()
	w.closed = true
	if w.cancel != nil {
		w.cancel()
	}
	w.mu.Unlock()
	w.wg.Wait()
}

// open looks at the root for the first time.
func (w *watcher[T]) open() {
	if w.notify != nil {
		return
	}
	w.notify = newNotifier(w.opts.Logger)
	w.add("")
	w.scanDue(time.Now())
}

// run follows the changes until ctx ends.
func (w *watcher[T]) run(ctx context.Context) {
	defer w.notify.close() //nolint:errcheck // there is nobody to tell
	poll := time.NewTicker(w.opts.Poll)
	defer poll.Stop()
	timer := time.NewTimer(0)
	defer timer.Stop()
	soon := time.Time{} // when to look because of a notification; zero for never
	for {
		timer.Reset(w.untilNext(soon))
		select {
		case <-ctx.Done():
			return
		case e := <-w.notify.events():
			if w.note(e) && soon.IsZero() {
				soon = time.Now().Add(coalesce)
			}
			continue
		case err := <-w.notify.errors():
			w.opts.Logger.Warn("file notifications were lost", "err", err)
			w.noteAll()
		case <-poll.C:
			w.noteAll()
		case <-w.kick:
			w.takeWants()
		case <-timer.C:
			soon = time.Time{}
		}
		w.scanDue(time.Now())
	}
}

// untilNext returns the time until the next look that is due.
func (w *watcher[T]) untilNext(soon time.Time) time.Duration {
	next := soon
	for _, d := range w.scans {
		if !d.next.IsZero() && (next.IsZero() || d.next.Before(next)) {
			next = d.next
		}
	}
	if next.IsZero() {
		return time.Hour // the poll comes first
	}
	return max(time.Until(next), 0)
}

// note marks what a notification is about and reports whether there is such.
func (w *watcher[T]) note(e fsnotify.Event) bool {
	dir, name := filepath.Split(e.Name)
	dir = filepath.Clean(dir)
	structural := e.Has(fsnotify.Create) || e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename)
	if e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename) {
		w.notify.forget(e.Name)
	}
	if dir == w.parent && name == filepath.Base(w.root) {
		w.noteAll()
		return true
	}
	relevant := false
	for _, d := range w.scans {
		switch d.realPath {
		case dir:
			d.touch(name)
			relevant = true
			if structural {
				// A link may have been turned that directories further down are reached through.
				w.noteBelow(d)
			}
		case e.Name:
			d.dirty, relevant = true, true
		}
	}
	return relevant
}

func (w *watcher[T]) noteBelow(d *dirScan[T]) {
	for rel, sub := range w.scans {
		if sub != d && (d.rel == "" || strings.HasPrefix(rel, d.rel+"/")) {
			sub.dirty = true
		}
	}
}

func (w *watcher[T]) noteAll() {
	for _, d := range w.scans {
		d.dirty = true
	}
}

// add makes the directory one that is looked at.
func (w *watcher[T]) add(rel string) {
	if w.scans[rel] != nil {
		return
	}
	w.scans[rel] = &dirScan[T]{
		rel:   rel,
		abs:   filepath.Join(w.root, filepath.FromSlash(rel)),
		files: map[string]*fileScan[T]{},
		subs:  map[string]time.Time{},
		dirty: true,
	}
}

// takeWants adds the directories that readers have asked for. Those that are not
// there any more need no answer: the tree without them is one.
func (w *watcher[T]) takeWants() {
	w.mu.Lock()
	wants := w.wants
	w.wants = map[string]bool{}
	w.mu.Unlock()
	for rel := range wants {
		d := w.scans[above(rel)]
		if d == nil {
			continue
		}
		if _, ok := d.subs[path.Base(rel)]; ok {
			w.add(rel)
		}
	}
}

// scanDue looks at the directories that are marked or whose time has come, from
// the root downwards, and publishes the tree if it is another one.
func (w *watcher[T]) scanDue(now time.Time) {
	w.parent, _ = w.notify.ensure(filepath.Dir(w.root)) // tells when the root comes back
	due := slices.SortedFunc(maps.Values(w.scans), func(a, b *dirScan[T]) int { return cmp.Compare(a.rel, b.rel) })
	changed, before := map[string]bool{}, len(w.scans)
	for _, d := range due {
		if w.scans[d.rel] != d || !d.dirty && (d.next.IsZero() || d.next.After(now)) {
			continue
		}
		if w.isCutOff(d.rel) {
			// The directory above cannot be read. Once it can, all below are looked at.
			d.dirty, d.next = true, now.Add(blindPoll)
			continue
		}
		if w.scan(d, now) {
			changed[d.rel] = true
		}
	}
	if len(changed) > 0 || len(w.scans) != before {
		w.publishTree(changed)
	}
	if w.notify.w != nil {
		keep := map[string]bool{w.parent: true}
		for _, d := range w.scans {
			keep[d.realPath] = true
		}
		w.notify.retain(keep)
	}
}

// isCutOff reports whether a directory above rel could not be read.
func (w *watcher[T]) isCutOff(rel string) bool {
	for rel != "" {
		rel = above(rel)
		if d := w.scans[rel]; d != nil && d.err != nil {
			return true
		}
	}
	return false
}

// publishTree publishes the tree with the given directories as they are now.
func (w *watcher[T]) publishTree(changed map[string]bool) {
	old, _ := w.tree.Load()
	next := tree[T]{dirs: make(map[string]*dir[T], len(w.scans))}
	for rel, s := range w.scans {
		d := old.dirs[rel]
		if changed[rel] || d == nil && (s.known || s.err != nil) {
			d = s.snapshot()
		}
		if d != nil {
			next.dirs[rel] = d
		}
	}
	w.tree.Store(next)
}

// snapshot returns what readers see of a directory.
func (d *dirScan[T]) snapshot() *dir[T] {
	s := &dir[T]{known: d.known, err: d.err, files: map[string]*file[T]{}, subs: map[string]bool{}}
	for name, f := range d.files {
		if f.listed {
			s.files[name] = f.file
		}
	}
	for name := range d.subs {
		s.subs[name] = true
	}
	return s
}

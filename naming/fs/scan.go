package fs

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/weft-mesh/weft/naming"
)

// dirScan is what the watcher's goroutine remembers of a directory.
type dirScan[T any] struct {
	rel, abs string
	realPath string

	known bool
	err   error
	files map[string]*fileScan[T]
	subs  map[string]time.Time // since when it has been missing; zero if it is there

	dirty   bool
	touched map[string]bool // files that must be read whatever their times say
	next    time.Time       // when to look again in any case; zero for never
}

// fileScan is what it remembers of a file.
type fileScan[T any] struct {
	*file[T]
	settler settler
	listed  bool        // readers see it
	info    fs.FileInfo // when it was read
	readAt  time.Time
}

// touch notes that a name must be looked at again.
func (d *dirScan[T]) touch(name string) {
	d.dirty = true
	if d.touched == nil {
		d.touched = map[string]bool{}
	}
	d.touched[name] = true
}

// wake asks for another look after wait, unless one is due before.
func (d *dirScan[T]) wake(now time.Time, wait time.Duration) {
	if at := now.Add(wait); wait > 0 && (d.next.IsZero() || at.Before(d.next)) {
		d.next = at
	}
}

// scan looks at a directory and its files and reports whether other files or
// directories are to be seen than before.
func (w *watcher[T]) scan(d *dirScan[T], now time.Time) (changed bool) {
	touched := d.touched
	d.dirty, d.touched, d.next = false, nil, time.Time{}
	var watched bool
	// Watched before it is listed: what changes in between is then seen twice and
	// not missed.
	if d.realPath, watched = w.notify.ensure(d.abs); !watched {
		d.wake(now, blindPoll)
	}
	entries, err := os.ReadDir(d.abs)
	if err != nil {
		d.touched = touched
		if d.err == nil || d.err.Error() != err.Error() {
			w.opts.Logger.Warn("directory cannot be read", "dir", d.abs, "err", err)
			changed = true
		}
		d.err = err
		d.wake(now, blindPoll)
		return changed
	}
	first := !d.known
	changed = first || d.err != nil
	d.known, d.err = true, nil

	files, subs := map[string]bool{}, map[string]bool{}
	for _, e := range entries {
		name := e.Name()
		if w.only != "" && name != w.only {
			continue
		}
		path := filepath.Join(d.abs, name)
		info, err := os.Stat(path)
		switch {
		case err != nil: // a dangling link is not there
		case info.Mode().IsRegular():
			files[name] = true
			if w.scanFile(d, name, info, now, first, touched[name]) {
				changed = true
			}
		case info.IsDir() && (e.Type()&fs.ModeSymlink == 0 || !w.isLoop(d, path)):
			subs[name] = true
			if _, ok := d.subs[name]; !ok {
				changed = true
			}
			d.subs[name] = time.Time{}
		}
	}
	for name, f := range d.files {
		if !files[name] && w.missFile(d, name, f, now, touched[name]) {
			changed = true
		}
	}
	for name, since := range d.subs {
		if !subs[name] && w.missDir(d, name, since, now) {
			changed = true
		}
	}
	return changed
}

// scanFile reads a file if it may have changed and reports whether it is new to
// the readers.
func (w *watcher[T]) scanFile(d *dirScan[T], name string, info fs.FileInfo, now time.Time, first, touched bool) bool {
	f := d.files[name]
	if f == nil {
		f = &fileScan[T]{file: &file[T]{path: filepath.Join(d.abs, name)}, listed: first}
		f.settler.quiet, f.settler.patience = w.opts.Quiet, w.opts.Patience
		d.files[name] = f
	}
	if !touched && !f.settler.unsettled && f.unchanged(info) {
		return false
	}
	r := read(f.path)
	f.info, f.readAt = info, now
	var p parsed[T]
	if !r.absent && r.err == nil {
		p = w.parse(f.path, r.data)
	}
	believe, wait := f.settler.observe(now, r, r.unfinished() || p.err != nil, touched)
	d.wake(now, wait)
	if !believe {
		return false
	}
	if r.absent {
		return w.removed(d, name, f) // it went after it was listed
	}
	if r.err != nil {
		p = parsed[T]{err: r.err}
	}
	w.publish(f.file, p)
	if f.listed {
		return false
	}
	// Files that come and go while another one is replaced are not shown before they
	// have settled.
	f.listed = true
	return true
}

// unchanged reports whether the file with this info must be the one that was
// read. Clocks of file systems tick every few milliseconds, so a file that was
// read soon after it was modified may have been modified again since.
func (f *fileScan[T]) unchanged(info fs.FileInfo) bool {
	return f.info != nil && os.SameFile(f.info, info) && f.info.Size() == info.Size() &&
		f.info.ModTime().Equal(info.ModTime()) && f.readAt.Sub(info.ModTime()) > 20*time.Millisecond
}

// missFile notes that a known file is not there and reports whether the readers
// are to see that.
func (w *watcher[T]) missFile(d *dirScan[T], name string, f *fileScan[T], now time.Time, touched bool) bool {
	f.info = nil
	believe, wait := f.settler.observe(now, reading{absent: true}, true, touched)
	d.wake(now, wait)
	return (believe || !f.listed) && w.removed(d, name, f)
}

func (w *watcher[T]) removed(d *dirScan[T], name string, f *fileScan[T]) bool {
	delete(d.files, name)
	return f.listed
}

// missDir notes that a known directory is not there and reports whether the
// readers are to see that.
func (w *watcher[T]) missDir(d *dirScan[T], name string, since, now time.Time) bool {
	if since.IsZero() {
		d.subs[name] = now
		d.wake(now, w.opts.Patience)
		return false
	}
	if left := w.opts.Patience - now.Sub(since); left > 0 {
		d.wake(now, left)
		return false
	}
	delete(d.subs, name)
	gone := join(d.rel, name)
	for rel := range w.scans {
		if rel == gone || strings.HasPrefix(rel, gone+"/") {
			delete(w.scans, rel)
		}
	}
	return true
}

// isLoop reports whether the directory that the link at path leads to is d or
// one on the way to d.
func (w *watcher[T]) isLoop(d *dirScan[T], path string) bool {
	realPath, err := filepath.EvalSymlinks(path)
	if err != nil {
		return true
	}
	for rel := d.rel; ; rel = above(rel) {
		if on := w.scans[rel]; on != nil && on.realPath == realPath {
			return true
		}
		if rel == "" {
			return false
		}
	}
}

// publish makes p the state of f. What cannot be used leaves the last good value
// in force.
func (w *watcher[T]) publish(f *file[T], p parsed[T]) {
	if p.err != nil {
		w.opts.Logger.Warn("bad content of file", "file", f.path, "err", p.err)
	} else {
		w.opts.Logger.Debug("file read", "file", f.path)
	}
	if p.usable {
		f.state.Store(naming.State[T]{Value: p.value, Known: true, Err: p.err})
		return
	}
	s, _ := f.state.Load()
	s.Err = p.err
	f.state.Store(s)
}

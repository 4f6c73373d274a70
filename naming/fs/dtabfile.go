package fs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// ErrGone is in the chain of the error of a dtab file that is not there any more.
var ErrGone = errors.New("the file is gone")

// DtabFile is the dtab in a file, for the Stored of an interpreter. Content that
// is not a dtab, and the removal of the file, leave the last good one in force,
// marked stale. A file that has never been there is pending. It is safe for
// concurrent use. Close it.
type DtabFile struct {
	w      *watcher[dtab.Dtab]
	name   string
	out    weft.Var[naming.State[dtab.Dtab]]
	cancel context.CancelFunc
	done   chan struct{}

	mu     sync.Mutex
	status naming.WatchStatus
}

// NewDtabFile watches the file. Unless its content looks unfinished, it has been
// read when NewDtabFile returns.
func NewDtabFile(path string, o Options) (*DtabFile, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("fs: dtabFile: %w", err)
	}
	info, err := os.Stat(abs)
	absent := errors.Is(err, os.ErrNotExist) && o.MayBeAbsent
	if path == "" || !absent && (err != nil || !info.Mode().IsRegular()) {
		return nil, fmt.Errorf("fs: dtabFile: %q is not a file", path)
	}
	f := &DtabFile{
		w:    newWatcher(filepath.Dir(abs), o.withDefaults(), parseDtab),
		name: filepath.Base(abs),
		done: make(chan struct{}),

		status: naming.WatchStatus{Watching: abs, Since: time.Now()},
	}
	f.w.only = f.name
	f.w.open()
	f.w.begin()
	ctx, cancel := context.WithCancel(context.Background())
	f.cancel = cancel
	signals := f.read()
	go func() {
		defer close(f.done)
		for naming.Any(ctx, signals) == nil {
			signals = f.read()
		}
	}()
	return f, nil
}

// Load implements weft.Source.
func (f *DtabFile) Load() (naming.State[dtab.Dtab], <-chan struct{}) { return f.out.Load() }

// Close ends the watch and waits for it. The value stands still.
func (f *DtabFile) Close() error {
	f.cancel()
	<-f.done
	f.w.close()
	return nil
}

// read publishes what the watcher knows of the file, and returns what to wait for.
func (f *DtabFile) read() []<-chan struct{} {
	t, stale := f.w.tree.Load()
	signals := []<-chan struct{}{stale}
	out := t.walk([]string{f.name})
	last, _ := f.out.Load()
	next := last
	switch {
	case out.file != nil:
		var changed <-chan struct{}
		next, changed = out.file.state.Load()
		signals = append(signals, changed)
		if next.Pending() && last.Known {
			next = last // it is back, and not read yet
		}
		if !next.Known {
			next.Value, next.Known = last.Value, last.Known
		}
		if out.err != nil {
			next.Err = fmt.Errorf("fs: %w", out.err)
		}
	case out.err != nil && (last.Known || !errors.Is(out.err, os.ErrNotExist)):
		next.Err = fmt.Errorf("fs: %w", out.err)
	case last.Known:
		next.Err = fmt.Errorf("fs: %s: %w", filepath.Join(f.w.root, f.name), ErrGone)
	default:
		next.Err = nil
	}
	if next.Known != last.Known || !sameText(next.Err, last.Err) || !next.Value.Equal(last.Value) {
		f.out.Store(next)
		f.note(next)
	}
	return signals
}

// note keeps the status.
func (f *DtabFile) note(s naming.State[dtab.Dtab]) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	st := &f.status
	if s.Err != nil {
		if st.Err == nil {
			st.ErrSince = now
		}
		st.Err = s.Err
		st.Failures++
		return
	}
	st.Err, st.ErrSince = nil, time.Time{}
	if s.Known {
		st.Known, st.Updated, st.Answer = true, now, fmt.Sprintf("%d rules", len(s.Value))
		st.Updates++
	}
}

// Watches implements naming.Reporter.
func (f *DtabFile) Watches() []naming.WatchStatus {
	f.mu.Lock()
	defer f.mu.Unlock()
	return []naming.WatchStatus{f.status}
}

func sameText(a, b error) bool {
	return (a == nil) == (b == nil) && (a == nil || a.Error() == b.Error())
}

func parseDtab(path string, data []byte) parsed[dtab.Dtab] {
	d, err := dtab.Parse(string(data))
	if err != nil {
		return parsed[dtab.Dtab]{err: fmt.Errorf("fs: %s: %w", path, err)}
	}
	return parsed[dtab.Dtab]{value: d, usable: true}
}

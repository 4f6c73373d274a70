package zk

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/weft-mesh/weft/naming"
)

// faults tells what is wrong with names and znodes, each thing once.
type faults struct {
	logger *slog.Logger
	bad    atomic.Uint64 // malformed versions of znodes

	mu   sync.Mutex
	said map[string]string // by what is watched
}

func newFaults(l *slog.Logger) *faults { return &faults{logger: l, said: map[string]string{}} }

// malformed reports a version of a znode that cannot be understood.
func (f *faults) malformed(path string, zxid int64, err error) {
	f.bad.Add(1)
	f.logger.Warn("malformed znode left out", "path", path, "zxid", zxid, "err", err)
}

// failed reports that something cannot be watched, unless that was the last report
// about it.
func (f *faults) failed(what string, err error) {
	f.mu.Lock()
	repeated := f.said[what] == err.Error()
	f.said[what] = err.Error()
	f.mu.Unlock()
	if !repeated {
		f.logger.Warn("cannot read, will try again", "name", what, "err", err)
	}
}

// well takes back failed.
func (f *faults) well(what string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.said, what)
}

// watch is w with its failures reported once each, but for sessions that are lost,
// which are reported as such.
func watch[K comparable, T any](f *faults, name func(K) string, w naming.WatchFunc[K, T]) naming.WatchFunc[K, T] {
	return func(ctx context.Context, key K, set func(naming.State[T])) error {
		what := name(key)
		note := func(err error) {
			switch {
			case err == nil:
				f.well(what)
			case ctx.Err() == nil && !connectionLost(err):
				f.failed(what, err)
			}
		}
		err := w(ctx, key, func(s naming.State[T]) {
			note(s.Err)
			set(s)
		})
		if err != nil {
			note(err)
		}
		if ctx.Err() != nil {
			f.well(what)
		}
		return err
	}
}

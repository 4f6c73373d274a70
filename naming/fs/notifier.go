package fs

import (
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/fsnotify/fsnotify"
)

// notifier reports changes in directories. It works on real paths, as the
// operating system tells directories apart, not the ways to them. Where it cannot
// watch, it says so, and whoever uses it polls. It is used by one goroutine.
type notifier struct {
	w      *fsnotify.Watcher      // nil if there are no notifications at all
	dirs   map[string]fs.FileInfo // the watched ones, by real path
	logger *slog.Logger
}

func newNotifier(logger *slog.Logger) *notifier {
	n := &notifier{dirs: map[string]fs.FileInfo{}, logger: logger}
	w, err := fsnotify.NewWatcher()
	if err != nil {
		logger.Warn("no file notifications, polling instead", "err", err)
		return n
	}
	n.w = w
	return n
}

// events and errors are nil channels when there are no notifications.
func (n *notifier) events() <-chan fsnotify.Event {
	if n.w == nil {
		return nil
	}
	return n.w.Events
}

func (n *notifier) errors() <-chan error {
	if n.w == nil {
		return nil
	}
	return n.w.Errors
}

// ensure makes sure that dir is watched and not one that was there before, and
// returns its real path.
func (n *notifier) ensure(dir string) (realPath string, watched bool) {
	realPath, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return dir, false
	}
	info, err := os.Stat(realPath)
	if err != nil || n.w == nil {
		return realPath, false
	}
	if old, ok := n.dirs[realPath]; ok {
		if os.SameFile(old, info) {
			return realPath, true
		}
		n.drop(realPath)
	}
	if err := n.w.Add(realPath); err != nil {
		n.logger.Warn("directory cannot be watched, polling instead", "dir", realPath, "err", err)
		return realPath, false
	}
	n.dirs[realPath] = info
	return realPath, true
}

// drop ends the watch of a real path. The error says that it had ended already.
func (n *notifier) drop(realPath string) {
	delete(n.dirs, realPath)
	_ = n.w.Remove(realPath)
}

// retain ends the watches of all directories but those.
func (n *notifier) retain(keep map[string]bool) {
	for d := range n.dirs {
		if !keep[d] {
			n.drop(d)
		}
	}
}

// forget notes that a watched directory itself has been moved or removed, after
// which its watch is void. Its inode may come back in the next directory of the
// same name, so comparing inodes would not do.
func (n *notifier) forget(realPath string) {
	if _, ok := n.dirs[realPath]; ok {
		n.drop(realPath)
	}
}

func (n *notifier) close() error {
	if n.w == nil {
		return nil
	}
	return n.w.Close()
}

package accesslog

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/weft-mesh/weft/proxy/config"
)

// Options say how a Log treats its file. Roll is when a new file is begun.
type Options struct {
	Roll config.RollPolicy
	// Append continues an existing file; otherwise it is emptied.
	Append bool
	// Keep is how many rolled files are kept; negative keeps all.
	Keep int
}

// Log is an access log. It is safe for concurrent use.
type Log struct {
	path string
	opts Options

	mu   sync.Mutex
	file *os.File
	size int64
	next time.Time // when to roll; zero: not by time
}

// Open opens the log, and makes the directory it is in if need be.
func Open(path string, opts Options) (*Log, error) {
	l := &Log{path: path, opts: opts}
	if err := l.open(opts.Append); err != nil {
		return nil, err
	}
	return l, nil
}

func (l *Log) open(appending bool) error {
	if err := os.MkdirAll(filepath.Dir(l.path), 0o755); err != nil {
		return fmt.Errorf("accesslog: %w", err)
	}
	flags := os.O_CREATE | os.O_WRONLY | os.O_APPEND
	if !appending {
		flags |= os.O_TRUNC
	}
	f, err := os.OpenFile(l.path, flags, 0o644)
	if err != nil {
		return fmt.Errorf("accesslog: %w", err)
	}
	l.file, l.size = f, 0
	if info, err := f.Stat(); err == nil {
		l.size = info.Size()
	}
	l.next = nextRoll(l.opts.Roll, time.Now())
	return nil
}

// Record writes the line of an exchange that has just ended. A line that cannot be
// written is lost: requests do not fail because of their log.
func (l *Log) Record(req *http.Request, resp *http.Response) {
	now := time.Now()
	line := Line(req, resp, now) + "\n"
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.due(now, len(line)) {
		_ = l.roll(now) // the old file goes on if there can be no new one
	}
	if l.file == nil {
		return
	}
	n, _ := l.file.WriteString(line)
	l.size += int64(n)
}

func (l *Log) due(now time.Time, more int) bool {
	if l.opts.Roll.When == config.RollSize {
		return l.size > 0 && l.size+int64(more) > l.opts.Roll.Size
	}
	return !l.next.IsZero() && !now.Before(l.next)
}

// roll renames the file after the time at which it was rolled and begins a new
// one.
func (l *Log) roll(now time.Time) error {
	if l.file == nil {
		return os.ErrClosed
	}
	l.next = nextRoll(l.opts.Roll, now)
	ext := filepath.Ext(l.path)
	name := strings.TrimSuffix(l.path, ext) + "-" + now.Format("20060102-150405") + ext
	for i := 1; ; i++ {
		if _, err := os.Stat(name); errors.Is(err, os.ErrNotExist) {
			break
		}
		name = fmt.Sprintf("%s-%s.%d%s", strings.TrimSuffix(l.path, ext), now.Format("20060102-150405"), i, ext)
	}
	if err := os.Rename(l.path, name); err != nil {
		return err
	}
	old := l.file
	if err := l.open(true); err != nil {
		l.file = old
		return err
	}
	_ = old.Close() // what was written has been written
	l.prune()
	return nil
}

// prune removes the oldest rolled files beyond those to keep.
func (l *Log) prune() {
	if l.opts.Keep < 0 {
		return
	}
	ext := filepath.Ext(l.path)
	rolled, err := filepath.Glob(strings.TrimSuffix(l.path, ext) + "-[0-9]*" + ext)
	if err != nil || len(rolled) <= l.opts.Keep {
		return
	}
	slices.Sort(rolled)
	for _, f := range rolled[:len(rolled)-l.opts.Keep] {
		_ = os.Remove(f) // it is tried again the next time
	}
}

// Reopen opens the file anew, for log rotation by others: it is what SIGHUP asks
// for.
func (l *Log) Reopen() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.file
	if old == nil {
		return nil
	}
	if err := l.open(true); err != nil {
		l.file = old
		return err
	}
	return old.Close()
}

// Close closes the file.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file = nil
	return err
}

// nextRoll returns when a file that is opened at now is rolled by time.
func nextRoll(p config.RollPolicy, now time.Time) time.Time {
	day := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	switch p.When {
	case config.RollHourly:
		return day.Add(time.Duration(now.Hour()+1) * time.Hour)
	case config.RollDaily:
		return day.AddDate(0, 0, 1)
	case config.RollWeekly:
		until := (p.Weekday - 1 - int(now.Weekday()) + 7) % 7
		if until == 0 {
			until = 7
		}
		return day.AddDate(0, 0, until)
	default:
		return time.Time{}
	}
}

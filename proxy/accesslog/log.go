package accesslog

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
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
	// JSON has every line be a JSON object.
	JSON bool
}

// OptionsOf returns the Options that the keys of a configuration mean: what is nil
// was not given. The format is text or json.
func OptionsOf(roll *config.RollPolicy, appending *bool, rotate *int, format *string) Options {
	o := Options{Append: appending == nil || *appending, Keep: -1, JSON: format != nil && *format == "json"}
	if roll != nil {
		o.Roll = *roll
	}
	if rotate != nil {
		o.Keep = *rotate
	}
	return o
}

// Log is an access log. It is safe for concurrent use.
type Log struct {
	path string
	opts Options

	mu     sync.Mutex
	file   *os.File
	opened bool // the file has been open before
	closed bool
	size   int64
	next   time.Time // when to roll; zero: not by time
}

// New returns a log that opens its file when it is first needed, or by Open. It
// touches no file: whoever only asks what a configuration means must not empty the
// log of the proxy that is running with it.
func New(path string, opts Options) *Log { return &Log{path: path, opts: opts} }

// Open opens the file, and makes the directory it is in if need be. If it is open
// already nothing happens.
func (l *Log) Open() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ready()
}

// ready opens the file if it is not open.
func (l *Log) ready() error {
	if l.closed {
		return fmt.Errorf("accesslog: %s: %w", l.path, os.ErrClosed)
	}
	if l.file != nil {
		return nil
	}
	return l.open(l.opts.Append || l.opened)
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
	l.file, l.size, l.opened = f, 0, true
	if info, err := f.Stat(); err == nil {
		l.size = info.Size()
	}
	l.next = nextRoll(l.opts.Roll, time.Now())
	return nil
}

// Record writes the line of an exchange that has just ended. A line that cannot be
// written is lost: requests do not fail because of their log.
func (l *Log) Record(e Entry) {
	now := time.Now()
	if l.opts.JSON {
		l.write(JSON(&e, now)+"\n", now)
		return
	}
	l.write(Line(&e, now)+"\n", now)
}

func (l *Log) write(line string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ready() != nil {
		return
	}
	if l.due(now, len(line)) {
		_ = l.roll(now) // the old file goes on if there can be no new one
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
	l.next = nextRoll(l.opts.Roll, now)
	stem, ext := l.split()
	stem += "-" + now.Format(rolledFormat)
	name := stem + ext
	// Several in a second are numbered, after those that are still there.
	for _, f := range l.rolled() {
		if f.at == now.Format(rolledFormat) {
			name = fmt.Sprintf("%s.%d%s", stem, f.n+1, ext)
		}
	}
	// Somebody may have taken the file away; then there is nothing to rename.
	if err := os.Rename(l.path, name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	old := l.file
	if err := l.open(true); err != nil {
		return err // and old goes on
	}
	_ = old.Close() // what was written has been written
	l.prune()
	return nil
}

const rolledFormat = "20060102-150405"

// split returns the path before and from its extension.
func (l *Log) split() (stem, ext string) {
	ext = filepath.Ext(l.path)
	return strings.TrimSuffix(l.path, ext), ext
}

// prune removes the oldest rolled files beyond those to keep.
func (l *Log) prune() {
	if l.opts.Keep < 0 {
		return
	}
	rolled := l.rolled()
	for _, f := range rolled[:max(0, len(rolled)-l.opts.Keep)] {
		_ = os.Remove(f.path) // it is tried again the next time
	}
}

// rolledFile is a file that was rolled: when, and as which of that second.
type rolledFile struct {
	path, at string
	n        int
}

// rolled returns the rolled files of this log, oldest first. The names are looked
// at closely, so that access.log does not take access-2.log for one of its own.
func (l *Log) rolled() []rolledFile {
	stem, ext := l.split()
	entries, err := os.ReadDir(filepath.Dir(l.path))
	if err != nil {
		return nil
	}
	var files []rolledFile
	for _, e := range entries {
		middle, mine := strings.CutPrefix(e.Name(), filepath.Base(stem)+"-")
		middle, same := strings.CutSuffix(middle, ext)
		if !mine || !same {
			continue
		}
		at, number, numbered := strings.Cut(middle, ".")
		n, bad := strconv.Atoi(number)
		if _, err := time.Parse(rolledFormat, at); err != nil || numbered && bad != nil {
			continue
		}
		files = append(files, rolledFile{filepath.Join(filepath.Dir(l.path), e.Name()), at, n})
	}
	slices.SortFunc(files, func(a, b rolledFile) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.n, b.n)) })
	return files
}

// Reopen opens the file anew, for log rotation by others: it is what SIGHUP asks
// for. A file that is not open stays so.
func (l *Log) Reopen() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.file
	if old == nil {
		return nil
	}
	if err := l.open(true); err != nil {
		return err // and old goes on
	}
	return old.Close()
}

// Close closes the file. Lines that come later are lost.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file = nil
	return err
}

// nextRoll returns when a file that is opened at now is rolled by time: at the full
// hour or at midnight, local time.
func nextRoll(p config.RollPolicy, now time.Time) time.Time {
	midnight := func(days int) time.Time {
		return time.Date(now.Year(), now.Month(), now.Day()+days, 0, 0, 0, 0, now.Location())
	}
	switch p.When {
	case config.RollHourly:
		// By what is left of the hour, not by the hour of the day, which comes twice
		// when clocks are put back.
		into := time.Duration(now.Minute())*time.Minute + time.Duration(now.Second())*time.Second + time.Duration(now.Nanosecond())
		return now.Add(time.Hour - into)
	case config.RollDaily:
		return midnight(1)
	case config.RollWeekly:
		until := (p.Weekday - 1 - int(now.Weekday()) + 7) % 7
		if until == 0 {
			until = 7
		}
		return midnight(until)
	default:
		return time.Time{}
	}
}

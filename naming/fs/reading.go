package fs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// maxBytes is the size that a file may have.
const maxBytes = 500 * 1024

// ErrTooLarge is in the chain of the error of a file that has more than 512000
// bytes.
var ErrTooLarge = errors.New("must not have more than 512000 bytes")

// reading is what one look at a file showed: that there is none, that it cannot
// be read, or its content.
type reading struct {
	absent   bool
	err      error
	data     []byte
	modified time.Time // of the content; zero if unknown
	writing  bool      // a writer is known to have the file open
}

// read looks at a file.
func read(path string) reading {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return reading{absent: true}
	}
	if err != nil {
		return reading{err: fmt.Errorf("fs: %w", err)}
	}
	defer f.Close() //nolint:errcheck // nothing was written
	data, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return reading{err: fmt.Errorf("fs: %w", err)}
	}
	if len(data) > maxBytes {
		return reading{err: fmt.Errorf("fs: %s: %w", path, ErrTooLarge)}
	}
	// It is kept as long as the file: without the room that reading took.
	r := reading{data: bytes.Clone(data), writing: openForWriting(f)}
	// Taken after the content, so that a write in between makes it younger and not
	// older than it is.
	if info, err := f.Stat(); err == nil {
		r.modified = info.ModTime()
	}
	return r
}

// same reports whether two readings show the same.
func (r reading) same(q reading) bool {
	if r.absent != q.absent || (r.err == nil) != (q.err == nil) {
		return false
	}
	if r.err != nil {
		return r.err.Error() == q.err.Error()
	}
	return bytes.Equal(r.data, q.data)
}

// unfinished reports whether a writer may be in the middle of what r shows, as
// far as can be told without knowing what was there before.
func (r reading) unfinished() bool {
	return r.absent || r.err != nil || len(r.data) == 0 || r.data[len(r.data)-1] != '\n'
}

// begins reports whether r is the beginning of q.
func (r reading) begins(q reading) bool {
	return r.err == nil && len(r.data) < len(q.data) && bytes.HasPrefix(q.data, r.data)
}

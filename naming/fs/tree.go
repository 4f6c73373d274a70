package fs

import (
	"path/filepath"
	"strings"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

// tree is what is known of the directories at one time: which files there are.
// It is immutable; what the files hold changes below it. Directories are keyed by
// their path relative to the root, which is "".
type tree[T any] struct{ dirs map[string]*dir[T] }

// dir is a directory that has been looked into.
type dir[T any] struct {
	known bool // it could be read at some time
	err   error
	files map[string]*file[T]
	subs  map[string]bool
}

// file is the content of a file.
type file[T any] struct {
	path  string
	state weft.Var[naming.State[T]]
}

// outcome is where a walk through a tree ended.
type outcome[T any] struct {
	file    *file[T] // nil if there is none
	used    int      // the number of elements up to and with the file
	err     error    // of a directory on the way
	failed  bool     // err is of a directory that could never be read
	pending bool     // want has not been looked into yet
	want    string
}

// walk follows the names from the root. They are compared with the names that
// were listed and never made a path of the file system, so that ".." and names
// with slashes in them lead nowhere.
func (t tree[T]) walk(names []string) outcome[T] {
	at := ""
	var out outcome[T]
	for i, name := range names {
		d := t.dirs[at]
		if d == nil {
			return outcome[T]{pending: true, want: at}
		}
		if out.err == nil {
			out.err = d.err
		}
		if !d.known {
			out.failed = true
			return out
		}
		if f := d.files[name]; f != nil {
			out.file, out.used = f, i+1
			return out
		}
		if !d.subs[name] {
			return out
		}
		at = join(at, name)
	}
	return out
}

// join returns the key of a subdirectory.
func join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}

// above returns the key of the directory that rel is in; the root is in itself.
func above(rel string) string { return rel[:max(strings.LastIndexByte(rel, '/'), 0)] }

// splitPath returns the elements of a relative path of the file system.
func splitPath(rel string) []string { return strings.Split(filepath.ToSlash(rel), "/") }

package fs

import (
	"cmp"
	"errors"
	"path/filepath"
	"slices"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// Status is what a Namer knows, for the page that shows its state. It only tells
// of directories that names have led into.
type Status struct {
	RootDir string      `json:"rootDir"`
	Dirs    []DirStatus `json:"dirs"`
}

// DirStatus is a directory that is watched.
type DirStatus struct {
	Dir   string       `json:"dir"` // relative to the root, which is "."
	Err   string       `json:"error,omitempty"`
	Files []FileStatus `json:"files"`
}

// FileStatus is a file of endpoints.
type FileStatus struct {
	ID       dtab.Path `json:"id"`
	State    string    `json:"state"`              // pending, bound, stale (something is wrong) or failed
	Lines    int       `json:"lines"`              // how many are in force
	Err      string    `json:"error,omitempty"`    // what is wrong
	BadLines []BadLine `json:"badLines,omitempty"` // those left out
}

// Status returns the present state, sorted by name.
func (n *Namer) Status() Status {
	t, _ := n.w.tree.Load()
	s := Status{RootDir: n.w.root, Dirs: []DirStatus{}}
	for rel, d := range t.dirs {
		ds := DirStatus{Dir: filepath.Join(".", rel), Files: []FileStatus{}}
		if d.err != nil {
			ds.Err = d.err.Error()
		}
		for _, f := range d.files {
			ds.Files = append(ds.Files, n.fileStatus(f))
		}
		slices.SortFunc(ds.Files, func(a, b FileStatus) int { return cmp.Compare(a.ID.String(), b.ID.String()) })
		s.Dirs = append(s.Dirs, ds)
	}
	slices.SortFunc(s.Dirs, func(a, b DirStatus) int { return cmp.Compare(a.Dir, b.Dir) })
	return s
}

func (n *Namer) fileStatus(f *file[[]line]) FileStatus {
	content, _ := f.state.Load()
	s := FileStatus{ID: n.id(f.path), State: "pending", Lines: len(content.Value)}
	switch {
	case content.Known && content.Err == nil:
		s.State = "bound"
	case content.Known:
		s.State = "stale"
	case content.Err != nil:
		s.State = "failed"
	}
	if content.Err != nil {
		s.Err = content.Err.Error()
	}
	if lines, ok := errors.AsType[*LinesError](content.Err); ok {
		s.BadLines = lines.Bad
	}
	return s
}

// id returns the name of the file with that path.
func (n *Namer) id(path string) dtab.Path {
	rel, err := filepath.Rel(n.w.root, path)
	if err != nil {
		return n.prefix
	}
	id, err := n.prefix.Append(splitPath(rel)...)
	if err != nil {
		return n.prefix
	}
	return id
}

// State returns Status, for the admin page of the namer.
func (n *Namer) State() any { return n.Status() }

// Watches implements naming.Reporter: one watch for each name that is in use.
func (n *Namer) Watches() []naming.WatchStatus { return n.sets.Watches() }

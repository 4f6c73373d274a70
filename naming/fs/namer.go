package fs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// Namer answers for the files below a directory. It is safe for concurrent use.
// Close it.
type Namer struct {
	prefix dtab.Path
	opts   Options
	w      *watcher[[]line]
	sets   *naming.Shared[string, weft.EndpointSet] // by the path of the file, relative to the root
}

// New returns a Namer. It reads and watches nothing before the first Lookup.
func New(c Config, o Options) (*Namer, error) {
	root, err := checkRoot(c.RootDir, o.MayBeAbsent)
	if err != nil {
		return nil, err
	}
	if c.Prefix.IsEmpty() {
		c.Prefix = dtab.MustPath("/#/io.l5d.fs")
	}
	o = o.withDefaults()
	n := &Namer{prefix: c.Prefix, opts: o, w: newWatcher(root, o, parseLines(o.Resolve != nil))}
	n.sets = naming.NewShared(naming.FollowFunc[string, weft.EndpointSet](n.follow), naming.SharedOptions{Local: true, Logger: o.Logger})
	return n, nil
}

func checkRoot(dir string, mayBeAbsent bool) (string, error) {
	if dir == "" {
		return "", errors.New("fs: rootDir: is required")
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("fs: rootDir: %w", err)
	}
	info, err := os.Stat(abs)
	if mayBeAbsent && errors.Is(err, os.ErrNotExist) {
		return abs, nil
	}
	if err != nil || !info.IsDir() {
		return "", fmt.Errorf("fs: rootDir: %s is not a directory", dir)
	}
	return abs, nil
}

// Prefix returns the whole prefix of the namer's names.
func (n *Namer) Prefix() dtab.Path { return n.prefix }

// Close ends the watch and waits for it. What has been handed out stands still.
func (n *Namer) Close() error {
	err := n.sets.Close()
	n.w.close()
	return err
}

// Lookup implements naming.Namer. What it returns is kept up to date until Close,
// beyond ctx.
func (n *Namer) Lookup(_ context.Context, p dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
	if !n.w.begin() {
		return naming.AnswerErr(naming.ErrClosed)
	}
	names := p.Strings()
	return naming.Derive(&n.w.tree, func(t tree[[]line]) naming.State[dtab.Tree[naming.Name]] {
		out := t.walk(names)
		switch {
		case out.pending:
			n.w.want(out.want)
			return naming.State[dtab.Tree[naming.Name]]{}
		case out.failed:
			return naming.Failed[dtab.Tree[naming.Name]](fmt.Errorf("fs: %w", out.err))
		}
		s := naming.Ok(dtab.Tree[naming.Name]{})
		if out.err != nil {
			s.Err = fmt.Errorf("fs: %w", out.err)
		}
		if out.file != nil {
			key := strings.Join(names[:out.used], "/")
			s.Value = dtab.LeafOf(naming.Name{Bound: &naming.Bound{
				ID:       n.prefix.Concat(p.Take(out.used)),
				Residual: p.Drop(out.used),
				Addrs: func(ctx context.Context) weft.Source[naming.State[weft.EndpointSet]] {
					return n.sets.Observe(ctx, key)
				},
			}})
		}
		return s
	})
}

// Names returns the ids of the entries of the root directory, files and
// directories, sorted. It reads the directory.
func (n *Namer) Names() ([]dtab.Path, error) {
	entries, err := os.ReadDir(n.w.root)
	if err != nil {
		return nil, fmt.Errorf("fs: %w", err)
	}
	ids := make([]dtab.Path, 0, len(entries))
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "..") {
			continue // Kubernetes keeps the versions of a config map under such names
		}
		id, err := n.prefix.Append(e.Name())
		if err != nil {
			return nil, fmt.Errorf("fs: %w", err)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

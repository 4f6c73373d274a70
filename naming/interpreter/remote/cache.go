package remote

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

const (
	cacheFormat = 1

	// cacheDelay is how long after a change the file is written, so that many changes
	// are written at once.
	cacheDelay = time.Second

	// cacheAge is after how long something that was not confirmed is forgotten, and
	// cacheMost how many names, and how many ids, there may be.
	cacheAge  = 30 * 24 * time.Hour
	cacheMost = 10_000
)

// cache keeps in a file what namerd last said about the names that have no rules of
// their own, for the time after a start during which no namerd answers. A nil cache
// keeps nothing. It is safe for concurrent use.
type cache struct {
	file     string
	identity string
	rules    string // those of the questions that are kept
	logger   *slog.Logger

	mu    sync.Mutex
	known cacheContent

	dirty chan struct{}
	done  sync.WaitGroup
	stop  context.CancelFunc
}

// cacheContent is the file.
type cacheContent struct {
	Format   int                    `json:"format"`
	Identity string                 `json:"identity"` // whose answers these are
	Written  time.Time              `json:"written"`
	Names    map[string]cachedTree  `json:"names"`
	IDs      map[string]cachedAddrs `json:"ids"`
}

type cachedTree struct {
	At   time.Time  `json:"at"`
	Tree cachedNode `json:"tree"`
}

type cachedNode struct {
	Op       string       `json:"op"`
	ID       dtab.Path    `json:"id,omitzero"`
	Residual dtab.Path    `json:"residual,omitzero"`
	Weight   float64      `json:"weight,omitempty"`
	Kids     []cachedNode `json:"kids,omitempty"`
}

type cachedAddrs struct {
	At  time.Time        `json:"at"`
	Set weft.EndpointSet `json:"set"`
}

// openCache reads the file of an interpreter. A file that cannot be used is said, and
// written anew.
func openCache(o CacheOptions, conf Config, logger *slog.Logger) (*cache, error) {
	if o.Dir == "" {
		return nil, nil //nolint:nilnil // a nil cache keeps nothing
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("cacheDir: %w", err)
	}
	c := &cache{rules: conf.Base.Concat(o.Rules).String(), logger: logger, dirty: make(chan struct{}, 1)}
	c.identity = conf.Kind + ", namespace " + conf.Namespace + ", rules " + c.rules
	sum := sha256.Sum256([]byte(c.identity))
	c.file = filepath.Join(o.Dir, fileName(o.Name)+hex.EncodeToString(sum[:6])+".json")
	c.read()
	ctx, stop := context.WithCancel(context.Background())
	c.stop = stop
	c.done.Go(func() { c.run(ctx) })
	return c, nil
}

// fileName is what of a label can be in the name of a file.
func fileName(label string) string {
	if label == "" {
		return ""
	}
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '.' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, label) + "-"
}

func (c *cache) read() {
	c.known = cacheContent{Names: map[string]cachedTree{}, IDs: map[string]cachedAddrs{}}
	text, err := os.ReadFile(c.file)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var x cacheContent
	if err == nil {
		err = json.Unmarshal(text, &x)
	}
	switch {
	case err != nil:
	case x.Format != cacheFormat:
		err = fmt.Errorf("it has format %d, want %d", x.Format, cacheFormat)
	case x.Identity != c.identity:
		err = fmt.Errorf("it is of %s, want %s", x.Identity, c.identity)
	}
	if err != nil {
		c.logger.Warn("what namerd last said is not known: the file cannot be used and will be written anew", "file", c.file, "err", err)
		return
	}
	oldest := time.Now().Add(-cacheAge)
	for name, t := range x.Names {
		if t.At.After(oldest) && t.Tree.valid() {
			c.known.Names[name] = t
		}
	}
	for id, a := range x.IDs {
		if a.At.After(oldest) {
			c.known.IDs[id] = a
		}
	}
}

// keeps reports whether the answer to q is kept.
func (c *cache) keeps(q Question) bool { return c != nil && q.Dtab == c.rules }

// keepTree notes what a name is bound to.
func (c *cache) keepTree(name dtab.Path, t dtab.Tree[*naming.Bound]) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.known.Names[name.String()]; !ok && len(c.known.Names) >= cacheMost {
		return
	}
	c.known.Names[name.String()] = cachedTree{time.Now().UTC(), newCachedNode(t)}
	c.touch()
}

// keepAddrs notes the endpoints of an id.
func (c *cache) keepAddrs(id dtab.Path, set weft.EndpointSet) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.known.IDs[id.String()]; !ok && len(c.known.IDs) >= cacheMost {
		return
	}
	c.known.IDs[id.String()] = cachedAddrs{time.Now().UTC(), set}
	c.touch()
}

func (c *cache) touch() {
	select {
	case c.dirty <- struct{}{}:
	default:
	}
}

// tree returns what a name was bound to, and when.
func (c *cache) tree(name dtab.Path) (dtab.Tree[*naming.Bound], time.Time, bool) {
	if c == nil {
		return dtab.Tree[*naming.Bound]{}, time.Time{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	t, ok := c.known.Names[name.String()]
	return t.Tree.tree(), t.At, ok
}

// addrs returns the endpoints that an id had, and when.
func (c *cache) addrs(id dtab.Path) (weft.EndpointSet, time.Time, bool) {
	if c == nil {
		return weft.EndpointSet{}, time.Time{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	a, ok := c.known.IDs[id.String()]
	return a.Set, a.At, ok
}

// run writes the file some time after each change, until ctx ends.
func (c *cache) run(ctx context.Context) {
	failed := ""
	for {
		select {
		case <-c.dirty:
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(cacheDelay):
		case <-ctx.Done():
			c.touch() // close writes it
			return
		}
		err := c.write()
		switch {
		case err == nil:
			failed = ""
		case err.Error() != failed:
			failed = err.Error()
			c.logger.Warn("what namerd says cannot be kept", "file", c.file, "err", err)
		}
	}
}

// write replaces the file as a whole, so that there is a complete one at any time.
func (c *cache) write() error {
	c.mu.Lock()
	c.known.Format, c.known.Identity, c.known.Written = cacheFormat, c.identity, time.Now().UTC()
	text, err := json.Marshal(c.known)
	c.mu.Unlock()
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(c.file), filepath.Base(c.file)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), c.file)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // it is of no use, wherever it is
	}
	return err
}

// close writes what is not written yet.
func (c *cache) close() error {
	if c == nil {
		return nil
	}
	c.stop()
	c.done.Wait()
	select {
	case <-c.dirty:
		return c.write()
	default:
		return nil
	}
}

func newCachedNode(t dtab.Tree[*naming.Bound]) cachedNode {
	n := cachedNode{Op: opName(t.Op), Weight: t.Weight}
	if t.Op == dtab.Leaf {
		n.ID, n.Residual = t.Value.ID, t.Value.Residual
	}
	for _, k := range t.Kids {
		n.Kids = append(n.Kids, newCachedNode(k))
	}
	return n
}

func (n cachedNode) tree() dtab.Tree[*naming.Bound] {
	t := dtab.Tree[*naming.Bound]{Op: opOf(n.Op), Weight: n.Weight}
	if t.Op == dtab.Leaf {
		t.Value = &naming.Bound{ID: n.ID, Residual: n.Residual}
	}
	for _, k := range n.Kids {
		t.Kids = append(t.Kids, k.tree())
	}
	return t
}

// valid reports whether n can be a bound tree: the file is one that people can write.
func (n cachedNode) valid() bool {
	switch {
	case opName(opOf(n.Op)) != n.Op, n.Op == opName(dtab.Leaf) && n.ID.IsEmpty(), n.Weight < 0,
		n.Op == opName(dtab.Union) && len(n.Kids) == 0, n.Op != opName(dtab.Union) && len(n.Kids) > 0:
		return false
	}
	for _, k := range n.Kids {
		if !k.valid() {
			return false
		}
	}
	return true
}

func opName(op dtab.Op) string {
	switch op {
	case dtab.Leaf:
		return "leaf"
	case dtab.Union:
		return "union"
	case dtab.Empty:
		return "empty"
	case dtab.Fail:
		return "fail"
	default: // a bound tree has no Alt
		return "neg"
	}
}

func opOf(name string) dtab.Op {
	for _, op := range []dtab.Op{dtab.Leaf, dtab.Union, dtab.Empty, dtab.Fail} {
		if opName(op) == name {
			return op
		}
	}
	return dtab.Neg
}

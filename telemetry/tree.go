package telemetry

import (
	"iter"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultWindow is how long a stat gathers values before its summary is
// published, unless Options say otherwise.
const DefaultWindow = time.Minute

// Options configure a Tree. The zero Options are the defaults.
type Options struct {
	// Window is the length of the stats' window. Zero is DefaultWindow, negative
	// means that windows close only when CloseWindow is called.
	Window time.Duration

	// Log hears of metrics that are used as two kinds at once. Nil is silent.
	Log *slog.Logger
}

// Tree is a tree of scopes with their metrics, and the owner of the one timer
// that closes the windows of all its stats. It is safe for concurrent use. A nil
// Tree has nil scopes, which measure nothing.
type Tree struct {
	root    Scope
	every   time.Duration     // see Window
	mu      sync.RWMutex      // of all scopes
	names   map[string]string // those that many scopes have, under mu
	log     *slog.Logger
	buckets *buckets

	visitors sync.Pool                // of *visitor
	writers  atomic.Pointer[jsonTeam] // of the last WriteJSON; nil while they write

	window  sync.Mutex // serialises the closing of windows
	scratch []uint32   // bucket counts of the stat being summarised, under window

	sampling sync.Mutex                 // serialises changes of samplers
	samplers atomic.Pointer[[]*sampler] // see SampleStats

	stop     chan struct{}
	stopOnce sync.Once
	stopped  sync.WaitGroup
}

// NewTree returns an empty tree. Close it to end its timer.
func NewTree(opts Options) *Tree {
	t := &Tree{log: opts.Log, names: map[string]string{}, buckets: newBuckets(), stop: make(chan struct{})}
	if t.log == nil {
		t.log = slog.New(slog.DiscardHandler)
	}
	t.root.kids = &kids{tree: t}
	t.scratch = make([]uint32, t.buckets.len())
	switch {
	case opts.Window == 0:
		opts.Window = DefaultWindow
	case opts.Window < 0:
		return t
	}
	t.every = opts.Window
	t.stopped.Go(func() { t.run(opts.Window) })
	return t
}

// Window returns the length of the stats' window: what their summaries are about. Zero
// is one that closes only when CloseWindow is called.
func (t *Tree) Window() time.Duration {
	if t == nil {
		return 0
	}
	return t.every
}

func (t *Tree) run(window time.Duration) {
	tick := time.NewTicker(window)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			t.CloseWindow()
		case <-t.stop:
			return
		}
	}
}

// Scope returns the scope at the path elems below the root, made if need be;
// without elems it is the root.
func (t *Tree) Scope(elems ...string) *Scope {
	if t == nil {
		return nil
	}
	return t.root.Scope(elems...)
}

// All is Scope().All.
func (t *Tree) All() iter.Seq2[[]string, Metric] { return t.Scope().All() }

// CloseWindow ends the current window of every stat at once: it publishes the
// summaries and starts afresh. The timer calls it; tests and shutdown hooks may.
func (t *Tree) CloseWindow() {
	if t == nil {
		return
	}
	t.window.Lock()
	defer t.window.Unlock()
	t.root.closeWindow(t)
}

// Close ends the timer and waits for it. The tree stays usable: counters and
// gauges are live, stats keep the last closed window. It returns nil.
func (t *Tree) Close() error {
	if t == nil {
		return nil
	}
	t.stopOnce.Do(func() { close(t.stop) })
	t.stopped.Wait()
	return nil
}

// maxNames bounds what intern keeps. weft's own metrics have some 200 names.
const maxNames = 1000

// intern returns a name that does not keep alive what the caller has cut it from, such
// as a request's header block. Names of metrics are shared. It is called with mu held.
func (t *Tree) intern(name string) string {
	if known, ok := t.names[name]; ok {
		return known
	}
	name = strings.Clone(name)
	// What has a slash is an id or an address.
	if len(t.names) < maxNames && len(name) <= 40 && !strings.Contains(name, "/") {
		t.names[name] = name
	}
	return name
}

package rollout_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/memory"
	"github.com/weft-mesh/weft/rollout"
)

const (
	rule     = "/svc/world"
	oldRule  = "/srv/world-v1"
	newRule  = "/srv/world-v2"
	stateOf  = "default-rollout-svc-world"
	otherTab = "/svc => /srv ; /host => /svc"
)

// steps are what the rule says in the plan of the tests.
func steps() []string {
	return []string{oldRule, newRule + " & 99.00*" + oldRule, "10.00*" + newRule + " & 90.00*" + oldRule, newRule}
}

func plan() rollout.Plan {
	return rollout.Plan{
		Namespace: "default", Rule: dtab.MustPrefix(rule), New: dtab.MustPath(newRule),
		Steps: []rollout.Step{
			{Weight: rollout.Percent(1), WatchFor: 20 * time.Second, MinRequests: 50},
			{Weight: rollout.Percent(10), WatchFor: 20 * time.Second, MinRequests: 50},
			{Weight: rollout.All, WatchFor: 20 * time.Second, MinRequests: 50},
		},
		Limits: rollout.Limits{MaxLatencyFactor: -1},
	}
}

// world is a control plane with one namespace, and what is seen of a rollout in it.
type world struct {
	t     *testing.T
	store *memory.Store
	meter *meter
	id    rollout.ID

	mu     sync.Mutex
	events []rollout.Event
	rules  []string // that were written, in their order
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, store: memory.New(memory.Options{}), meter: &meter{}, id: plan().ID()}
	t.Cleanup(func() { assert.NoError(t, w.store.Close()) })
	_, err := w.store.Create(t.Context(), "default", dtab.MustParse(otherTab+";"+rule+"=>"+oldRule), namerd.Note{})
	require.NoError(t, err)
	return w
}

func (w *world) runner(d rollout.Dtabs) *rollout.Runner {
	return rollout.New(rollout.Options{Dtabs: d, Meter: w.meter, Name: "test", Report: func(e rollout.Event) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.events = append(w.events, e)
	}})
}

func (w *world) dtabs() *dtabs {
	return &dtabs{Dtabs: rollout.StoreDtabs(w.store, namerd.Note{Author: "test"}), w: w}
}

// says returns what the rule says.
func (w *world) says() string {
	s, err := w.store.Get(context.Background(), "default")
	require.NoError(w.t, err)
	for _, e := range s.Dtab {
		if e.Prefix.String() == rule {
			return dtab.ShowTree(e.Dst)
		}
	}
	return ""
}

// edit is what somebody else does.
func (w *world) edit(change func(dtab.Dtab) dtab.Dtab) {
	for {
		s, err := w.store.Get(context.Background(), "default")
		require.NoError(w.t, err)
		_, err = w.store.Update(context.Background(), "default", change(slices.Clone(s.Dtab)), s.Version, namerd.Note{Author: "else"})
		if errors.Is(err, namerd.ErrMismatch) {
			continue // the rollout has just written
		}
		require.NoError(w.t, err)
		return
	}
}

// set makes the rule say something.
func (w *world) set(dst string) {
	w.edit(func(d dtab.Dtab) dtab.Dtab {
		for i := range d {
			if d[i].Prefix.String() == rule {
				d[i].Dst = dtab.MustTree(dst)
			}
		}
		return d
	})
}

// state returns the state, and false if there is none.
func (w *world) state() (rollout.State, bool) {
	s, err := w.runner(w.dtabs()).Status(context.Background(), w.id)
	if errors.Is(err, rollout.ErrNone) {
		return s, false
	}
	require.NoError(w.t, err)
	return s, true
}

func (w *world) assertEnded() {
	w.t.Helper()
	_, there := w.state()
	assert.False(w.t, there, "the state must be gone")
}

func (w *world) kinds(k rollout.Kind) (all []rollout.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		if e.Kind == k {
			all = append(all, e)
		}
	}
	return all
}

// result is what a run returned; killed if it did not.
type result struct {
	outcome rollout.Outcome
	err     error
	killed  bool
}

// async runs do in a goroutine of its own, which can be killed.
func async(do func() (rollout.Outcome, error)) <-chan result {
	c := make(chan result, 1)
	go func() {
		r := result{killed: true}
		defer func() { c <- r }()
		o, err := do()
		r = result{outcome: o, err: err}
	}()
	return c
}

// dtabs is a control plane that can fail.
type dtabs struct {
	rollout.Dtabs
	w *world

	mu     sync.Mutex
	writes int
	fail   func(write int) fault // of the next write; nil is never
	down   bool                  // nothing is answered
	dead   bool                  // whoever asks dies
	lag    time.Duration         // of every answer
	bare   bool                  // versions that were made are not said, as namerd 1.7.5
}

// fault is what happens to a write.
type fault int

const (
	none       fault = iota
	lost             // an error, and it was not made
	ambiguous        // an error, and it was made
	killBefore       // the process dies, and it was not made
	killAfter        // the process dies, and it was made
)

var errDown = errors.New("connection refused")

func (d *dtabs) List(ctx context.Context) ([]string, error) {
	return d.Dtabs.(rollout.Lister).List(ctx)
}

func (d *dtabs) Get(ctx context.Context, ns string) (namerd.Stored, error) {
	if err := d.alive(); err != nil {
		return namerd.Stored{}, err
	}
	return d.Dtabs.Get(ctx, ns)
}

func (d *dtabs) alive() error {
	time.Sleep(d.lag)
	d.mu.Lock()
	dead, down := d.dead, d.down
	d.mu.Unlock()
	if dead {
		runtime.Goexit()
	}
	if down {
		return errDown
	}
	return nil
}

func (d *dtabs) setDown(down bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.down = down
}

func (d *dtabs) kill() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dead = true
}

func (d *dtabs) write(do func() (namerd.Version, error)) (namerd.Version, error) {
	if err := d.alive(); err != nil {
		return "", err
	}
	d.mu.Lock()
	d.writes++
	f := none
	if d.fail != nil {
		f = d.fail(d.writes)
	}
	d.dead = f == killBefore || f == killAfter
	d.mu.Unlock()
	if f == lost || f == killBefore {
		if f == killBefore {
			runtime.Goexit()
		}
		return "", errDown
	}
	v, err := do()
	switch f {
	case killAfter:
		runtime.Goexit()
	case ambiguous:
		return "", errDown
	case none, lost, killBefore:
	}
	if d.bare {
		v = ""
	}
	return v, err
}

func (d *dtabs) Create(ctx context.Context, ns string, t dtab.Dtab) (namerd.Version, error) {
	return d.write(func() (namerd.Version, error) { return d.Dtabs.Create(ctx, ns, t) })
}

func (d *dtabs) Update(ctx context.Context, ns string, t dtab.Dtab, v namerd.Version) (namerd.Version, error) {
	return d.write(func() (namerd.Version, error) {
		made, err := d.Dtabs.Update(ctx, ns, t, v)
		if ns == "default" && err == nil {
			d.w.mu.Lock()
			d.w.rules = append(d.w.rules, d.w.says())
			d.w.mu.Unlock()
		}
		return made, err
	})
}

func (d *dtabs) Delete(ctx context.Context, ns string, v namerd.Version) error {
	_, err := d.write(func() (namerd.Version, error) {
		if d.bare {
			v = ""
		}
		return "", d.Dtabs.Delete(ctx, ns, v)
	})
	return err
}

// meter makes up what it measures.
type meter struct {
	mu  sync.Mutex
	err error
	fn  func(window time.Duration) (older, newer rollout.Sample) // nil is that all is well
}

func (m *meter) set(fn func(window time.Duration) (older, newer rollout.Sample), err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fn, m.err = fn, err
}

func (m *meter) Measure(ctx context.Context, window time.Duration) (older, newer rollout.Sample, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil || ctx.Err() != nil {
		return older, newer, errors.Join(m.err, ctx.Err())
	}
	if m.fn != nil {
		older, newer = m.fn(window)
		return older, newer, nil
	}
	n := window.Seconds() * 10
	return rollout.Sample{Requests: n, Successes: n}, rollout.Sample{Requests: n, Successes: n}, nil
}

// broken is a new branch of which half the requests fail.
func broken(window time.Duration) (older, newer rollout.Sample) {
	n := window.Seconds() * 10
	return rollout.Sample{Requests: n, Successes: n}, rollout.Sample{Requests: n, Successes: n / 2}
}

package zk_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	zoo "github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

type (
	answer    = naming.State[dtab.Tree[naming.Name]]
	endpoints = naming.State[weft.EndpointSet]
)

// promptly is how soon the set must be right once the server could say so.
const promptly = 2 * time.Second

// quiet is a logger for the library.
type quiet struct{}

func (quiet) Printf(string, ...any) {}

// admin is a client that changes things.
type admin struct {
	t    testing.TB
	conn *zoo.Conn
}

func connect(tb testing.TB, addr string) *admin {
	tb.Helper()
	conn, events, err := zoo.Connect([]string{addr}, 10*time.Second, zoo.WithLogger(quiet{}), zoo.WithLogInfo(false))
	require.NoError(tb, err)
	tb.Cleanup(func() {
		conn.Close()
		for range events {
		}
	})
	return &admin{tb, conn}
}

// try repeats what fails because the server is on its way.
func (a *admin) try(f func() error) {
	a.t.Helper()
	var err error
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if err = f(); err == nil {
			return
		}
	}
	require.NoError(a.t, err)
}

// put creates or changes a znode, and its parents.
func (a *admin) put(path, data string) {
	a.t.Helper()
	a.try(func() error {
		for i, r := range path {
			if r == '/' && i > 0 {
				if _, err := a.conn.Create(path[:i], nil, 0, zoo.WorldACL(zoo.PermAll)); err != nil && !errors.Is(err, zoo.ErrNodeExists) {
					return err
				}
			}
		}
		_, err := a.conn.Create(path, []byte(data), 0, zoo.WorldACL(zoo.PermAll))
		if errors.Is(err, zoo.ErrNodeExists) {
			_, err = a.conn.Set(path, []byte(data), -1)
		}
		return err
	})
}

// remove deletes a znode and everything below it.
func (a *admin) remove(path string) {
	a.t.Helper()
	a.try(func() error {
		children, _, err := a.conn.Children(path)
		if errors.Is(err, zoo.ErrNoNode) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, c := range children {
			a.remove(path + "/" + c)
		}
		if err := a.conn.Delete(path, -1); !errors.Is(err, zoo.ErrNoNode) {
			return err
		}
		return nil
	})
}

// member is the JSON of a member.
func member(host string, port int, more ...string) string {
	return fmt.Sprintf(`{"serviceEndpoint":{"host":%q,"port":%d},"additionalEndpoints":{"admin":{"host":%q,"port":%d}},"status":"ALIVE"%s}`,
		host, port, host, port+1000, strings.Join(more, ""))
}

// watched is a name and its endpoints, followed for a test. It notes every set.
type watched struct {
	t    testing.TB
	tree weft.Source[answer]

	mu   sync.Mutex
	ctx  context.Context
	sets weft.Source[endpoints]
	id   dtab.Path
	must map[string]bool // addresses that must not be taken away
	bad  string
}

func lookup(tb testing.TB, n naming.Namer, name string) *watched {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	w := &watched{t: tb, ctx: ctx, tree: n.Lookup(ctx, dtab.MustPath(name)), must: map[string]bool{}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.guard(ctx)
	}()
	tb.Cleanup(func() {
		cancel()
		<-done
	})
	return w
}

// guard looks at every version of the set.
func (w *watched) guard(ctx context.Context) {
	for ctx.Err() == nil {
		_, treeStale := w.tree.Load()
		w.text()
		w.mu.Lock()
		signals := []<-chan struct{}{treeStale}
		if w.sets != nil {
			s, stale := w.sets.Load()
			signals = append(signals, stale)
			have := map[string]bool{}
			for _, e := range s.Value.Endpoints {
				have[e.Addr] = true
			}
			for a := range w.must {
				if !have[a] && w.bad == "" {
					w.bad = fmt.Sprintf("%s was taken away: %+v", a, s)
				}
			}
		}
		w.mu.Unlock()
		if naming.Any(ctx, signals) != nil {
			return
		}
	}
}

// keeps says which addresses must not be taken away from now on.
func (w *watched) keeps(addrs ...string) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	require.Empty(w.t, w.bad)
	w.must = map[string]bool{}
	for _, a := range addrs {
		w.must[a] = true
	}
}

// text is the name's state: pending, failed, Neg, or the id, residual and sorted
// endpoints.
func (w *watched) text() string {
	s, _ := w.tree.Load()
	switch {
	case s.Pending():
		return "pending"
	case !s.Known:
		return "failed"
	case s.Value.Op == dtab.Neg:
		return "Neg" + stale(s.Err)
	}
	b := s.Value.Value.Bound
	text := b.ID.String()
	if !b.Residual.IsEmpty() {
		text += "+" + b.Residual.String()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sets == nil || w.id != b.ID {
		w.sets, w.id = b.Addrs(w.ctx), b.ID
	}
	set, _ := w.sets.Load()
	return text + ":" + show(set)
}

// show is a set as text.
func show(s endpoints) string {
	text := ""
	switch {
	case s.Pending():
		return " pending"
	case !s.Known:
		return " failed"
	case s.Value.Neg:
		text = " neg"
	}
	var all []string
	for _, e := range s.Value.Endpoints {
		a := e.Addr
		if e.Weight != 0 {
			a += fmt.Sprintf("*%v", e.Share())
		}
		all = append(all, a)
	}
	slices.Sort(all)
	for _, a := range all {
		text += " " + a
	}
	for _, k := range slices.Sorted(maps.Keys(s.Value.Meta)) {
		text += " " + k + "=" + s.Value.Meta[k]
	}
	return text + stale(s.Err)
}

func stale(err error) string {
	if err != nil {
		return " (stale)"
	}
	return ""
}

// comes waits until the state's text is the wanted one and returns how long that
// took.
func (w *watched) comes(want string) time.Duration {
	w.t.Helper()
	d := eventually(w.t, want, w.text)
	w.mu.Lock()
	defer w.mu.Unlock()
	require.Empty(w.t, w.bad)
	return d
}

func eventually(tb testing.TB, want string, text func() string) time.Duration {
	tb.Helper()
	start := time.Now()
	for text() != want {
		if time.Since(start) > 20*time.Second {
			require.Equal(tb, want, text())
		}
		time.Sleep(time.Millisecond)
	}
	return time.Since(start)
}

// stays asserts that the state's text is the wanted one for a while.
func (w *watched) stays(want string, d time.Duration) {
	w.t.Helper()
	for start := time.Now(); time.Since(start) < d; time.Sleep(time.Millisecond) {
		require.Equal(w.t, want, w.text())
	}
}

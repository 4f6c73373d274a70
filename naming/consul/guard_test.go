package consul_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

// promptly is how soon after the server could say so a set has to be right.
const promptly = 2 * time.Second

// guard follows a name without a pause, and fails the test when an endpoint is
// taken away that exists all the time.
type guard struct {
	w    *watched
	src  weft.Source[endpoints]
	done chan struct{}
	end  context.CancelFunc

	mu   sync.Mutex
	must []string // addresses that have to be in every set
}

// guarded follows the endpoints of a name, which has some.
func guarded(t *testing.T, w *watched) *guard {
	t.Helper()
	eventually(t, "true", func() string {
		s, _ := w.tree.Load()
		return fmt.Sprint(s.Known && s.Value.Value.Bound != nil)
	})
	s, _ := w.tree.Load()
	ctx, cancel := context.WithCancel(context.Background())
	g := &guard{w: w, src: s.Value.Value.Bound.Addrs(ctx), done: make(chan struct{}), end: cancel}
	go g.follow(ctx)
	t.Cleanup(g.close)
	return g
}

func (g *guard) close() {
	g.end()
	<-g.done
}

func (g *guard) follow(ctx context.Context) {
	defer close(g.done)
	for {
		s, stale := g.src.Load()
		addrs := addrsOf(s)
		g.mu.Lock()
		for _, a := range g.must {
			if !slices.Contains(addrs, a) {
				g.w.t.Errorf("%s was taken away: %v, neg %v, err %v", a, addrs, s.Value.Neg, s.Err)
			}
		}
		g.mu.Unlock()
		if naming.Any(ctx, []<-chan struct{}{stale}) != nil {
			return
		}
	}
}

func staleMark(s endpoints) string {
	if s.Known {
		return stale(s.Err)
	}
	return ""
}

func addrsOf(s endpoints) []string {
	addrs := []string{}
	for _, e := range s.Value.Endpoints {
		addrs = append(addrs, e.Addr)
	}
	return addrs
}

// keep says which endpoints exist until keep is called again.
func (g *guard) keep(addrs ...string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.must = addrs
}

// comes waits until the set is the wanted one, in any order, and fails if that
// takes long.
func (g *guard) comes(addrs ...string) time.Duration {
	g.w.t.Helper()
	slices.Sort(addrs)
	want := strings.Join(addrs, " ")
	took := eventually(g.w.t, want, func() string {
		s, _ := g.src.Load()
		got := addrsOf(s)
		slices.Sort(got)
		return strings.Join(got, " ") + staleMark(s)
	})
	require.Less(g.w.t, took, promptly, "%v", addrs)
	return took
}

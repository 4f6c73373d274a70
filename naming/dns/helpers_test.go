package dns_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/dns"
)

type (
	answer   = naming.State[dtab.Tree[naming.Name]]
	setState = naming.State[weft.EndpointSet]
)

// prompt is how long news may take once DNS could tell it.
func prompt() time.Duration {
	if raceEnabled || testing.Short() {
		return 10 * time.Second
	}
	return 2 * time.Second
}

// quick are options with which nothing takes long.
func quick(t *testing.T) dns.Options {
	t.Helper()
	return dns.Options{
		ResolvConf: resolvConf(t), InterfaceAddrs: v6, Timeout: 200 * time.Millisecond,
		MinBackoff: 10 * time.Millisecond, MaxBackoff: 50 * time.Millisecond, Linger: -1,
	}
}

func newNamer(t *testing.T, c dns.Config, o dns.Options) *dns.Namer {
	t.Helper()
	n, err := dns.New(c, o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, n.Close()) })
	return n
}

func newSRV(t *testing.T, c dns.SRVConfig, o dns.Options) *dns.SRVNamer {
	t.Helper()
	n, err := dns.NewSRV(c, o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, n.Close()) })
	return n
}

// watched is a name and its endpoints, followed for a test.
type watched struct {
	t    *testing.T
	tree weft.Source[answer]
	sets weft.Source[setState]
}

func watch(t *testing.T, n naming.Namer, name string) *watched {
	t.Helper()
	return &watched{t: t, tree: n.Lookup(t.Context(), dtab.MustPath(name))}
}

// text is the name's state: pending, failed, Neg, or the id, residual and
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
	if w.sets == nil {
		w.sets = b.Addrs(w.t.Context())
	}
	text += ":"
	set, _ := w.sets.Load()
	for _, e := range set.Value.Endpoints {
		text += " " + e.Addr
		if e.Weight != 0 {
			text += fmt.Sprintf("*%v", e.Share())
		}
	}
	return text + stale(set.Err)
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
	start := time.Now()
	for w.text() != want {
		if time.Since(start) > 20*time.Second {
			require.Equal(w.t, want, w.text())
		}
		pause(time.Millisecond)
	}
	return time.Since(start)
}

// stays asserts that the state's text is the wanted one for a while.
func (w *watched) stays(want string, d time.Duration) {
	w.t.Helper()
	for start := time.Now(); time.Since(start) < d; pause(time.Millisecond) {
		require.Equal(w.t, want, w.text())
	}
}

// guard checks, until the function that it returns is called, that no state of the
// name lacks one of the endpoints.
func (w *watched) guard(addrs ...string) (release func()) {
	w.t.Helper()
	w.text()
	require.NotNil(w.t, w.sets)
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		for ctx.Err() == nil {
			tree, treeStale := w.tree.Load()
			if tree.Value.Op != dtab.Leaf {
				w.t.Errorf("the name went away: %+v", tree)
			}
			s, setStale := w.sets.Load()
			for _, a := range addrs {
				if !slices.ContainsFunc(s.Value.Endpoints, func(e weft.Endpoint) bool { return e.Addr == a }) {
					w.t.Errorf("endpoint %s was taken away: %+v", a, s)
				}
			}
			_ = naming.Any(ctx, []<-chan struct{}{treeStale, setStale})
		}
	})
	return func() { cancel(); done.Wait() }
}

// pause waits for real servers, which fake clocks know nothing of.
func pause(d time.Duration) { <-time.After(d) }

// journal is a log that can be read while it is written.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *journal) logger() *slog.Logger { return slog.New(slog.NewTextHandler(j, nil)) }

// count returns how many lines have the text.
func (j *journal) count(text string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := 0
	for line := range strings.Lines(j.b.String()) {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

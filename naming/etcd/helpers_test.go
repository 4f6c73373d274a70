package etcd_test

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
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/etcd"
)

type (
	answer   = naming.State[dtab.Tree[naming.Name]]
	setState = naming.State[weft.EndpointSet]
)

// prompt is how long news may take once etcd could tell it.
func prompt() time.Duration {
	if raceEnabled || testing.Short() {
		return 10 * time.Second
	}
	return 2 * time.Second
}

func newNamer(t *testing.T, c etcd.Config, o etcd.Options) *etcd.Namer {
	t.Helper()
	n, err := etcd.New(c, o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, n.Close()) })
	return n
}

// store is a client of etcd for tests.
type store struct {
	tb testing.TB
	*clientv3.Client
}

func newStore(tb testing.TB, url string, user ...string) store {
	tb.Helper()
	cfg := clientv3.Config{Endpoints: []string{url}, Logger: zap.NewNop(), DialTimeout: 20 * time.Second}
	if len(user) == 2 {
		cfg.Username, cfg.Password = user[0], user[1]
	}
	c, err := clientv3.New(cfg)
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = c.Close() })
	return store{tb, c}
}

// put stores key, value, key, value … in one transaction and returns its revision.
func (s store) put(pairs ...string) int64 {
	s.tb.Helper()
	var ops []clientv3.Op
	for pair := range slices.Chunk(pairs, 2) {
		ops = append(ops, clientv3.OpPut(pair[0], pair[1]))
	}
	return s.txn(ops...)
}

func (s store) delete(keys ...string) int64 {
	s.tb.Helper()
	var ops []clientv3.Op
	for _, k := range keys {
		if strings.HasSuffix(k, "/") {
			ops = append(ops, clientv3.OpDelete(k, clientv3.WithPrefix()))
		} else {
			ops = append(ops, clientv3.OpDelete(k))
		}
	}
	return s.txn(ops...)
}

func (s store) txn(ops ...clientv3.Op) int64 {
	s.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	r, err := s.Txn(ctx).Then(ops...).Commit()
	require.NoError(s.tb, err)
	return r.Header.Revision
}

// watched is a name and its endpoints, followed for a test.
type watched struct {
	t    *testing.T
	tree weft.Source[answer]
	sets weft.Source[setState]
}

func watch(t *testing.T, n *etcd.Namer, name string) *watched {
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
	return text + ":" + show(w.sets)
}

// show is a set as text.
func show(src weft.Source[setState]) string {
	s, _ := src.Load()
	text := ""
	switch {
	case s.Pending():
		return " pending"
	case !s.Known:
		return " failed"
	case s.Value.Neg:
		text = " neg"
	}
	for _, e := range s.Value.Endpoints {
		text += " " + e.Addr
		if e.Weight != 0 {
			text += fmt.Sprintf("*%v", e.Share())
		}
		if len(e.Meta) > 0 {
			text += fmt.Sprint(e.Meta)
		}
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
	return eventually(w.t, want, w.text)
}

// promptly is comes within the time that is promised.
func (w *watched) promptly(what, want string) {
	w.t.Helper()
	took := w.comes(want)
	w.t.Logf("%s: %v", what, took.Round(time.Millisecond))
	assert.Less(w.t, took, prompt(), what)
}

func eventually(t *testing.T, want string, text func() string) time.Duration {
	t.Helper()
	start := time.Now()
	for text() != want {
		if time.Since(start) > 20*time.Second {
			require.Equal(t, want, text())
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

func (j *journal) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(j, nil))
}

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

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

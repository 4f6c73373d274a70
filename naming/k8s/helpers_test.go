package k8s_test

import (
	"context"
	"fmt"
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
	"github.com/weft-mesh/weft/naming/k8s"
)

type (
	answer    = naming.State[dtab.Tree[naming.Name]]
	endpoints = naming.State[weft.EndpointSet]
)

// limit is how long something may take to happen on a busy machine.
const limit = 20 * time.Second

func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		require.NoError(t, err)
		return v
	}
}

// text shows a look-up's answer: Neg, or the id, the residual and the endpoints.
func text(ctx context.Context, n *k8s.Namer, path string) (s string, signals []<-chan struct{}) {
	a, stale := n.Lookup(ctx, dtab.MustPath(path)).Load()
	signals = append(signals, stale)
	switch {
	case a.Pending():
		return "pending", signals
	case !a.Known:
		return "failed: " + a.Err.Error(), signals
	case a.Value.Op != dtab.Leaf:
		return "neg" + mark(a.Err), signals
	}
	b := a.Value.Value.Bound
	e, stale := b.Addrs(ctx).Load()
	return b.ID.String() + " " + b.Residual.String() + " " + addrs(e) + mark(e.Err), append(signals, stale)
}

func mark(err error) string {
	if err != nil {
		return " (stale)"
	}
	return ""
}

func addrs(e endpoints) string {
	all := make([]string, len(e.Value.Endpoints))
	for i, e := range e.Value.Endpoints {
		all[i] = e.Addr
	}
	slices.Sort(all)
	return strings.Join(all, ",")
}

// becomes waits until a path leads to what is wanted, and returns how long that
// took.
func becomes(t *testing.T, n *k8s.Namer, path, want string) time.Duration {
	t.Helper()
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	for {
		last, signals := text(ctx, n, path)
		if last == want {
			return time.Since(began)
		}
		if naming.Any(ctx, signals) != nil {
			require.Equal(t, want, last, "%s after %v; %v", path, time.Since(began), n.Watches())
		}
	}
}

// watcher follows a path and notes what must not be seen.
type watcher struct {
	t      testing.TB
	n      *k8s.Namer
	path   string
	cancel context.CancelFunc
	done   sync.WaitGroup
	mu     sync.Mutex
	seen   []string
}

// watch follows a path until the test ends.
func watch(t *testing.T, n *k8s.Namer, path string) *watcher {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	w := &watcher{t: t, n: n, path: path, cancel: cancel}
	w.done.Go(func() {
		for {
			s, signals := text(ctx, n, path)
			w.mu.Lock()
			w.seen = append(w.seen, s)
			w.mu.Unlock()
			if naming.Any(ctx, signals) != nil {
				return
			}
		}
	})
	t.Cleanup(w.stop)
	return w
}

func (w *watcher) stop() {
	w.cancel()
	w.done.Wait()
}

// all returns what was seen.
func (w *watcher) all() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.seen)
}

// begin waits until want is seen and forgets what was before.
func (w *watcher) begin(want string) {
	w.t.Helper()
	require.Eventually(w.t, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.seen) == 0 || w.seen[len(w.seen)-1] != want {
			return false
		}
		w.seen = w.seen[len(w.seen)-1:]
		return true
	}, limit, time.Millisecond)
}

// alwaysHad fails the test if something without these texts was seen, and forgets what
// was seen.
func (w *watcher) alwaysHad(texts ...string) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, s := range w.seen {
		for _, want := range texts {
			if !strings.Contains(s, want) {
				assert.Fail(w.t, "taken away", "%s was %q in step %d of %q", w.path, s, i, w.seen)
				break
			}
		}
	}
	w.seen = w.seen[len(w.seen)-1:]
}

// slice is an EndpointSlice of a service, with the port http 8080, as JSON.
func slice(namespace, service, suffix string, ips ...string) string {
	return sliceAt(namespace, service, suffix, 8080, ips...)
}

func sliceAt(namespace, service, suffix string, port int, ips ...string) string {
	all := make([]string, len(ips))
	for i, ip := range ips {
		all[i] = fmt.Sprintf(`{"addresses":[%q],"conditions":{"ready":true},"nodeName":"n%d","zone":"z"}`, ip, i%3)
	}
	family := "IPv4"
	if len(ips) > 0 && strings.Contains(ips[0], ":") {
		family = "IPv6"
	}
	return fmt.Sprintf(`{"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","addressType":%q,
"metadata":{"namespace":%q,"name":"%s-%s","labels":{"kubernetes.io/service-name":%q}},
"ports":[{"name":"http","port":%d,"protocol":"TCP"}],"endpoints":[%s]}`,
		family, namespace, service, suffix, service, port, strings.Join(all, ","))
}

func ip(n int) string { return fmt.Sprintf("10.77.%d.%d", n/250, n%250+1) }

func ips(from, to int) []string {
	var all []string
	for i := from; i < to; i++ {
		all = append(all, ip(i))
	}
	return all
}

// at is what text shows for a service of the namer k8s.
func at(namespace, service string, port int, ips ...string) string {
	all := make([]string, len(ips))
	for i, ip := range ips {
		all[i] = fmt.Sprintf("%s:%d", ip, port)
	}
	slices.Sort(all)
	return fmt.Sprintf("/#/io.l5d.k8s/%s/http/%s / %s", namespace, service, strings.Join(all, ","))
}

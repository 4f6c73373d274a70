package consul_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/consul"
)

type (
	answer    = naming.State[dtab.Tree[naming.Name]]
	endpoints = naming.State[weft.EndpointSet]
)

func newNamer(t *testing.T, c consul.Config, o consul.Options) *consul.Namer {
	t.Helper()
	n, err := consul.New(c, o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, n.Close()) })
	return n
}

// watched is a name and its endpoints, followed for a test.
type watched struct {
	t    *testing.T
	name string
	tree weft.Source[answer]
	sets weft.Source[endpoints]
}

func watch(t *testing.T, n *consul.Namer, name string) *watched {
	t.Helper()
	return &watched{t: t, name: name, tree: n.Lookup(t.Context(), dtab.MustPath(name))}
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
	return text + ":" + show(w.sets) + stale(s.Err)
}

func (w *watched) err() error {
	s, _ := w.tree.Load()
	return s.Err
}

// show is a set as text.
func show(src weft.Source[endpoints]) string {
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
		text += meta(e.Meta)
	}
	return text + meta(s.Value.Meta)
}

func meta(m map[string]string) string {
	text := ""
	for _, k := range slices.Sorted(maps.Keys(m)) {
		text += fmt.Sprintf(" {%s=%s}", k, m[k])
	}
	return text
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

// pause waits for real servers, which fake clocks know nothing of.
func pause(d time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	<-ctx.Done()
}

func isFiltered(err error) bool { return errors.Is(err, consul.ErrFiltered) }

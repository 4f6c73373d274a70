package static_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/static"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type answer = naming.State[dtab.Tree[naming.Name]]

// show is the answer as text, with the endpoints of a bound name.
func show(t *testing.T, src weft.Source[answer]) string {
	t.Helper()
	s, _ := src.Load()
	require.True(t, s.Known)
	if s.Value.Op == dtab.Neg {
		return "Neg"
	}
	b := s.Value.Value.Bound
	text := b.ID.String() + " + " + b.Residual.String()
	set, _ := b.Addrs(t.Context()).Load()
	if set.Value.Neg {
		text += " neg"
	}
	for _, e := range set.Value.Endpoints {
		text += fmt.Sprintf(" %s*%v", e.Addr, e.Share())
	}
	return text
}

func TestLookup(t *testing.T) {
	n, err := static.New(static.Config{Prefix: dtab.MustPath("/#/s"), Names: map[string][]string{
		"web":      {"10.0.0.1:80", "10.0.0.2:80 * 0.5", "10.0.0.1:80*9", "[::1]:80*0"},
		"/db/ro":   {"10.0.0.3:5432"},
		"db":       {},
		`\x61\x20`: {"10.0.0.4:1"},
	}})
	require.NoError(t, err)
	for path, want := range map[string]string{
		"/web":         "/#/s/web + / 10.0.0.1:80*1 10.0.0.2:80*0.5 [::1]:80*0",
		"/web/a/b":     "/#/s/web + /a/b 10.0.0.1:80*1 10.0.0.2:80*0.5 [::1]:80*0",
		"/db/ro/x":     "/#/s/db/ro + /x 10.0.0.3:5432*1",
		"/db/rw":       "/#/s/db + /rw",
		`/\x61\x20`:    `/#/s/\x61\x20 + / 10.0.0.4:1*1`,
		"/":            "Neg",
		"/we":          "Neg",
		"/nothing/web": "Neg",
	} {
		assert.Equal(t, want, show(t, n.Lookup(t.Context(), dtab.MustPath(path))), path)
	}
	assert.Equal(t, `[/#/s/\x61\x20 /#/s/db /#/s/db/ro /#/s/web]`, fmt.Sprint(n.Names()))
	assert.Equal(t, dtab.MustPath("/#/s"), n.Prefix())
}

func TestBadConfig(t *testing.T) {
	for _, tt := range []struct{ name, addr, want string }{
		{"/", "10.0.0.1:80", `static: name "/": must have an element`},
		{"", "10.0.0.1:80", `static: name "": must have an element`},
		{"a/", "10.0.0.1:80", `static: name "a/": label char expected but end of input found at '/a/[]'`},
		{"a", "10.0.0.1", `static: address "10.0.0.1": must be host:port or host:port * weight`},
		{"a", ":80", `static: address ":80": must be host:port or host:port * weight`},
		{"a", "10.0.0.1:0", `static: address "10.0.0.1:0": port must be a number from 1 to 65535`},
		{"a", "10.0.0.1:http", `static: address "10.0.0.1:http": port must be a number from 1 to 65535`},
		{"a", "10.0.0.1:80 * -1", `static: address "10.0.0.1:80 * -1": weight must be a number that is not negative`},
		{"a", "10.0.0.1:80 * NaN", `static: address "10.0.0.1:80 * NaN": weight must be a number that is not negative`},
		{"a", "10.0.0.1:80 *", `static: address "10.0.0.1:80 *": weight must be a number that is not negative`},
	} {
		_, err := static.New(static.Config{Names: map[string][]string{tt.name: {tt.addr}}})
		assert.EqualError(t, err, tt.want)
	}
	n, err := static.New(static.Config{})
	require.NoError(t, err)
	require.Error(t, n.Remove("/"))
}

func TestChangesReachReaders(t *testing.T) {
	n, err := static.New(static.Config{})
	require.NoError(t, err)
	src := n.Lookup(t.Context(), dtab.MustPath("/web/r"))
	s, stale := src.Load()
	assert.Equal(t, naming.Ok(dtab.Tree[naming.Name]{}), s)

	require.NoError(t, n.Set("web", "10.0.0.1:80"))
	<-stale
	assert.Equal(t, "/#/static/web + /r 10.0.0.1:80*1", show(t, src))

	s, stale = src.Load()
	addrs := s.Value.Value.Bound.Addrs(t.Context())
	_, addrsStale := addrs.Load()
	require.NoError(t, n.Set("web", "10.0.0.2:80"))
	<-addrsStale
	assert.Equal(t, "/#/static/web + /r 10.0.0.2:80*1", show(t, src))
	select {
	case <-stale:
		t.Error("the tree was published again, and only its endpoints changed")
	default:
	}

	require.NoError(t, n.Remove("/web"))
	require.NoError(t, n.Remove("/web"))
	<-stale
	assert.Equal(t, "Neg", show(t, src))
	gone, _ := addrs.Load()
	assert.True(t, gone.Value.Neg)

	require.NoError(t, n.SetState("web", naming.Failed[weft.EndpointSet](errors.New("boom"))))
	back, _ := addrs.Load()
	assert.EqualError(t, back.Err, "boom", "the handle from before the removal is live again")
}

func TestConcurrentChanges(t *testing.T) {
	n, err := static.New(static.Config{})
	require.NoError(t, err)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			name := fmt.Sprintf("/n%d", i%4)
			for range 100 {
				_ = n.Set(name, "10.0.0.1:80")
				src := n.Lookup(context.Background(), dtab.MustPath(name))
				src.Load()
				_ = n.Remove(name)
			}
		})
	}
	wg.Wait()
	assert.Empty(t, n.Names())
}

func Example() {
	n, err := static.New(static.Config{Names: map[string][]string{"users": {"10.0.0.7:8080"}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	in := naming.NewInterpreter(naming.Options{
		Namers: naming.Namers{{Prefix: n.Prefix(), Namer: n}},
		Base:   dtab.MustParse("/svc => /#/static"),
	})
	defer in.Close()

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s, _ := in.Bind(ctx, nil, dtab.MustPath("/svc/users")).Load()
	fmt.Println(s.Value.Value.ID)
	addrs := s.Value.Value.Addrs(ctx)
	set, _ := addrs.Load()
	fmt.Println(set.Value.Endpoints[0].Addr)

	if err := n.Set("users", "10.0.0.9:8080"); err != nil {
		fmt.Println(err)
	}
	set, _ = addrs.Load()
	fmt.Println(set.Value.Endpoints[0].Addr)
	// Output:
	// /#/static/users
	// 10.0.0.7:8080
	// 10.0.0.9:8080
}

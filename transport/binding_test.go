package transport_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/transport"
)

// script is an interpreter whose answer for every name a test writes.
type script struct{ weft.Var[bound] }

func (s *script) Bind(context.Context, dtab.Dtab, dtab.Path) weft.Source[bound] { return &s.Var }

func leaf(id string, src weft.Source[addrs]) dtab.Tree[*naming.Bound] {
	return dtab.LeafOf(naming.Following(path(id), dtab.Path{}, src).Bound)
}

func fixed(id string, addresses ...string) dtab.Tree[*naming.Bound] {
	return leaf(id, weft.Const[addrs]{V: known(addresses...)})
}

func newRouter(tb testing.TB, opts transport.Options) *transport.Router {
	tb.Helper()
	r, err := transport.NewRouter(opts)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, r.Close()) })
	return r
}

// TestStateMachine is the table of §4.9: what a name's binding does to requests.
func TestStateMachine(t *testing.T) {
	a, b := naming.Ok(fixed("/#/a", "a:1")), naming.Ok(fixed("/#/b", "b:1"))
	e1, e2 := naming.Failed[dtab.Tree[*naming.Bound]](errBoom), naming.Failed[dtab.Tree[*naming.Bound]](errors.New("bang"))
	neg := naming.Ok(dtab.Tree[*naming.Bound]{})
	stale := a
	stale.Err = errBoom

	const waits, nohosts = "waits", "Unable to route"
	for name, steps := range map[string][]struct {
		state bound
		want  string // address, part of an error, or waits
	}{
		"pending waits":                  {{bound{}, waits}},
		"pending, then named":            {{bound{}, waits}, {a, "a:1"}},
		"pending, then failed":           {{bound{}, waits}, {e1, "boom"}},
		"named, then named":              {{a, "a:1"}, {b, "b:1"}},
		"named ignores failures":         {{a, "a:1"}, {e1, "a:1"}, {e2, "a:1"}, {b, "b:1"}},
		"named ignores pending":          {{a, "a:1"}, {bound{}, "a:1"}, {b, "b:1"}},
		"stale is named":                 {{stale, "a:1"}, {e1, "a:1"}},
		"stale follows its last value":   {{a, "a:1"}, {stale, "a:1"}, {b, "b:1"}},
		"failed, then named":             {{e1, "boom"}, {a, "a:1"}},
		"failed, then failed":            {{e1, "boom"}, {e2, "bang"}},
		"failed ignores pending":         {{e1, "boom"}, {bound{}, "boom"}, {a, "a:1"}},
		"named with nothing":             {{neg, nohosts}, {a, "a:1"}, {neg, nohosts}},
		"named with nothing stays named": {{neg, nohosts}, {e1, nohosts}, {bound{}, nohosts}, {a, "a:1"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				in := &script{}
				r := newRouter(t, transport.Options{Interpreter: in})
				d := r.Dest(path("/svc/x"), nil)
				defer d.Release()
				for i, s := range steps {
					in.Store(s.state)
					ctx, cancel := context.WithTimeout(t.Context(), time.Second)
					p, err := pick(ctx, d)
					cancel()
					if err == nil {
						p.Done(weft.Result{})
						assert.Equal(t, s.want, p.Endpoint.Addr(), "step %d", i)
						continue
					}
					got := err.Error()
					if errors.Is(err, context.DeadlineExceeded) {
						got = waits
					}
					assert.Contains(t, got, s.want, "step %d", i)
				}
			})
		})
	}
}

// TestAddressStates is §4.7: what the endpoints of a name do to requests.
func TestAddressStates(t *testing.T) {
	failed := naming.Failed[weft.EndpointSet](errBoom)
	neg := naming.Ok(weft.EndpointSet{Neg: true})
	stale := known("b:1")
	stale.Err = errBoom
	const waits, nohosts = "waits", "Unable to route"
	for name, steps := range map[string][]struct {
		state       addrs
		want, shown string
	}{
		"pending waits":             {{addrs{}, waits, "Pending"}, {known("a:1"), "a:1", "bound"}},
		"failed":                    {{failed, "boom", "Failed: boom"}, {known("a:1"), "a:1", "bound"}},
		"failed, then pending":      {{failed, "boom", "Failed: boom"}, {addrs{}, "boom", "Failed: boom"}},
		"a set outlives failures":   {{known("a:1"), "a:1", "bound"}, {failed, "a:1", "bound"}, {addrs{}, "a:1", "bound"}},
		"stale is a set":            {{stale, "b:1", "bound"}, {failed, "b:1", "bound"}},
		"neg empties":               {{known("a:1"), "a:1", "bound"}, {neg, nohosts, "Neg"}},
		"empty":                     {{known(), nohosts, "Neg"}, {known("a:1"), "a:1", "bound"}},
		"empty, then failed":        {{known(), nohosts, "Neg"}, {failed, "boom", "Failed: boom"}},
		"empty, then pending":       {{known(), nohosts, "Neg"}, {addrs{}, nohosts, "Neg"}},
		"emptied set, then failed":  {{known("a:1"), "a:1", "bound"}, {known(), nohosts, "Neg"}, {failed, "boom", "Failed: boom"}},
		"replaced by another set":   {{known("a:1"), "a:1", "bound"}, {known("b:1"), "b:1", "bound"}},
		"failure replaces failures": {{failed, "boom", "Failed: boom"}, {naming.Failed[weft.EndpointSet](errors.New("bang")), "bang", "Failed: bang"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, single, transport.Options{})
				w.put("x", addrs{})
				d := w.Dest(path("/svc/x"), nil)
				defer d.Release()
				for i, s := range steps {
					w.put("x", s.state)
					synctest.Wait()
					ctx, cancel := context.WithTimeout(t.Context(), time.Second)
					p, err := pick(ctx, d)
					cancel()
					var got string
					switch {
					case err == nil:
						got = p.Endpoint.Addr()
						p.Done(weft.Result{})
					case errors.Is(err, context.DeadlineExceeded):
						got = waits
					default:
						got = err.Error()
						assert.True(t, weft.IsUnsent(err))
					}
					assert.Contains(t, got, s.want, "step %d", i)
					require.Len(t, w.Clients(), 1)
					assert.Equal(t, s.shown, w.Clients()[0].State(), "step %d", i)
				}
			})
		})
	}
}

// H04 and §4.10.
func TestBindingTimeout(t *testing.T) {
	pending := weft.Const[addrs]{}
	for name, row := range map[string]struct {
		state   bound
		timeout time.Duration
		path    string
		want    string
	}{
		"H04": {bound{}, 0, "/foo", "Exceeded 10.seconds binding timeout while resolving name: /foo"},
		"own timeout": {
			bound{},
			1500 * time.Millisecond, "/svc/foo",
			"Exceeded 1.seconds+500.milliseconds binding timeout while resolving name: /svc/foo",
		},
		"no addresses": {
			naming.Ok(leaf("/#/io.l5d.fs/foo", pending)),
			90 * time.Second, "/svc/foo",
			"Exceeded 1.minutes+30.seconds binding timeout while connecting to /#/io.l5d.fs/foo for name: /svc/foo",
		},
		"no addresses in any branch": {
			naming.Ok(dtab.UnionOf(leaf("/#/a", pending).Weighing(1), leaf("/#/b", pending).Weighing(3))),
			0, "/svc/foo",
			"Exceeded 10.seconds binding timeout while connecting to /#/a & 3.00*/#/b for name: /svc/foo",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				in := &script{}
				in.Store(row.state)
				r := newRouter(t, transport.Options{Interpreter: in, BindingTimeout: row.timeout})
				d := r.Dest(path(row.path), nil)
				defer d.Release()
				timeout := r.Options().BindingTimeout
				start := time.Now()
				errs := make(chan error, 1)
				go func() {
					_, err := d.Route(t.Context())
					errs <- err
				}()
				time.Sleep(timeout - time.Second)
				synctest.Wait()
				require.Empty(t, errs, "still waiting")

				err := <-errs
				assert.Equal(t, timeout, time.Since(start))
				var e *transport.BindingTimeoutError
				require.ErrorAs(t, err, &e)
				assert.EqualError(t, e, row.want)
				var we *weft.Error
				require.ErrorAs(t, err, &we)
				assert.Equal(t, weft.StageBind, we.Stage)
				assert.True(t, we.Unsent)
			})
		})
	}
}

// A change while waiting neither ends the wait nor starts it anew.
func TestBindingTimeoutSpansChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, single, transport.Options{})
		w.put("a", addrs{})
		w.put("b", addrs{})
		w.flip("/svc=>/#/w/a")
		start := time.Now()
		time.AfterFunc(4*time.Second, func() { w.flip("/svc=>/#/w/b") })
		_, err := w.request(t.Context(), "/svc")
		assert.ErrorContains(t, err, "while connecting to /#/w/b for name: /svc")
		assert.Equal(t, 10*time.Second, time.Since(start))
	})
}

func TestWaitEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRouter(t, transport.Options{Interpreter: &script{}})
		d := r.Dest(path("/svc/x"), nil)
		defer d.Release()
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(errBoom) })
		_, err := d.Route(ctx)
		assert.ErrorIs(t, err, errBoom)
	})
}

// TestWaitEndsWithAnswer: all requests that wait go on at the moment of the answer.
func TestWaitEndsWithAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "/svc=>/#/w", transport.Options{})
		w.put("x", addrs{})
		start := time.Now()
		time.AfterFunc(3*time.Second, func() { w.put("x", known("x:1")) })
		got := make(chan string, 20)
		for range cap(got) {
			go func() {
				addr, err := w.request(t.Context(), "/svc/x")
				got <- fmt.Sprintf("%s %v %v", addr, err, time.Since(start))
			}()
		}
		for range cap(got) {
			assert.Equal(t, "x:1 <nil> 3s", <-got)
		}
		requireMetric(t, w, 20, "service", "svc/x", "requests")
	})
}

// TestNoHosts: every way to lead nowhere has the same text.
func TestNoHosts(t *testing.T) {
	const text = "Unable to route request!\n\nservice name: /svc/foo\ndtab:\n\n" +
		"base dtab:\n  /svc => /#/io.l5d.fs\noverride dtab:\n\n"
	op := func(op dtab.Op) dtab.Tree[*naming.Bound] { return dtab.Tree[*naming.Bound]{Op: op} }
	for name, tree := range map[string]dtab.Tree[*naming.Bound]{
		"neg": op(dtab.Neg), "fail": op(dtab.Fail), "empty": op(dtab.Empty),
		"no endpoints":  fixed("/#/a"),
		"no set":        leaf("/#/a", weft.Const[addrs]{V: naming.Ok(weft.EndpointSet{Neg: true})}),
		"empty in both": dtab.UnionOf(op(dtab.Empty).Weighing(1), fixed("/#/a").Weighing(1)),
	} {
		t.Run(name, func(t *testing.T) {
			in := &script{}
			in.Store(naming.Ok(tree))
			r := newRouter(t, transport.Options{Interpreter: in, Base: dtab.MustParse("/svc=>/#/io.l5d.fs")})
			d := r.Dest(path("/svc/foo"), nil)
			defer d.Release()
			_, err := pick(t.Context(), d)
			var e *transport.NoHostsError
			require.ErrorAs(t, err, &e)
			require.ErrorIs(t, err, transport.ErrNoHosts)
			assert.Equal(t, text, e.Error())
			assert.True(t, weft.IsUnsent(err))
		})
	}
}

func TestNoHostsShowsBothDtabs(t *testing.T) {
	e := &transport.NoHostsError{Path: path("/svc/foo"), Local: dtab.MustParse("/a=>/b;/c => /d | /e")}
	assert.True(t, strings.HasSuffix(e.Error(), "\ndtab:\n\nbase dtab:\n\noverride dtab:\n  /a => /b\n  /c => /d | /e\n"), e.Error())
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, single, transport.Options{})
		w.put("slow", addrs{})
		held := w.Dest(path("/svc/x"), nil)
		route, err := held.Route(t.Context())
		require.NoError(t, err)
		under := mustPick(t, held)

		waiting := make(chan error, 1)
		go func() {
			_, err := w.request(t.Context(), "/svc/slow")
			waiting <- err
		}()
		synctest.Wait()
		require.NoError(t, w.Close())
		require.NoError(t, w.Close(), "again")
		require.ErrorIs(t, <-waiting, transport.ErrClosed, "what waits fails")

		_, err = w.request(t.Context(), "/svc/x")
		require.ErrorIs(t, err, transport.ErrClosed, "a name that was known")
		_, err = w.request(t.Context(), "/svc/y")
		require.ErrorIs(t, err, transport.ErrClosed, "a new name")
		_, err = held.Route(t.Context())
		require.ErrorIs(t, err, transport.ErrClosed, "a Dest that is held")
		_, err = route.Pick(t.Context(), weft.Call{})
		require.ErrorIs(t, err, transport.ErrClosed, "a route that is held")

		assert.Equal(t, []string{"x:80"}, w.connected(), "requests under way keep their connections")
		under.Done(weft.Result{})
		held.Done(weft.Result{})
		synctest.Wait()
		assert.Empty(t, w.connected())
		assert.Empty(t, w.watched())
		assert.Empty(t, w.Clients())
		assert.Empty(t, w.scopes("service"))
		assert.Empty(t, w.scopes("client"))
	})
}

func TestRouterNeedsInterpreter(t *testing.T) {
	_, err := transport.NewRouter(transport.Options{})
	assert.ErrorContains(t, err, "Interpreter")
}

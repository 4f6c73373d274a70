package thriftapi

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/interpreter/namerd/namerthrift"
)

// TestLimits is row 115: of three things to wait for there may be two.
func TestLimits(t *testing.T) {
	w := newWorld(t, map[string]string{"default": "/svc=>/#/io.l5d.static"})
	p := w.serve(Options{Bindings: CacheOptions{Active: 2}}).dial(t)
	one := p.bind(2, "/svc/one", "", nil).Success.Stamp
	two := p.bind(2, "/svc/two", "", nil).Success.Stamp
	p.ask(3, namerthrift.MethodBind, bindArgs("/svc/one", "", one))
	p.ask(4, namerthrift.MethodBind, bindArgs("/svc/two", "", two))
	p.silent()
	require.Eventually(t, func() bool {
		r := p.bind(5, "/svc/three", "", nil)
		return r.Failure != nil && assert.Equal(t, "The maximum number of concurrent observations has been reached (2)", r.Failure.Reason)
	}, eventually, time.Millisecond)
	p.bind(6, "/svc/one", "", nil) // one that there is does not count
	p.say(muxTdiscarded, 0, "\x00\x00\x03never mind")
	p.expect(muxRdiscarded, 3, "")
	require.Eventually(t, func() bool { return p.bind(7, "/svc/three", "", nil).Success != nil }, eventually, time.Millisecond)
}

// TestObservations: how long what nobody waits for is kept.
func TestObservations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := weft.NewVar(naming.Ok(1))
		open, opened := map[string]context.Context{}, 0
		o := newObservations(t.Context(), CacheOptions{Active: 3, Inactive: 2, TTL: time.Minute}, newStamps(), func(a, b int) bool { return a == b },
			func(ctx context.Context, key string) weft.Source[naming.State[int]] {
				open[key] = ctx
				opened++
				return src
			})
		defer o.close()
		ask := func(key string, stamp []byte) []byte {
			t.Helper()
			_, next, err := o.poll(t.Context(), key, stamp)
			require.NoError(t, err)
			return next
		}
		alive := func() (n int) {
			o.mu.Lock()
			defer o.mu.Unlock()
			for _, ctx := range open {
				if ctx.Err() == nil {
					n++
				}
			}
			return n
		}
		stamp := ask("a", nil)
		assert.Equal(t, stamp, ask("a", nil))
		assert.Equal(t, 1, opened, "it is kept for the next request")
		for i := range 9 {
			ask(fmt.Sprint(i), nil)
		}
		assert.Equal(t, 5, alive(), "all that may be, for a moment")
		time.Sleep(grace)
		synctest.Wait()
		assert.Equal(t, 2, alive())
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Zero(t, alive())
		assert.NotEqual(t, stamp, ask("a", stamp), "an observation that was forgotten has other stamps")

		src.Store(naming.State[int]{Value: 1, Known: true, Err: errors.New("in doubt")})
		kept := ask("a", nil)
		src.Store(naming.Ok(1))
		assert.Equal(t, kept, ask("a", nil), "the same value has the same stamp")
		src.Store(naming.Failed[int](errors.New("x")))
		failed := ask("a", kept)
		src.Store(naming.Failed[int](errors.New("x")))
		assert.Equal(t, failed, ask("a", nil))
		src.Store(naming.Failed[int](errors.New("y")))
		assert.NotEqual(t, failed, ask("a", nil))

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, _, err := o.poll(ctx, "a", ask("a", nil))
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

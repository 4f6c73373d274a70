package zk

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

// follow starts a resolution of a serverset that the test sets, and returns what it
// published last.
func followed(t *testing.T, hold time.Duration, resolve Resolve) (src *weft.Var[naming.State[serverset]], last func() string) {
	t.Helper()
	src = &weft.Var[naming.State[serverset]]{}
	var out weft.Var[naming.State[weft.EndpointSet]]
	r := resolution[serverset]{src: src, resolve: resolve, hold: hold, choose: func(s serverset) choice { return s.choose(job{shard: -1}) }}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		assert.NoError(t, r.follow(ctx, func(s naming.State[weft.EndpointSet]) {
			if !s.Known { // as Shared does
				old, _ := out.Load()
				s.Value, s.Known = old.Value, old.Known
			}
			out.Store(s)
		}))
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return src, func() string {
		synctest.Wait()
		s, _ := out.Load()
		text := ""
		switch {
		case s.Pending():
			return "pending"
		case !s.Known:
			return "failed: " + s.Err.Error()
		case s.Value.Neg:
			text = "neg"
		}
		for _, e := range s.Value.Endpoints {
			text += e.Addr + " "
		}
		if s.Err != nil {
			text += "(stale)"
		}
		return text
	}
}

func of(hosts ...string) naming.State[serverset] {
	var s serverset
	for _, h := range hosts {
		s.members = append(s.members, member{name: h, service: hostPort{h, 80}, status: alive, shard: -1})
	}
	return naming.Ok(s)
}

func TestRemovalsAreHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src, last := followed(t, time.Second, nil)
		assert.Equal(t, "pending", last())
		src.Store(of("10.0.0.1", "10.0.0.2"))
		assert.Equal(t, "10.0.0.1:80 10.0.0.2:80 ", last())
		src.Store(of("10.0.0.1"))
		time.Sleep(600 * time.Millisecond)
		assert.Equal(t, "10.0.0.1:80 10.0.0.2:80 ", last())
		src.Store(of("10.0.0.3"))
		assert.Equal(t, "10.0.0.3:80 10.0.0.1:80 10.0.0.2:80 ", last())
		time.Sleep(400 * time.Millisecond)
		assert.Equal(t, "10.0.0.3:80 10.0.0.1:80 ", last(), "each for its own time")
		src.Store(of("10.0.0.1", "10.0.0.3"))
		time.Sleep(time.Minute)
		assert.Equal(t, "10.0.0.1:80 10.0.0.3:80 ", last(), "who is back stays")
		src.Store(naming.Ok(serverset{absent: true}))
		time.Sleep(999 * time.Millisecond)
		assert.Equal(t, "10.0.0.1:80 10.0.0.3:80 ", last())
		time.Sleep(time.Millisecond)
		assert.Equal(t, "neg", last())
	})
}

func TestWhoIsDownIsNotHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src, last := followed(t, time.Second, nil)
		src.Store(of("10.0.0.1", "10.0.0.2"))
		assert.Equal(t, "10.0.0.1:80 10.0.0.2:80 ", last())
		down := of("10.0.0.1", "10.0.0.2")
		down.Value.members[1].status = "DEAD"
		src.Store(down)
		assert.Equal(t, "10.0.0.1:80 ", last())
	})
}

func TestHostNamesAreResolved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		known := map[string]*weft.Var[naming.State[weft.EndpointSet]]{"a": {}, "b": {}}
		live := map[string]int{}
		src, last := followed(t, 0, func(ctx context.Context, host, port string) weft.Source[naming.State[weft.EndpointSet]] {
			assert.Equal(t, "80", port)
			live[host]++
			context.AfterFunc(ctx, func() { live[host]-- })
			return known[host]
		})
		src.Store(of("a", "b"))
		assert.Equal(t, "pending", last())
		known["a"].Store(naming.Ok(weft.EndpointSet{Endpoints: []weft.Endpoint{{Addr: "10.0.0.1:80"}}}))
		assert.Equal(t, "10.0.0.1:80 ", last())
		known["b"].Store(naming.Ok(weft.EndpointSet{Neg: true}))
		assert.Equal(t, "10.0.0.1:80 (stale)", last())
		known["b"].Store(naming.Ok(weft.EndpointSet{Endpoints: []weft.Endpoint{{Addr: "10.0.0.2:80"}, {Addr: "10.0.0.1:80"}}}))
		assert.Equal(t, "10.0.0.1:80 10.0.0.2:80 ", last())
		known["a"].Store(naming.Failed[weft.EndpointSet](errors.New("no DNS")))
		known["b"].Store(naming.Failed[weft.EndpointSet](errors.New("no DNS")))
		assert.Equal(t, "10.0.0.1:80 10.0.0.2:80 (stale)", last(), "that they cannot be resolved does not take them away")
		src.Store(of("a"))
		last()
		assert.Equal(t, map[string]int{"a": 1, "b": 0}, live)
		src.Store(of())
		assert.Equal(t, "neg", last())
	})
}

func TestHostNamesWithoutAResolver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src, last := followed(t, 0, nil)
		src.Store(of("a.test"))
		assert.Equal(t, `failed: zk: "a.test": the host is not an IP address, and host names are not resolved`, last())
		src.Store(of("a.test", "10.0.0.1", "::1"))
		assert.Equal(t, "10.0.0.1:80 [::1]:80 (stale)", last())
	})
}

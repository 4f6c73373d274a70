package marathon_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/marathon"
)

// resolver says what hosts resolve to, and who is asking.
type resolver struct {
	hosts map[string]*weft.Var[naming.State[weft.EndpointSet]] // by host:port

	mu    sync.Mutex
	asked map[string]int // at present
}

func (r *resolver) resolve(ctx context.Context, host, port string) weft.Source[naming.State[weft.EndpointSet]] {
	key := host + ":" + port
	r.note(key, 1)
	context.AfterFunc(ctx, func() { r.note(key, -1) })
	return r.hosts[key]
}

func (r *resolver) note(key string, more int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked[key] += more
}

func addrs(list ...string) naming.State[weft.EndpointSet] {
	set := weft.EndpointSet{}
	for _, a := range list {
		set.Endpoints = append(set.Endpoints, weft.Endpoint{Addr: a})
	}
	return naming.Ok(set)
}

func TestHostsOfTasksMayBeNames(t *testing.T) {
	r := &resolver{hosts: map[string]*weft.Var[naming.State[weft.EndpointSet]]{"one:1": {}, "two:2": {}}, asked: map[string]int{}}
	inWorld(t, marathon.Config{}, marathon.Options{Resolve: r.resolve}, func(w *world) {
		one, two := r.hosts["one:1"], r.hosts["two:2"]
		w.list("/web")
		w.app("/web", task("one", 1), task("9.9.9.9", 9))
		x := w.watch("/web")
		w.pass(0)
		assert.Equal(t, "/#/io.l5d.marathon/web 9.9.9.9:9", x.text(), "what is known has to do")
		one.Store(addrs("1.1.1.1:1", "9.9.9.9:9"))
		w.pass(0)
		assert.Equal(t, "/#/io.l5d.marathon/web 1.1.1.1:1 9.9.9.9:9", x.text(), "no duplicates")

		w.app("/web", task("one", 1), task("two", 2))
		w.pass(ttl)
		assert.Equal(t, "/#/io.l5d.marathon/web 1.1.1.1:1 9.9.9.9:9", x.text(), "what was known until all is")
		two.Store(addrs("2.2.2.2:2"))
		w.pass(0)
		assert.Equal(t, "/#/io.l5d.marathon/web 1.1.1.1:1 9.9.9.9:9 2.2.2.2:2", x.text())

		w.stop()
		w.pass(time.Minute)
		assert.Equal(t, "/#/io.l5d.marathon/web 1.1.1.1:1 9.9.9.9:9 2.2.2.2:2 (stale)", x.text())
		s := w.namer.Watches()[1]
		assert.Greater(t, time.Since(s.Updated), 50*time.Second, "an outage is not news")
		two.Store(addrs("2.2.2.3:2"))
		w.pass(0)
		assert.Equal(t, "/#/io.l5d.marathon/web 1.1.1.1:1 9.9.9.9:9 2.2.2.3:2 (stale)", x.text(), "names are followed through an outage")
		w.start()
		w.pass(ttl)

		one.Store(naming.Ok(weft.EndpointSet{Neg: true}))
		w.pass(0)
		assert.Equal(t, "/#/io.l5d.marathon/web 2.2.2.3:2 (stale)", x.text())
		require.ErrorIs(t, x.err(), marathon.ErrUnknownHost)
		two.Store(naming.Failed[weft.EndpointSet](errors.New("dns is away")))
		w.pass(0)
		assert.Equal(t, "/#/io.l5d.marathon/web 2.2.2.3:2 (stale)", x.text(), "no address at all is not an answer")

		w.app("/web", task("1.2.3.4", 1))
		w.pass(ttl)
		assert.Equal(t, web, x.text())
		r.mu.Lock()
		defer r.mu.Unlock()
		assert.Equal(t, map[string]int{"one:1": 0, "two:2": 0}, r.asked, "nobody follows them any more")
	})
}

func TestHostsThatNothingResolves(t *testing.T) {
	inWorld(t, marathon.Config{}, marathon.Options{}, func(w *world) {
		w.list("/web", "/other")
		w.app("/web", task("agent-1", 1))
		w.app("/other", task("agent-1", 1), task("1.2.3.4", 1))
		x, y := w.watch("/web"), w.watch("/other")
		w.pass(0)
		assert.Equal(t, "failed", x.text())
		require.ErrorContains(t, x.err(), `host "agent-1": is not an IP address`)
		assert.Equal(t, "/#/io.l5d.marathon/other 1.2.3.4:1 (stale)", y.text())
	})
}

func TestMalformedTasksAreLeftOutAndSaidOnce(t *testing.T) {
	inWorld(t, marathon.Config{}, marathon.Options{}, func(w *world) {
		w.list("/web")
		bad := `{"id":"bad","host":"1.2.3.4","ports":[70000]}`
		w.app("/web", bad, task("1.2.3.4", 1))
		x := w.watch("/web")
		w.pass(time.Minute)
		assert.Equal(t, web, x.text())
		assert.Equal(t, 1, w.logs.count("level=WARN"), "%v", w.logs)
		assert.Equal(t, 1, w.logs.count(`in=/web id=bad err="port 70000: want 1 to 65535"`), "%v", w.logs)
		assert.EqualValues(t, 1, w.namer.Skipped())
		w.app("/web", `{"id":"bad","host":"1.2.3.4","ports":[70001]}`, task("1.2.3.4", 1))
		w.pass(time.Minute)
		assert.EqualValues(t, 2, w.namer.Skipped())
	})
}

func TestUseHealthCheck(t *testing.T) {
	inWorld(t, marathon.Config{UseHealthCheck: true}, marathon.Options{}, func(w *world) {
		doc := func(alive string) said {
			return said{body: `{"app":{"id":"/web","healthChecks":[{}],"tasks":[
				{"host":"1.2.3.4","ports":[1],"state":"TASK_RUNNING","healthCheckResults":[{"alive":` + alive + `}]}]}}`}
		}
		w.list("/web")
		w.say(appPath("/web"), doc("false"))
		x := w.watch("/web")
		w.pass(0)
		assert.Equal(t, "Neg", x.text())
		w.say(appPath("/web"), doc("true"))
		w.pass(ttl)
		assert.Equal(t, web, x.text())
	})
}

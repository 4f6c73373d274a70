package marathon_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/marathon"
)

const ttl = 5 * time.Second

func TestN20NamesAreLowerCasedAndResidualsAreNot(t *testing.T) {
	inWorld(t, marathon.Config{}, marathon.Options{}, func(w *world) {
		w.list("/service/name")
		w.app("/service/name", task("1.2.3.4", 7000), task("5.6.7.8", 7003))
		x := w.watch("/Service/Name/Residual/a")
		w.pass(0)
		assert.Equal(t, "/#/io.l5d.marathon/service/name+/Residual/a 1.2.3.4:7000 5.6.7.8:7003", x.text())
		id := w.watch("/service/name")
		w.pass(0)
		assert.Equal(t, "/#/io.l5d.marathon/service/name 1.2.3.4:7000 5.6.7.8:7003", id.text(), "the id leads to the same")
	})
}

func TestN21NegForUnknownAppsAndThoseWithoutTasks(t *testing.T) {
	inWorld(t, marathon.Config{}, marathon.Options{}, func(w *world) {
		w.list("/empty", "/staging")
		w.app("/empty")
		w.app("/staging", `{"id":"t","host":"1.2.3.4","state":"TASK_STAGING"}`)
		unknown, empty, staging, root := w.watch("/unknown"), w.watch("/empty/x"), w.watch("/staging"), w.watch("/")
		w.pass(0)
		assert.Equal(t, "Neg", unknown.text())
		assert.Equal(t, "Neg", empty.text())
		assert.Equal(t, "Neg", staging.text())
		assert.Equal(t, "Neg", root.text())
		w.app("/empty", task("1.2.3.4", 1))
		w.list("/empty", "/unknown")
		w.app("/unknown", task("1.2.3.4", 2))
		w.pass(ttl)
		assert.Equal(t, "/#/io.l5d.marathon/empty+/x 1.2.3.4:1", empty.text())
		assert.Equal(t, "/#/io.l5d.marathon/unknown 1.2.3.4:2", unknown.text())
		assert.Zero(t, w.logs.count("WARN"))
	})
}

func TestN22FailuresOfTheList(t *testing.T) {
	inWorld(t, marathon.Config{}, marathon.Options{}, func(w *world) {
		w.fail(said{status: 503, body: "leader unknown"})
		x := w.watch("/web")
		w.pass(time.Minute)
		assert.Equal(t, "failed", x.text())
		require.ErrorContains(t, x.err(), `/v2/apps: status 503 Service Unavailable: "leader unknown"`)
		assert.InDelta(t, 20, w.count(""), 6, "with back-off up to the TTL")
		assert.Equal(t, 1, w.logs.count("level=WARN"), w.logs)

		w.list("/web")
		w.app("/web", task("1.2.3.4", 1))
		w.fail(said{})
		w.pass(ttl)
		assert.Equal(t, "/#/io.l5d.marathon/web 1.2.3.4:1", x.text())
		assert.Equal(t, 1, w.logs.count("no longer fails"), w.logs)

		w.say("/v2/apps", said{status: 500})
		w.pass(time.Minute)
		assert.Equal(t, "/#/io.l5d.marathon/web 1.2.3.4:1 (stale)", x.text())
		w.app("/web", task("1.2.3.4", 2))
		w.pass(ttl)
		assert.Equal(t, "/#/io.l5d.marathon/web 1.2.3.4:2 (stale)", x.text(), "the app can be asked all the same")
		w.list("/web")
		w.pass(ttl)
		assert.Equal(t, "/#/io.l5d.marathon/web 1.2.3.4:2", x.text())
	})
}

func TestFailuresOfAnApp(t *testing.T) {
	inWorld(t, marathon.Config{}, marathon.Options{}, func(w *world) {
		w.list("/web")
		w.say(appPath("/web"), said{status: 500})
		x := w.watch("/web")
		w.pass(0)
		assert.Equal(t, "failed", x.text())
		w.app("/web", task("1.2.3.4", 1))
		w.pass(time.Second)
		assert.Equal(t, "/#/io.l5d.marathon/web 1.2.3.4:1", x.text(), "the first retry comes soon")
		w.say(appPath("/web"), said{status: 500})
		w.pass(time.Minute)
		assert.Equal(t, "/#/io.l5d.marathon/web 1.2.3.4:1 (stale)", x.text())
		assert.Equal(t, 2, w.logs.count("level=WARN"), w.logs)
	})
}

// A removed app is Neg because the list says so. That it cannot be asked for any
// more is nothing to worry about.
func TestAppsComeAndGo(t *testing.T) {
	inWorld(t, marathon.Config{}, marathon.Options{}, func(w *world) {
		w.list("/prod/web")
		w.app("/prod/web", task("1.2.3.4", 1))
		x := w.watch("/prod/Web/R")
		w.pass(0)
		assert.Equal(t, "/#/io.l5d.marathon/prod/web+/R 1.2.3.4:1", x.text())

		w.list("/prod", "/prod/web")
		w.app("/prod", task("1.2.3.4", 2))
		w.pass(ttl)
		assert.Equal(t, "/#/io.l5d.marathon/prod+/Web/R 1.2.3.4:2", x.text(), "the shortest prefix wins")

		w.list("/prod/web")
		w.say(appPath("/prod"), said{status: 404})
		w.pass(ttl)
		assert.Equal(t, "/#/io.l5d.marathon/prod/web+/R 1.2.3.4:1", x.text())

		w.list()
		w.say(appPath("/prod/web"), said{status: 404})
		w.pass(ttl)
		assert.Equal(t, "Neg", x.text())
		w.pass(time.Minute)
		assert.Equal(t, "Neg", x.text())
		assert.Zero(t, w.logs.count("WARN"), w.logs)
	})
}

func TestPollsAreSharedAndEnd(t *testing.T) {
	inWorld(t, marathon.Config{}, marathon.Options{}, func(w *world) {
		w.list("/a", "/b", "/never-observed")
		w.app("/a", task("1.2.3.4", 1))
		w.app("/b", task("1.2.3.4", 2))
		ctx, cancel := context.WithCancel(w.t.Context())
		all := []*watched{}
		for _, name := range []string{"/a", "/A/x", "/a/y", "/b", "/b/z", "/none"} {
			x := watch(ctx, w.namer, name)
			all = append(all, x)
		}
		w.pass(time.Second)
		for _, x := range all {
			x.text() // observes the endpoints
		}
		w.pass(time.Minute)
		assert.Equal(t, 13, w.count("/v2/apps"))
		assert.Equal(t, 13, w.count(appPath("/a")))
		assert.Equal(t, 13, w.count(appPath("/b")))
		assert.Equal(t, 39, w.count(""))

		list := w.namer.Watches()
		require.Len(t, list, 3)
		assert.Equal(t, "/v2/apps", list[0].Watching)
		assert.Equal(t, "3 apps", list[0].Answer)
		assert.Equal(t, "/a", list[1].Watching)
		assert.Equal(t, "2017-01-01T00:00:00.000Z", list[1].Version)
		assert.EqualValues(t, 13, list[1].Updates)
		assert.Less(t, time.Since(list[1].Updated), ttl)
		names, err := w.namer.Names()
		require.NoError(t, err)
		assert.Equal(t, []dtab.Path{
			dtab.MustPath("/#/io.l5d.marathon/a"), dtab.MustPath("/#/io.l5d.marathon/b"), dtab.MustPath("/#/io.l5d.marathon/never-observed"),
		}, names)

		cancel()
		w.pass(20 * time.Second) // lingering
		before := w.count("")
		w.pass(time.Minute)
		assert.Equal(t, before, w.count(""))
		assert.Empty(t, w.namer.Watches())
	})
}

func TestJitter(t *testing.T) {
	period, jitter := 2*time.Second, 500*time.Millisecond
	inWorld(t, marathon.Config{TTL: &period, Jitter: &jitter}, marathon.Options{}, func(w *world) {
		w.list()
		w.watch("/x")
		w.pass(10 * time.Minute)
		w.mu.Lock()
		defer w.mu.Unlock()
		times := w.times["/v2/apps"]
		least, most, sum := time.Hour, time.Duration(0), time.Duration(0)
		for i := range times[1:] {
			d := times[i+1].Sub(times[i])
			least, most, sum = min(least, d), max(most, d), sum+d
		}
		assert.GreaterOrEqual(t, least, period-jitter)
		assert.LessOrEqual(t, most, period+jitter)
		assert.Greater(t, most-least, jitter)
		assert.InDelta(t, period.Seconds(), (sum / time.Duration(len(times)-1)).Seconds(), 0.15)
	})
}

func TestATTLOfNothingIsNotABusyLoop(t *testing.T) {
	inWorld(t, marathon.Config{TTL: new(time.Duration)}, marathon.Options{}, func(w *world) {
		w.list()
		w.watch("/x")
		w.pass(2 * time.Second)
		assert.InDelta(t, 100, w.count(""), 2)
		w.fail(said{status: 500})
		w.pass(2 * time.Second)
		assert.Less(t, w.count(""), 210)
	})
}

// What is not Marathon's answer is a failure, with status 200 too.
func TestGarbageIsNeverNeg(t *testing.T) {
	lists := []string{
		"", "null", "[]", "{}", "<html>login</html>", `{"apps":null}`, `{"apps":{}}`, `{"apps":[`, `{"apps":[]} x`,
		`{"message":"App '/web' does not exist"}`, `{"apps":["/web"]}`, `{"apps":[{"id":"web"}]}`, `{"apps":[{"id":7}]}`, `{"apps":[{}]}`,
	}
	apps := []string{
		"", "null", "[]", "{}", "<html>login</html>", `{"app":null}`, `{"app":{}}`, `{"app":[]}`, `{"app":{"id":"/web"}}`,
		`{"app":{"id":"/web","tasks":null}}`, `{"app":{"id":"/web","tasks":{}}}`, `{"app":{"id":"/other","tasks":[]}}`, `{"app":{"tasks":[]}}`,
		`{"app":{"id":"/web","tasks":[]`, `{"message":"App '/web' does not exist"}`,
		`{"app":{"id":"/web","tasks":[null]}}`, `{"app":{"id":"/web","tasks":[{"host":"1.2.3.4","ports":[0]}]}}`,
		`{"app":{"id":"/web","tasks":[{"host":"1.2.3.4","ports":[65536]}]}}`, `{"app":{"id":"/web","tasks":[{"host":"1.2.3.4","ports":"80"}]}}`,
		`{"app":{"id":"/web","ipAddress":{"discovery":{"ports":[{"number":80}]}},"tasks":[{"ipAddresses":[{"ipAddress":"web.internal"}]}]}}`,
	}
	inWorld(t, marathon.Config{}, marathon.Options{}, func(w *world) {
		x := w.watch("/web")
		w.app("/web", task("1.2.3.4", 1))
		for _, body := range lists {
			w.say("/v2/apps", said{body: body})
			w.pass(ttl)
			assert.Equal(t, "failed", x.text(), "list %q", body)
		}
		assert.ErrorContains(t, x.err(), "unintelligible answer")
		w.list("/web")
		for _, body := range apps {
			w.say(appPath("/web"), said{body: body})
			w.pass(ttl)
			assert.Equal(t, "failed", x.text(), "app %q", body)
		}
		w.app("/web", task("1.2.3.4", 1))
		w.pass(ttl)
		const good = "/#/io.l5d.marathon/web 1.2.3.4:1"
		assert.Equal(t, good, x.text())
		for _, body := range lists {
			w.say("/v2/apps", said{body: body})
			w.pass(ttl)
			assert.Equal(t, good+" (stale)", x.text(), "list %q", body)
		}
		w.list("/web")
		for _, body := range apps {
			w.say(appPath("/web"), said{body: body})
			w.pass(ttl)
			assert.Equal(t, good+" (stale)", x.text(), "app %q", body)
		}
		assert.LessOrEqual(t, w.logs.count("kind=content"), 8, "%v", w.logs)
	})
}

func TestSlowAnswersAndRestarts(t *testing.T) {
	inWorld(t, marathon.Config{}, marathon.Options{}, func(w *world) {
		w.list("/web")
		w.app("/web", task("1.2.3.4", 1))
		x := w.watch("/web")
		w.pass(0)
		const good = "/#/io.l5d.marathon/web 1.2.3.4:1"
		assert.Equal(t, good, x.text())

		w.fail(said{hang: true})
		w.pass(20 * time.Second)
		assert.Equal(t, good, x.text(), "not late yet")
		w.pass(6 * time.Second)
		assert.Equal(t, good+" (stale)", x.text())
		require.ErrorContains(t, x.err(), "no answer within 20s")
		w.fail(said{})
		w.pass(30 * time.Second)
		assert.Equal(t, good, x.text())

		w.stop()
		w.pass(2 * time.Minute)
		assert.Equal(t, good+" (stale)", x.text())
		w.app("/web", task("1.2.3.4", 2))
		w.start()
		w.pass(ttl)
		assert.Equal(t, "/#/io.l5d.marathon/web 1.2.3.4:2", x.text())
		assert.LessOrEqual(t, w.logs.count("level=WARN"), 3, "%v", w.logs)
	})
}

func TestClosed(t *testing.T) {
	inWorld(t, marathon.Config{}, marathon.Options{}, func(w *world) {
		w.list("/web")
		w.app("/web", task("1.2.3.4", 1))
		x := w.watch("/web")
		w.pass(0)
		x.text()
		require.NoError(t, w.namer.Close())
		assert.Equal(t, "/#/io.l5d.marathon/web 1.2.3.4:1", x.text(), "what has been handed out stands still")
		s, _ := w.namer.Lookup(w.t.Context(), dtab.MustPath("/web")).Load()
		require.ErrorIs(t, s.Err, naming.ErrClosed)
	})
}

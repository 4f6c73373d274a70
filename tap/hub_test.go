package tap_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/tap"
)

func TestWatched(t *testing.T) {
	var none *tap.Hub
	assert.False(t, none.Watched())
	none.Offer(event(), nil)

	var h tap.Hub
	assert.False(t, h.Watched())
	w, err := h.Watch(tap.WatchOptions{})
	require.NoError(t, err)
	assert.True(t, h.Watched())
	require.NoError(t, w.Close())
	require.NoError(t, w.Close())
	assert.False(t, h.Watched())
	<-w.Ended()
}

// TestEventIsACopy: adapters use their memory again, and others may have the event.
func TestEventIsACopy(t *testing.T) {
	var h tap.Hub
	a, b := watch(t, &h, ""), watch(t, &h, "")
	e, name, value := event(), []byte("X-A"), "one"
	h.Offer(e, fields(string(name), value, "X-A", "two"))
	want := *event()
	want.RequestHeaders = map[string]string{"X-A": "one, two"}
	e.Service = "other"
	first := got(a)
	require.NotNil(t, first)
	assert.Equal(t, want, *first)
	assert.Same(t, first, got(b))
}

// TestCredentialsAreNotShown: whatever the filter says, and in a query too.
func TestCredentialsAreNotShown(t *testing.T) {
	var h tap.Hub
	w := watch(t, &h, "header=cookie")
	e := event()
	e.Path = "/a?x=1&access_token=hunter2&b&api%2dkey=hunter2&code=hunter2&token="
	names := []string{
		"Authorization", "Cookie", "Set-Cookie", "Proxy-Authorization", "X-Api-Key", "X-Auth-Token", "X-Amz-Security-Token",
		"X-Forwarded-Client-Cert", "My-Secret", "X-Session-Id", "x-vault-token", "X-CSRF-Token", "Auth-Key", "X-My-Auth",
	}
	var pairs []string
	for _, n := range names {
		pairs = append(pairs, n, "hunter2", n, "hunter2")
	}
	h.Offer(e, fields(append(pairs, "Author", "shown")...))
	g := got(w)
	require.NotNil(t, g)
	text, err := json.Marshal(g)
	require.NoError(t, err)
	assert.NotContains(t, string(text), "hunter2")
	for _, n := range names {
		assert.Equal(t, tap.Redacted, g.RequestHeaders[n], n)
	}
	assert.Equal(t, "shown", g.RequestHeaders["Author"])
	assert.Equal(t, "/a?x=1&access_token=(redacted)&b&api%2dkey=(redacted)&code=(redacted)&token=", g.Path)

	w, err = h.Watch(tap.WatchOptions{Filter: tap.Filter{Headers: []tap.HeaderFilter{{Name: "cookie", Value: "hunter*"}}}})
	require.NoError(t, err)
	defer w.Close()
	h.Offer(e, fields(pairs...))
	assert.Nil(t, got(w), "credentials could be guessed")
	for _, guess := range []string{"access_token=h*", "access_token=hunter2*"} {
		w := watch(t, &h, "path=*%3f*"+strings.ReplaceAll(guess, "=", "%3d"))
		h.Offer(e, fields(pairs...))
		assert.Nil(t, got(w), guess)
	}
}

// TestRate: of what comes evenly, or all at once, the watcher gets its rate, and knows
// how much it did not get.
func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h tap.Hub
		w := watch(t, &h, "rate=20")
		seen, offered, dropped := 0, 0, uint64(0)
		for range 10 {
			for range 100 {
				h.Offer(event(), nil)
				offered++
				time.Sleep(10 * time.Millisecond)
			}
			for got(w) != nil {
				seen++
			}
			dropped += w.Dropped()
		}
		assert.InDelta(t, 20*10+20, seen, 2) // the second that comes at once, too
		assert.Equal(t, offered, seen+int(dropped))

		time.Sleep(time.Minute)
		for range 100 {
			h.Offer(event(), nil)
		}
		seen = 0
		for got(w) != nil {
			seen++
		}
		assert.Equal(t, 20, seen)
		assert.EqualValues(t, 80, w.Dropped())
	})
}

// TestRateBounds: who says nothing gets the default, and nobody more than there is.
func TestRateBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for rate, want := range map[float64]int{0: tap.DefaultRate, -1: tap.DefaultRate, 50: 50, 5 * tap.MaxRate: tap.MaxRate} {
			var h tap.Hub
			w, err := h.Watch(tap.WatchOptions{Rate: rate})
			require.NoError(t, err)
			seen := 0
			for range 2 * tap.MaxRate {
				h.Offer(event(), nil)
				if got(w) != nil {
					seen++
				}
			}
			assert.Equal(t, want, seen, "%v at once", rate)
			require.NoError(t, w.Close())
		}
	})
}

func TestSlowRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h tap.Hub
		w := watch(t, &h, "rate=0.1")
		h.Offer(event(), nil)
		h.Offer(event(), nil)
		assert.NotNil(t, got(w))
		assert.Nil(t, got(w))
		time.Sleep(11 * time.Second)
		h.Offer(event(), nil)
		assert.NotNil(t, got(w))
	})
}

// TestSlowWatcher: one that takes nothing holds nobody up and loses what is too much.
func TestSlowWatcher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h tap.Hub
		w := watch(t, &h, "rate=1000")
		for range 3000 {
			h.Offer(event(), nil)
			time.Sleep(2 * time.Millisecond)
		}
		assert.EqualValues(t, 3000-1024, w.Dropped())
	})
}

func TestTooManyWatchers(t *testing.T) {
	var h tap.Hub
	for range tap.MaxWatchers {
		watch(t, &h, "")
	}
	_, err := h.Watch(tap.WatchOptions{})
	assert.ErrorIs(t, err, tap.ErrTooMany)
}

func TestClose(t *testing.T) {
	var h tap.Hub
	w := watch(t, &h, "")
	require.NoError(t, h.Close())
	require.NoError(t, h.Close())
	<-w.Ended()
	assert.False(t, h.Watched())
	_, err := h.Watch(tap.WatchOptions{})
	assert.ErrorIs(t, err, tap.ErrClosed)
}

// TestComingAndGoing: watchers come and go while requests end.
func TestComingAndGoing(t *testing.T) {
	var h tap.Hub
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for range 200 {
				h.Offer(event(), fields("a", fmt.Sprint(i)))
			}
		})
		wg.Go(func() {
			for range 50 {
				w, err := h.Watch(tap.WatchOptions{Rate: tap.MaxRate})
				if !assert.NoError(t, err) {
					return
				}
				got(w)
				assert.NoError(t, w.Close())
			}
		})
	}
	wg.Wait()
	assert.False(t, h.Watched())
}

func BenchmarkUnwatched(b *testing.B) {
	var h tap.Hub
	b.ReportAllocs()
	for b.Loop() {
		if h.Watched() {
			b.Fatal("watched")
		}
	}
}

func BenchmarkFilteredOut(b *testing.B) {
	var h tap.Hub
	watch(b, &h, "path=/other/*&header=x: y")
	e, f := event(), fields("a", "b")
	b.ReportAllocs()
	for b.Loop() {
		h.Offer(e, f)
	}
}

package meshhttp_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/tap"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// tapped returns what a watcher has been shown so far.
func tapped(w *tap.Watcher) []*tap.Event {
	synctest.Wait()
	var all []*tap.Event
	for {
		select {
		case e := <-w.Events():
			all = append(all, e)
		default:
			return all
		}
	}
}

// inTappedWorld runs f with somebody who watches a client in the process.
func inTappedWorld(t *testing.T, s setup, f func(w *world, watcher *tap.Watcher)) {
	t.Helper()
	var hub tap.Hub
	s.mesh.Tap = &hub
	inWorld(t, s, func(w *world) {
		watcher, err := hub.Watch(tap.WatchOptions{})
		require.NoError(w.t, err)
		defer watcher.Close()
		f(w, watcher)
	})
}

// TestTapInProcess: who watches a client of the process sees a request when its response
// has ended, with what became of it in the mesh.
func TestTapInProcess(t *testing.T) {
	inTappedWorld(t, withClassifier(meshhttp.All), func(w *world, watcher *tap.Watcher) {
		t := w.t
		answers := []int{503, 200}
		ds := w.serve("ds", func(rw http.ResponseWriter, _ *http.Request) {
			rw.WriteHeader(answers[0])
			answers = answers[1:]
			_, _ = io.WriteString(rw, "hel")
			_ = http.NewResponseController(rw).Flush()
			time.Sleep(20 * time.Millisecond)
			_, _ = io.WriteString(rw, "lo")
		})
		begun := time.Now()
		req := call{method: "POST", host: "ds", uri: "/a?b=c&token=x", body: "123", header: []string{"X-A: b", "Authorization: secret"}}.request(t)
		resp, err := w.mesh.RoundTrip(req)
		require.NoError(t, err)
		assert.Empty(t, tapped(watcher), "the response has not ended")
		_, err = io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())

		got := tapped(watcher)
		require.Len(t, got, 1)
		e := got[0]
		assert.Equal(t, begun, e.Time)
		assert.InDelta(t, 40, e.LatencyMs, 0.001, "both attempts, to the end of the response")
		assert.Equal(t, "b", e.RequestHeaders["X-A"])
		assert.Equal(t, tap.Redacted, e.RequestHeaders["Authorization"])
		assert.Len(t, e.Trace, 16)
		assert.Equal(t, &tap.Event{
			Time: e.Time, Router: "r1", Protocol: "HTTP/1.1", Method: "POST", Host: "ds", Path: "/a?b=c&token=" + tap.Redacted,
			Service: "/svc/ds", Client: "/#/w/ds", Endpoint: ds.addr, Attempts: 2, Status: 200, Class: "success",
			LatencyMs: e.LatencyMs, RequestBytes: 3, ResponseBytes: 5, RequestHeaders: e.RequestHeaders, Trace: e.Trace,
		}, e)
	})
}

// TestTapOfFailures: requests that got no response are seen, too, wherever they failed.
func TestTapOfFailures(t *testing.T) {
	inTappedWorld(t, setup{}, func(w *world, watcher *tap.Watcher) {
		t := w.t
		gone := w.address()
		w.put("gone", gone)
		for _, r := range []struct {
			c                         call
			service, client, endpoint string
			in                        string // of the error
		}{
			{call{host: "gone"}, "/svc/gone", "/#/w/gone", gone, "refused"},
			{call{host: "neg"}, "/svc/neg", "", "", "unable to route"},
			{call{host: ""}, "", "", "", "Host"},
			{call{host: "gone", header: []string{"l5d-ctx-dtab: nonsense"}}, "", "", "", "[n]onsense"},
		} {
			_, err := w.mesh.RoundTrip(r.c.request(t))
			require.Error(t, err)
			got := tapped(watcher)
			if !assert.Len(t, got, 1, "%v", r.c) {
				continue
			}
			e := got[0]
			assert.Equal(t, []string{r.service, r.client, r.endpoint}, []string{e.Service, e.Client, e.Endpoint}, "%v", r.c)
			assert.Equal(t, "failure", e.Class)
			assert.Equal(t, err.Error(), e.Error)
			assert.Contains(t, strings.ToLower(e.Error), strings.ToLower(r.in))
			assert.Zero(t, e.Status)
			assert.False(t, e.Time.IsZero())
		}
	})
}

// TestTapOfBodies: what is not known of a body is -1, and who gives up a response is seen
// with what they got of it.
func TestTapOfBodies(t *testing.T) {
	inTappedWorld(t, setup{}, func(w *world, watcher *tap.Watcher) {
		t := w.t
		w.serve("ds", func(rw http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(rw, "hello")
			_ = http.NewResponseController(rw).Flush()
			if r.URL.Path == "/endless" {
				<-r.Context().Done()
			}
		})
		assert.Equal(t, 200, inProcess(t, w, call{method: "POST", host: "ds", body: "123", chunked: true}).StatusCode)
		got := tapped(watcher)
		require.Len(t, got, 1)
		assert.EqualValues(t, -1, got[0].RequestBytes)

		assert.Equal(t, 200, inProcess(t, w, call{host: "ds"}).StatusCode)
		got = tapped(watcher)
		require.Len(t, got, 1)
		assert.Zero(t, got[0].RequestBytes)

		resp, err := w.mesh.RoundTrip(call{host: "ds", uri: "/endless"}.request(t))
		require.NoError(t, err)
		_, err = io.ReadFull(resp.Body, make([]byte, 3))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		got = tapped(watcher)
		require.Len(t, got, 1, "once")
		assert.EqualValues(t, 3, got[0].ResponseBytes)
		assert.Equal(t, 200, got[0].Status)
		assert.Equal(t, "success", got[0].Class, "that of the head stands")

		w.raw("short", true, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
		assert.Error(t, inProcess(t, w, call{host: "short"}).err)
		got = tapped(watcher)
		require.Len(t, got, 1)
		assert.Equal(t, "failure", got[0].Class, "a response that is cut off")
		assert.NotEmpty(t, got[0].Error)
		assert.EqualValues(t, 5, got[0].ResponseBytes)
	})
}

// TestTapOfListener: a request that came through a listener is seen there only.
func TestTapOfListener(t *testing.T) {
	s := setup{engine: recycled}
	inTappedWorld(t, s, func(w *world, watcher *tap.Watcher) {
		w.serve("ds", nil)
		assert.Equal(w.t, 200, proxied(w.t, w, call{host: "ds"}).StatusCode)
		got := tapped(watcher)
		require.Len(w.t, got, 1)
		assert.Equal(w.t, proxyAddr, got[0].Server)
	})
}

package e2e_test

import (
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/portlock"
)

// unsteady answers /500/<n>/… with 500 and /slow/<n>/… too late, n times each, and
// then well.
type unsteady struct {
	mu    sync.Mutex
	tries map[string]int
	gone  chan struct{}
}

func (u *unsteady) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	u.mu.Lock()
	u.tries[r.URL.Path]++
	n := u.tries[r.URL.Path]
	u.mu.Unlock()
	bad, _ := strconv.Atoi(r.URL.Query().Get("bad"))
	if n > bad {
		return
	}
	if r.URL.Query().Get("how") == "late" {
		select {
		case <-r.Context().Done():
		case <-u.gone:
		}
		return
	}
	w.WriteHeader(http.StatusInternalServerError)
}

func (u *unsteady) attempts(path string) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.tries[path]
}

func TestRetriesExample(t *testing.T) {
	portlock.Acquire(t, 4140, 8888, 9990)
	dir := lay(t, "corpus")
	u := &unsteady{tries: map[string]int{}, gone: make(chan struct{})}
	endpointAt(t, "127.0.0.1:8888", u.ServeHTTP)
	t.Cleanup(func() { close(u.gone) })
	run(t, dir, examples+"retries.yaml")

	rows := []struct {
		name, method, path, query string
		status, attempts          int
	}{
		{"V62 get", "GET", "/get", "?bad=1", 200, 2},
		{"V62 put", "PUT", "/put", "?bad=1", 200, 2},
		{"V62 delete", "DELETE", "/delete", "?bad=1", 200, 2},
		{"V62 post", "POST", "/post", "?bad=1", 500, 1},
		{"V62 patch", "PATCH", "/patch", "?bad=1", 500, 1},
		{"V74 late once", "GET", "/late", "?bad=1&how=late", 200, 2},
		{"V71 late post", "POST", "/late-post", "?bad=1&how=late", 503, 1},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			r := do(t, request(row.method, edge+row.path+row.query, "Host: any"))
			assert.Equal(t, row.status, r.status, r.body)
			assert.Equal(t, row.attempts, u.attempts(row.path))
		})
	}
	t.Run("attempt timeouts of dog and cat", func(t *testing.T) {
		took := map[time.Duration]bool{}
		for i := 0; i < 60 && len(took) < 2; i++ { // which of the two is picked is chance
			begin := time.Now()
			r := do(t, request("POST", edge+"/p"+strconv.Itoa(i)+"?bad=1&how=late", "Host: any"))
			require.Equal(t, 503, r.status)
			require.Contains(t, r.body, "while waiting for a response for an individual request, excluding retries")
			switch d := time.Since(begin); {
			case d >= 200*time.Millisecond:
				assert.Contains(t, r.body, "exceeded 200.milliseconds to /#/io.l5d.fs/cat ")
				took[200*time.Millisecond] = true
			default:
				assert.Contains(t, r.body, "exceeded 100.milliseconds to /#/io.l5d.fs/dog ")
				assert.GreaterOrEqual(t, d, 100*time.Millisecond)
				took[100*time.Millisecond] = true
			}
			// A success keeps the endpoint's breaker closed.
			require.Equal(t, 200, do(t, get(edge+"/ok", "Host: any")).status)
		}
		assert.Len(t, took, 2, "both branches of the union")
	})
	t.Run("total timeout", func(t *testing.T) {
		begin := time.Now()
		r := do(t, get(edge+"/never?bad=1000&how=late", "Host: any"))
		assert.Equal(t, 503, r.status)
		assert.Less(t, time.Since(begin), 1500*time.Millisecond)
		// When the next backoff would not fit, there is no waiting for the end of it.
		assert.Regexp(t, `^exceeded (1\.seconds to http while waiting for a response for the request, including retries \(if applicable\)|`+
			`\d00\.milliseconds to /#/io\.l5d\.fs/(dog|cat) while waiting for a response for an individual request)`, r.body)
		assert.Greater(t, u.attempts("/never"), 1)
	})
}

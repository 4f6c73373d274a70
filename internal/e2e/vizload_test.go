package e2e_test

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// vizBlock is a hundred requests of the load for a service, in shares that are known
// exactly: how long the backend takes, and what it answers.
type vizBlock struct {
	base, slow, slowest time.Duration // of 86, 11 and 3 of a hundred
	failed, notFound    int           // answers of 500 and of 404
}

// at returns what the i-th request asks the backend for. Slow ones and failures are
// spread evenly.
func (b vizBlock) at(i int) (time.Duration, int) {
	i %= 100
	delay, status := b.base, http.StatusOK
	switch spread := i * 37 % 100; { // 37 and 100 have no divisor in common
	case spread < 3:
		delay = b.slowest
	case spread < 14:
		delay = b.slow
	}
	switch spread := i * 63 % 100; {
	case spread < b.failed:
		status = http.StatusInternalServerError
	case spread < b.failed+b.notFound:
		status = http.StatusNotFound
	}
	return delay, status
}

// vizBackend does what requests ask it for.
func vizBackend(w http.ResponseWriter, r *http.Request) {
	status, _ := strconv.Atoi(r.Header.Get("X-Status"))
	ms, _ := strconv.Atoi(r.Header.Get("X-Delay-Ms"))
	time.Sleep(time.Duration(ms) * time.Millisecond)
	w.WriteHeader(status)
}

// vizStream is the load for one service through one proxy.
type vizStream struct {
	url, service string
	perSecond    float64
	block        vizBlock
}

// vizTally is what a stream counted.
type vizTally struct {
	statuses map[int]int
	took     []time.Duration
	ended    []time.Time // of each in took
}

// of returns how many answers had one of the statuses.
func (v vizTally) of(statuses ...int) float64 {
	n := 0
	for _, s := range statuses {
		n += v.statuses[s]
	}
	return float64(n)
}

// all returns how many requests there were.
func (v vizTally) all() float64 { return float64(len(v.took)) }

// percentile is the round(p×n)-th smallest of the times, in milliseconds.
func vizPercentile(p float64, took []time.Duration) float64 {
	sorted := slices.Sorted(slices.Values(took))
	i := int(math.Floor(p*float64(len(sorted)) + .5))
	return float64(sorted[max(i-1, 0)].Microseconds()) / 1000
}

// during returns the times of the requests that ended in a window.
func (v vizTally) during(from, to time.Time) []time.Duration {
	var took []time.Duration
	for i, at := range v.ended {
		if at.After(from) && !at.After(to) {
			took = append(took, v.took[i])
		}
	}
	return took
}

// send sends n requests at the rate of the stream and waits for all answers.
func (s vizStream) send(t *testing.T, client *http.Client, n int) vizTally {
	t.Helper()
	tally := vizTally{statuses: map[int]int{}, took: make([]time.Duration, n), ended: make([]time.Time, n)}
	errs := make([]error, n)
	statuses := make([]int, n)
	var calls sync.WaitGroup
	begin := time.Now()
	for i := range n {
		due := begin.Add(time.Duration(float64(i) / s.perSecond * float64(time.Second)))
		time.Sleep(time.Until(due))
		calls.Go(func() {
			delay, status := s.block.at(i)
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url, nil)
			if err != nil {
				errs[i] = err
				return
			}
			req.Host = s.service
			req.Header.Set("X-Status", strconv.Itoa(status))
			req.Header.Set("X-Delay-Ms", strconv.FormatInt(delay.Milliseconds(), 10))
			at := time.Now()
			resp, err := client.Do(req)
			tally.ended[i] = time.Now()
			tally.took[i] = tally.ended[i].Sub(at)
			if err != nil {
				errs[i] = err
				return
			}
			statuses[i] = resp.StatusCode
			_, errs[i] = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close() // it has been read
		})
	}
	calls.Wait()
	for i, err := range errs {
		require.NoError(t, err, "%s: request %d", s.service, i)
		tally.statuses[statuses[i]]++
	}
	return tally
}

// String names the stream.
func (s vizStream) String() string { return fmt.Sprintf("%s at %s", s.service, s.url) }

package k8s_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/k8s"
)

// TestLoad follows a thousand services of 50 endpoints through a hundred changes a
// second.
func TestLoad(t *testing.T) {
	if raceEnabled || testing.Short() {
		t.Skip("it measures: go test without -race and -short")
	}
	const services, size, rate, lasts = 1000, 50, 100, 8 * time.Second
	c := cluster{servers.StartKube(t, servers.KubeOptions{})}
	c.namespace("load")
	collection := "/apis/discovery.k8s.io/v1/namespaces/load/endpointslices"
	name := func(i int) string { return "s" + strconv.Itoa(i) }
	each(8, services, func(i int) {
		status, answer := c.Do(http.MethodPost, collection, []byte(slice("load", name(i), "1", ips(0, size)...)))
		assert.Equal(t, http.StatusCreated, status, string(answer))
	})
	n := c.namer(t, c.access(nil), k8s.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	var observers sync.WaitGroup
	defer observers.Wait()
	defer cancel()

	seen := arrivals{at: map[string]time.Time{}}
	began := time.Now()
	var ready sync.WaitGroup
	for i := range services {
		ready.Add(1)
		a, err := weft.Until(ctx, n.Lookup(ctx, path("/load/http/"+name(i))), func(a answer) bool { return a.Known })
		require.NoError(t, err)
		addrs := a.Value.Value.Bound.Addrs(ctx)
		observers.Go(func() {
			for first := true; ; first = false {
				s, stale := addrs.Load()
				if s.Known && len(s.Value.Endpoints) != size {
					t.Errorf("%d endpoints", len(s.Value.Endpoints))
				}
				seen.note(s.Value)
				if first {
					ready.Done()
				}
				if naming.Any(ctx, []<-chan struct{}{stale}) != nil {
					return
				}
			}
		})
	}
	ready.Wait()
	t.Logf("%d services are known after %v", services, time.Since(began).Round(time.Millisecond))

	control := arrivals{at: map[string]time.Time{}}
	observers.Go(func() { c.control(ctx, t, collection, &control) })
	l := load{cluster: c, t: t, collection: collection, services: services, size: size, rate: rate, lasts: lasts, seen: &seen, control: &control}
	for k := 0; !l.round(k); k++ { // a busy machine is slow now and then
		require.Less(t, k, 2, "three times too slow")
	}
}

// load is what the rounds of TestLoad have in common.
type load struct {
	cluster
	t                    *testing.T
	collection           string
	services, size, rate int
	lasts                time.Duration
	seen, control        *arrivals
}

// round makes changes and reports whether they arrived in time.
func (l load) round(k int) bool {
	t, seen := l.t, l.seen
	heap, cpu, wakeUps := heapNow(), cpuNow(), seen.count()
	acknowledged := make([]time.Time, int(l.lasts/time.Second)*l.rate)
	first := k * len(acknowledged)
	ticks := time.NewTicker(time.Second / time.Duration(l.rate))
	defer ticks.Stop()
	jobs := make(chan int)
	var writers sync.WaitGroup
	for range 8 {
		writers.Go(func() {
			for i := range jobs {
				service := "s" + strconv.Itoa(i*7%l.services)
				status, answer := l.Do(http.MethodPut, l.collection+"/"+service+"-1",
					[]byte(slice("load", service, "1", append([]string{marker(first + i)}, ips(1, l.size)...)...)))
				acknowledged[i] = time.Now()
				assert.Equal(t, http.StatusOK, status, string(answer))
			}
		})
	}
	for i := range acknowledged {
		<-ticks.C
		jobs <- i
	}
	close(jobs)
	writers.Wait()
	late, told := make([]time.Duration, len(acknowledged)), make([]time.Duration, len(acknowledged))
	for i, at := range acknowledged {
		arrived := seen.wait(t, marker(first+i)+":8080")
		late[i], told[i] = max(0, arrived.Sub(at)), max(0, arrived.Sub(l.control.wait(t, marker(first+i)+":8080")))
	}
	used := cpuNow() - cpu
	slices.Sort(late)
	slices.Sort(told)
	p99 := told[len(told)*99/100]
	grown := heapNow() - heap
	t.Logf("from the server having said it to the observer: p50 %v, p99 %v, max %v", told[len(told)/2], p99, told[len(told)-1])
	t.Logf("from the server having acknowledged it: p50 %v, p99 %v, max %v", late[len(late)/2], late[len(late)*99/100], late[len(late)-1])
	t.Logf("heap %d kB, %+d kB after %d changes; %.1f %% of a core, with the writers of the test; %d wake-ups",
		heap>>10, grown>>10, len(late), 100*used.Seconds()/l.lasts.Seconds(), seen.count()-wakeUps)
	assert.Less(t, grown, heap/4, "the heap grows")
	assert.LessOrEqual(t, seen.count()-wakeUps, len(late), "only the observers of what has changed are woken up")
	return p99 < 200*time.Millisecond
}

func marker(i int) string { return fmt.Sprintf("10.78.%d.%d", i/250, i%250+1) }

// each calls f for 0 to n-1, w at a time.
func each(w, n int, f func(int)) {
	var wg sync.WaitGroup
	for k := range w {
		wg.Go(func() {
			for i := k; i < n; i += w {
				f(i)
			}
		})
	}
	wg.Wait()
}

// arrivals notes when the first endpoint of a set was seen first.
type arrivals struct {
	mu sync.Mutex
	n  int
	at map[string]time.Time
}

func (a *arrivals) note(s weft.EndpointSet) {
	addr := ""
	if len(s.Endpoints) > 0 {
		addr = s.Endpoints[0].Addr
	}
	a.arrived(addr)
}

func (a *arrivals) arrived(addr string) {
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.n++
	if _, ok := a.at[addr]; !ok && strings.HasPrefix(addr, "10.78.") {
		a.at[addr] = now
	}
}

// control notes when the server says what, which on a busy machine may be long after
// it has acknowledged it.
func (c cluster) control(ctx context.Context, t *testing.T, collection string, a *arrivals) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL+collection+"?watch=1&resourceVersion=0", nil)
	if !assert.NoError(t, err) {
		return
	}
	req.Header.Set("Authorization", "Bearer "+servers.KubeAdmin)
	client := c.client()
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if !assert.NoError(t, err) {
		return
	}
	defer resp.Body.Close()
	lines := bufio.NewReaderSize(resp.Body, 64<<10)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		if at := bytes.Index(line, []byte(`"10.78.`)); at >= 0 {
			addr, _, _ := strings.Cut(string(line[at+1:min(at+20, len(line))]), `"`)
			a.arrived(addr + ":8080")
		}
	}
}

func (a *arrivals) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.n
}

func (a *arrivals) wait(t *testing.T, addr string) time.Time {
	t.Helper()
	for deadline := time.Now().Add(limit); ; time.Sleep(time.Millisecond) {
		a.mu.Lock()
		at, ok := a.at[addr]
		a.mu.Unlock()
		if ok {
			return at
		}
		require.True(t, time.Now().Before(deadline), "%s was never seen", addr)
	}
}

func heapNow() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func cpuNow() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

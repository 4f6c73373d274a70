package etcd_test

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/etcd"
)

// TestLoad follows 1000 services of 50 endpoints each while 100 endpoints change
// every second, and measures how long a change takes from the write to the observer.
func TestLoad(t *testing.T) {
	if raceEnabled || testing.Short() {
		t.Skip("it measures: go test without -race and -short")
	}
	const services, size, rate = 1000, 50, 100
	const duration = 5 * time.Second
	server := servers.StartEtcd(t)
	s := newStore(t, server.URL)
	for i := range services {
		var pairs []string
		for j := range size {
			pairs = append(pairs, fmt.Sprintf("/weft/services/s%d/%02d", i, j), fmt.Sprintf(`{"addr": "10.%d.%d.%d:80", "meta": {"zone": "eu"}}`, j, i/250, i%250))
		}
		s.put(pairs...)
	}
	n := newNamer(t, etcd.Config{Endpoints: []string{server.URL}}, etcd.Options{})

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var observers, bound sync.WaitGroup
	var mu sync.Mutex
	written := map[string]time.Time{}
	var took []time.Duration
	begin := time.Now()
	for i := range services {
		bound.Add(1)
		observers.Go(func() {
			tree := n.Lookup(ctx, dtab.MustPath(fmt.Sprintf("/s%d", i)))
			st, err := weft.Until(ctx, tree, func(a answer) bool { return a.Known && a.Value.Op == dtab.Leaf })
			bound.Done()
			if err != nil {
				return
			}
			sets := st.Value.Value.Bound.Addrs(ctx)
			last := ""
			for {
				set, stale := sets.Load()
				if eps := set.Value.Endpoints; len(eps) != size {
					t.Errorf("service %d has %d endpoints", i, len(eps))
				} else if first := eps[0].Addr; first != last {
					now := time.Now()
					mu.Lock()
					if at, ok := written[first]; ok {
						took = append(took, now.Sub(at))
						delete(written, first)
					}
					mu.Unlock()
					last = first
				}
				if naming.Any(ctx, []<-chan struct{}{stale}) != nil {
					return
				}
			}
		})
	}
	bound.Wait()
	t.Logf("%d services bound after %v", services, time.Since(begin).Round(time.Millisecond))
	require.Eventually(t, func() bool {
		// The second answer of each is that the watch has begun.
		return !slices.ContainsFunc(n.Watches(), func(w naming.WatchStatus) bool { return w.Updates < 2 })
	}, time.Minute, 50*time.Millisecond)
	t.Logf("and watched after %v", time.Since(begin).Round(time.Millisecond))

	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	cpu := func() time.Duration {
		var r syscall.Rusage
		require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &r))
		return time.Duration(r.Utime.Nano() + r.Stime.Nano())
	}
	// A machine that others keep busy may spoil a round, but not every one.
	changes := 0
	for round := 1; ; round++ {
		took = took[:0]
		heapBefore, goroutines, cpuBefore := heap(), runtime.NumGoroutine(), cpu()
		var halves [2]time.Duration
		tick := time.NewTicker(time.Second / rate)
		first := changes
		for start := time.Now(); time.Since(start) < duration; changes++ {
			<-tick.C
			if halves[0] == 0 && time.Since(start) > duration/2 {
				halves[0] = cpu() - cpuBefore
			}
			addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{11, byte(changes >> 16), byte(changes >> 8), byte(changes)}), 80).String()
			mu.Lock()
			written[addr] = time.Now()
			mu.Unlock()
			s.put(fmt.Sprintf("/weft/services/s%d/00", changes*7%services), fmt.Sprintf(`{"addr": "%s", "meta": {"zone": "eu"}}`, addr))
		}
		tick.Stop()
		halves[1] = cpu() - cpuBefore - halves[0]
		require.Eventually(t, func() bool { mu.Lock(); defer mu.Unlock(); return len(written) == 0 }, 10*time.Second, 10*time.Millisecond, "every change is seen")
		heapAfter, goroutinesAfter := heap(), runtime.NumGoroutine()
		require.Equal(t, changes-first, len(took))
		slices.Sort(took)
		p50, p99, top := took[len(took)/2], took[len(took)*99/100], took[len(took)-1]
		t.Logf("%d changes: p50 %v, p99 %v, max %v; CPU %v and %v in the halves of %v; heap %d KiB, then %d KiB; goroutines %d, then %d",
			changes-first, p50, p99, top, halves[0].Round(time.Millisecond), halves[1].Round(time.Millisecond), duration, heapBefore>>10, heapAfter>>10, goroutines, goroutinesAfter)
		assert.Less(t, heapAfter, heapBefore+16<<20, "memory is flat")
		assert.LessOrEqual(t, goroutinesAfter, goroutines+10)
		if p99 < 200*time.Millisecond && halves[1] < 2*halves[0]+200*time.Millisecond {
			break
		}
		require.Less(t, round, 4, "p99 %v must be below 200 ms, and the CPU time flat", p99)
	}
	cancel()
	observers.Wait()
}

package zk_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	zoo "github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/zk"
)

// TestLoad changes 100 members a second among 1000 serversets of 50 members, all of
// which are observed, and measures from before the change is requested until an
// observer sees it.
func TestLoad(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("it measures")
	}
	const sets, members, rate, seconds = 1000, 50, 100, 6
	server := servers.StartZooKeeper(t)
	do := connect(t, server.Addr)
	do.put("/load", "")
	var wg sync.WaitGroup
	for w := range 32 {
		wg.Go(func() {
			for s := w; s < sets; s += 32 {
				path := fmt.Sprintf("/load/s%d", s)
				_, err := do.conn.Create(path, nil, 0, zoo.WorldACL(zoo.PermAll))
				assert.NoError(t, err)
				for m := range members {
					_, err := do.conn.Create(fmt.Sprintf("%s/member_%010d", path, m), []byte(member(fmt.Sprintf("10.%d.%d.%d", s/250, s%250, m), 80)),
						0, zoo.WorldACL(zoo.PermAll))
					assert.NoError(t, err)
				}
			}
		})
	}
	wg.Wait()
	n := newServersets(t, zk.Config{Addrs: []string{server.Addr}}, zk.Options{RemovalHold: -1})
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	empty := heap()
	ctx, cancel := context.WithCancel(t.Context())
	defer wg.Wait()
	defer cancel()

	// waiting is the time at which a change was begun, by set and size of it.
	type change struct {
		set, size int
	}
	var mu sync.Mutex
	waiting := map[change]time.Time{}
	var took []time.Duration
	var known sync.WaitGroup
	known.Add(sets)
	start := time.Now()
	for s := range sets {
		wg.Go(func() {
			tree := n.Lookup(ctx, dtab.MustPath(fmt.Sprintf("/load/s%d", s)))
			v, err := weft.Until(ctx, tree, func(v answer) bool { return v.Known && v.Value.Op == dtab.Leaf })
			if err != nil {
				return
			}
			src := v.Value.Value.Bound.Addrs(ctx)
			first := true
			for {
				v, stale := src.Load()
				size := len(v.Value.Endpoints)
				mu.Lock()
				if at, ok := waiting[change{s, size}]; ok {
					took = append(took, time.Since(at))
					delete(waiting, change{s, size})
				}
				mu.Unlock()
				if first && size == members {
					first = false
					known.Done()
				}
				if naming.Any(ctx, []<-chan struct{}{stale}) != nil {
					return
				}
			}
		})
	}
	known.Wait()
	t.Logf("%d sets of %d known after %v", sets, members, time.Since(start))
	full, goroutines, cpu := heap(), runtime.NumGoroutine(), cpuTime()

	size := make([]int, sets)
	tick := time.NewTicker(time.Second / rate)
	defer tick.Stop()
	var changes sync.WaitGroup
	for i := range rate * seconds {
		<-tick.C
		s := (i * 7) % sets
		if i >= rate*seconds/2 {
			s = ((i - rate*seconds/2) * 7) % sets // the second half undoes the first
		}
		grow := size[s] == 0
		size[s] = 1 - size[s]
		path := fmt.Sprintf("/load/s%d/member_%010d", s, members)
		mu.Lock()
		waiting[change{s, members + size[s]}] = time.Now()
		mu.Unlock()
		changes.Go(func() {
			if grow {
				_, err := do.conn.Create(path, []byte(member("10.200.0.1", 80)), 0, zoo.WorldACL(zoo.PermAll))
				assert.NoError(t, err)
			} else {
				assert.NoError(t, do.conn.Delete(path, -1))
			}
		})
	}
	changes.Wait()
	eventually(t, "0", func() string {
		mu.Lock()
		defer mu.Unlock()
		return fmt.Sprint(len(waiting))
	})
	spent := cpuTime() - cpu
	after := heap()
	mu.Lock()
	defer mu.Unlock()
	slices.Sort(took)
	p := func(q float64) time.Duration { return took[int(q*float64(len(took)-1))] }
	t.Logf("%d changes: p50 %v, p99 %v, max %v", len(took), p(0.5), p(0.99), took[len(took)-1])
	t.Logf("heap %d KiB for all, %+d KiB after the changes; %d goroutines, %+d after; %v of CPU in %d s, the clients' included",
		(full-empty)>>10, (int64(after)-int64(full))>>10, goroutines, runtime.NumGoroutine()-goroutines, spent, seconds)
	require.Len(t, took, rate*seconds)
	assert.Less(t, p(0.99), 200*time.Millisecond)
	assert.Less(t, float64(after), float64(full)*1.2)
	assert.LessOrEqual(t, runtime.NumGoroutine(), goroutines+20)
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

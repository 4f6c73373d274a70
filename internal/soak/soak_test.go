package soak_test

import (
	"crypto/tls"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/weft-mesh/weft/internal/child"
	"github.com/weft-mesh/weft/internal/origin"
	"github.com/weft-mesh/weft/internal/soak"
)

const (
	// attemptTimeout is that of the proxy for one attempt; shortPause is less than it,
	// longPause more.
	attemptTimeout = 2 * time.Second
	shortPause     = 700 * time.Millisecond
	longPause      = 3 * time.Second

	upstreams = 4
	callers   = 16
)

var (
	lasts    = flag.Duration("soak", 15*time.Second, "how long the load lasts; WEFT_SOAK says so too")
	seedFlag = flag.Uint64("soak.seed", 0, "seed of the load and the trouble; 0 is any")
)

// duration is how long the load lasts.
func duration(t *testing.T) time.Duration {
	t.Helper()
	if text := os.Getenv("WEFT_SOAK"); text != "" {
		d, err := time.ParseDuration(text)
		require.NoError(t, err, "WEFT_SOAK")
		return d
	}
	return *lasts
}

// config has no reason to give up but those that the test is about: budgets are
// ample, and idle connections go soon, so that leaks can be seen.
func config(f *fleet) string {
	const budget = "{ttlSecs: 10, minRetriesPerSec: 1000, percentCanRetry: 1.0}"
	service := func(classifier string) string {
		return fmt.Sprintf("totalTimeoutMs: 20000, retries: {budget: %s, backoff: {kind: constant, ms: 5}}, responseClassifier: {kind: %s}", budget, classifier)
	}
	client := func(more string) string {
		return fmt.Sprintf("requestAttemptTimeoutMs: %d, requeueBudget: %s, clientSession: {idleTimeMs: 1000}, loadBalancer: {kind: ewma}%s",
			attemptTimeout.Milliseconds(), budget, more)
	}
	const dtab = "/svc => /#/io.l5d.fs"
	secure := child.ServerTLS(f.files)
	toSecure := ", " + child.ClientTLS(f.files, "secure")
	get, h2get, rpc := service("io.l5d.http.retryableRead5XX"), service("io.l5d.h2.retryableRead5XX"), service("io.l5d.h2.grpc.default")
	text := child.Config(
		child.Router{Label: "h1", Dtab: dtab, Service: get, Client: client("")},
		child.Router{Label: "h1tls", Dtab: dtab, Service: get, Client: client(toSecure), Server: secure},
		child.Router{Label: "upgrade", Dtab: dtab, Service: get, Client: client(", http2: true")},
		child.Router{Label: "h2", Protocol: "h2", Dtab: dtab, Service: h2get, Client: client("")},
		child.Router{Label: "h2tls", Protocol: "h2", Dtab: dtab, Service: h2get, Client: client(toSecure), Server: secure},
		child.Router{Label: "grpc", Protocol: "h2", Dtab: dtab, Service: rpc, Client: client("")},
		child.Router{Label: "grpctls", Protocol: "h2", Dtab: dtab, Service: rpc, Client: client(""), Server: secure},
	)
	return fmt.Sprintf("namers: [{kind: io.l5d.fs, rootDir: '%s'}]\n", f.disco) + text
}

// jobs are all operations, and close ends the callers' connections.
func jobs(t *testing.T, w *child.Weft) (all []job, closeAll func()) {
	t.Helper()
	var ends []func()
	add := func(way, protocol, label, base string, keep bool) {
		tr := origin.NewTransport(protocol, w.Addr(t, label))
		tr.DisableKeepAlives = !keep
		ends = append(ends, tr.CloseIdleConnections)
		all = append(all, httpJobs(way, base, &http.Client{Transport: tr})...)
	}
	add("h1", "h1", "h1", "http://web", true)
	add("h1 close", "h1", "h1", "http://web", false)
	add("h1 TLS to TLS", "h1s", "h1tls", "https://secure", true)
	add("h1 by h2", "h1", "upgrade", "http://web", true)
	add("h2", "h2c", "h2", "http://web", true)
	add("h2 TLS to TLS", "h2", "h2tls", "https://secure", true)
	for label, creds := range map[string]credentials.TransportCredentials{
		"grpc":    insecure.NewCredentials(),
		"grpctls": credentials.NewTLS(&tls.Config{InsecureSkipVerify: true}),
	} {
		cc, err := grpc.NewClient("passthrough:///"+w.Addr(t, label), grpc.WithTransportCredentials(creds), grpc.WithAuthority("grpc"),
			grpc.WithDefaultCallOptions(grpc.ForceCodec(soak.Codec{})), grpc.WithDisableRetry())
		require.NoError(t, err)
		ends = append(ends, func() { _ = cc.Close() })
		all = append(all, grpcJobs(label, cc)...)
	}
	return all, func() {
		for _, end := range ends {
			end()
		}
	}
}

func TestMixedLoadWhileUpstreamsComeAndGo(t *testing.T) {
	child.Heavy(t)
	d := duration(t)
	if testing.Short() {
		d = min(d, 2*time.Second)
	}
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-soak.seed=%d", seed)
	f := newFleet(t, upstreams)
	w := child.Run(t, config(f))
	// Everything once, before anything befalls anybody: what the proxy makes once and
	// keeps is there before it is counted.
	rec := newRecord()
	first, closeFirst := jobs(t, w)
	for _, j := range first {
		rec.one(j, rand.New(rand.NewPCG(seed, 0)))
	}
	closeFirst()
	require.Empty(t, rec.judge(f), "before any trouble")
	before := quiet(t, w)

	work, closeAll := jobs(t, w)
	defer closeAll()
	total := 0
	for _, j := range work {
		total += j.weight
	}
	choose := func(r *rand.Rand) job {
		n := r.IntN(total)
		for _, j := range work {
			if n -= j.weight; n < 0 {
				return j
			}
		}
		return work[0]
	}
	begin := time.Now()
	quit := make(chan struct{})
	var all, trouble sync.WaitGroup
	trouble.Go(func() { f.trouble(quit, rand.New(rand.NewPCG(seed, 1))) })
	var most int64
	trouble.Go(func() {
		for {
			most = max(most, w.RSS())
			select {
			case <-quit:
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	})
	for i := range callers {
		all.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(i)+2))
			for time.Since(begin) < d {
				rec.one(choose(r), r)
			}
		})
	}
	all.Wait()
	close(quit)
	trouble.Wait()
	took := time.Since(begin)

	violations := rec.judge(f)
	t.Logf("%s  memory: at most %d MB", rec.summary(f, took), most>>20)
	for _, v := range violations[:min(len(violations), 20)] {
		t.Errorf("not allowed: %s", v)
	}
	assert.Empty(t, violations[min(len(violations), 20):], "more failures that nothing allows")
	for _, j := range work {
		assert.Greater(t, rec.ok[j.kind], 10*rec.failed[j.kind], "%s: most must succeed", j.kind)
	}
	closeAll()
	settle(t, w, before)
	assert.Less(t, most, int64(400<<20), "memory")
}

// holding is what a proxy holds when nobody wants anything.
type holding struct {
	sockets, goroutines int
	stacks              []string
}

func hold(t *testing.T, w *child.Weft) holding {
	t.Helper()
	stacks := w.Goroutines(t)
	return holding{w.Sockets(), len(stacks), stacks}
}

// quiet waits until the proxy has no connection left.
func quiet(t *testing.T, w *child.Weft) holding {
	t.Helper()
	child.Eventually(t, 15*time.Second, func() string { return open(t, w) })
	return hold(t, w)
}

// open names a connection or a request that the proxy has.
func open(t *testing.T, w *child.Weft) string {
	t.Helper()
	var all []string
	for name, n := range w.Metrics(t) {
		last := name[strings.LastIndexByte(name, '/')+1:]
		if n != 0 && (last == "connections" || last == "pending" || last == "streams") {
			all = append(all, fmt.Sprintf("%s is %v", name, n))
		}
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// settle waits until the proxy holds no more than before. The admin server's
// connection, over which this is asked, may still be there.
func settle(t *testing.T, w *child.Weft, before holding) {
	t.Helper()
	quiet(t, w)
	child.Eventually(t, 15*time.Second, func() string {
		now := hold(t, w)
		if now.sockets > before.sockets+1 {
			return fmt.Sprintf("%d sockets, before the load %d: %v", now.sockets, before.sockets, w.Files())
		}
		if now.goroutines > before.goroutines+2 {
			return fmt.Sprintf("%d goroutines, before the load %d:\n%s", now.goroutines, before.goroutines, strings.Join(more(before.stacks, now.stacks), "\n\n"))
		}
		return ""
	})
}

// more returns a stack of each kind of which there are more than before.
func more(before, now []string) (all []string) {
	kind := func(stack string) string {
		var functions []string
		for line := range strings.Lines(stack) {
			if strings.HasPrefix(line, "\t") || strings.HasPrefix(line, "goroutine ") {
				continue
			}
			name, _, _ := strings.Cut(line, "(0x")
			functions = append(functions, strings.TrimSpace(name))
		}
		return strings.Join(functions, " ")
	}
	count := map[string]int{}
	for _, s := range before {
		count[kind(s)]--
	}
	for _, s := range now {
		k := kind(s)
		if count[k]++; count[k] == 1 {
			all = append(all, s)
		}
	}
	return all
}

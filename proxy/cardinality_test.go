package proxy_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/proxy"
	"github.com/weft-mesh/weft/telemetry"
)

// What the router of TestInventionsAreBounded remembers at most, how many callers it has at
// a time, and how many statuses and names of failures docs/metrics.md says a scope has.
const (
	cardinalityPaths   = 100
	cardinalityClients = 60
	cardinalityCallers = 8
	cardinalityNames   = 64
)

// echoPort serves, on all addresses of the loopback network, an endpoint that answers with
// the status that the path begins with, and returns its port.
func echoPort(t *testing.T, h2 bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "0.0.0.0:0")
	require.NoError(t, err)
	e := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		status, _, _ := strings.Cut(r.URL.Path[1:], "/")
		w.Header().Set("l5d-success-class", status)
		w.Header().Set("l5d-"+status, status)
		n, err := strconv.Atoi(status)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(n)
		_, _ = io.WriteString(w, "hello")
	}))
	protocols := &http.Protocols{}
	protocols.SetHTTP1(!h2)
	protocols.SetUnencryptedHTTP2(h2)
	e.Listener, e.Config.Protocols = l, protocols
	e.Start()
	t.Cleanup(e.Close)
	return portOf(l.Addr().String())
}

// invent makes the i-th request of a caller who never says anything twice.
func invent(t *testing.T, c *http.Client, i int, port string) {
	t.Helper()
	host := fmt.Sprintf("name%d", i)
	method := fmt.Sprintf("M%d", i)
	path := fmt.Sprintf("/%d/%d", 200+i%800, i)
	header := []string{
		"l5d-ctx-invented" + strconv.Itoa(i), "x", "l5d-reqid", strconv.Itoa(i), "l5d-dst-service", "/svc/" + host, "l5d-dst-client", "/#/" + host,
		"x-forwarded-for", host, "user-agent", host, "via", host,
	}
	address := fmt.Sprintf("127.%d.%d.%d", 1+i>>16, i>>8&255, i&255)
	switch i % 8 {
	case 0: // a name that leads nowhere
		header = append(header, "l5d-dtab", fmt.Sprintf("/invented%d => /gone; /svc/%s => /invented%d", i, host, i))
	case 1: // a client of its own
		header = append(header, "l5d-dtab", fmt.Sprintf("/svc/%s => /$/inet/%s/%s", host, address, port))
	case 2: // and one that cannot be connected to
		header = append(header, "l5d-dtab", fmt.Sprintf("/svc/%s => /$/inet/%s/1", host, address))
	case 3: // a namer that there is not, a part that is not known, and what is no name
		header = append(header, "l5d-dtab", fmt.Sprintf("/svc/%s => /#/io.l5d.none%d/x | /$/io.buoyant.none%d/x; /svc => /$/inet/%s/no", host, i, i, host))
	case 4:
		header = append(header, "l5d-dtab", fmt.Sprintf("this%d is no dtab", i))
	case 5: // the connection breaks instead of an answer
		path = "/broken" + host
	case 6: // several clients for one name
		header = append(header, "l5d-dtab", fmt.Sprintf("/svc/%s => 1 * /$/inet/%s/%s & 2 * /ok", host, address, port))
	}
	req, err := http.NewRequestWithContext(t.Context(), method, "http://router"+path, http.NoBody)
	require.NoError(t, err)
	req.Host = host
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	if resp, err := c.Do(req); err == nil {
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
}

// shape counts the names that the parts of the tree have which callers could make grow.
type shape struct {
	services, clients, pairs, metrics int
	// names is the largest number of names in one scope, by what they are names of.
	names map[string]int
}

func (m measured) shape() shape {
	s := shape{names: map[string]int{}}
	services, clients, pairs, names := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]int{}
	for at := range m.Tree().All() {
		s.metrics++
		if len(at) < 4 || at[0] != "rt" {
			continue
		}
		switch at[2] {
		case "service":
			services[at[3]] = true
		case "client":
			clients[at[3]] = true
			if len(at) > 5 && at[4] == "service" {
				pairs[at[3]+" "+at[5]] = true
			}
		}
		for i, elem := range at[:len(at)-1] {
			switch elem {
			case "status", "failures", "sourcedfailures", "exn", "time":
				names[elem+" "+strings.Join(at[:i], " ")]++
			}
		}
	}
	for key, n := range names {
		kind, _, _ := strings.Cut(key, " ")
		s.names[kind] = max(s.names[kind], n)
	}
	s.services, s.clients, s.pairs = len(services), len(clients), len(pairs)
	return s
}

// live returns what is in use once the garbage is gone.
func live() (heap uint64) {
	for range 3 { // what has a finalizer, and what that had kept
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestInventionsAreBounded: a caller who invents names, hosts, methods, dtabs, headers and,
// with an endpoint's help, statuses makes neither the metrics nor the proxy grow beyond
// what its caches hold, and nothing of that remains when it is idle.
func TestInventionsAreBounded(t *testing.T) {
	names := 10000 // of each protocol
	if testing.Short() {
		names = 2000
	}
	for _, protocol := range []string{"http", "h2"} {
		t.Run(protocol, func(t *testing.T) {
			port := echoPort(t, protocol == "h2")
			p := newProxy(t, fmt.Sprintf(`
admin: {port: 0}
telemetry: [{kind: io.l5d.recentRequests, sampleRate: 1}, {kind: io.l5d.prometheus}]
routers:
- protocol: %s
  dtab: /ok => /$/inet/127.0.0.1/%s; /svc/* => /ok
  servers: [{port: 0}]
  bindingCache: {paths: %d, clients: %d, idleTtlSecs: 1}
  service: {retries: {budget: {minRetriesPerSec: 0, percentCanRetry: 0}}}
  client: {requeueBudget: {minRetriesPerSec: 0, percentCanRetry: 0}, failureAccrual: {kind: none}}
`, protocol, port, cardinalityPaths, cardinalityClients), proxy.Options{StatsWindow: -1})
			addrs, err := p.Start()
			require.NoError(t, err)
			m := measured{Proxy: p, addr: addrs.Servers[protocol][0], label: protocol}
			var received, sent, dials atomic.Int64
			var at int
			var most shape
			run := func(n int) {
				c := m.client(t, &received, &sent, &dials)
				c.Transport.(*http.Transport).MaxIdleConnsPerHost = cardinalityCallers
				var next atomic.Int64
				next.Store(int64(at))
				at += n
				var callers sync.WaitGroup
				for range cardinalityCallers {
					callers.Go(func() {
						for i := int(next.Add(1)) - 1; i < at; i = int(next.Add(1)) - 1 {
							invent(t, c, i, port)
						}
					})
				}
				ended := make(chan struct{})
				go func() { callers.Wait(); close(ended) }()
				for looking := true; looking; {
					select {
					case <-ended:
						looking = false
					case <-time.After(100 * time.Millisecond):
					}
					now := m.shape()
					most.services, most.clients = max(most.services, now.services), max(most.clients, now.clients)
					most.pairs, most.metrics = max(most.pairs, now.pairs), max(most.metrics, now.metrics)
					for kind, n := range now.names {
						if most.names == nil {
							most.names = map[string]int{}
						}
						most.names[kind] = max(most.names[kind], n)
					}
				}
				c.CloseIdleConnections()
				require.Eventually(t, func() bool {
					s := m.shape()
					return s.services == 0 && s.clients == 0
				}, 30*time.Second, 20*time.Millisecond, "what is idle is pruned")
				m.closed(t, c)
			}

			run(2000) // until what is bounded is full
			before, goroutines, memory := m.shape(), runtime.NumGoroutine(), live()
			most = shape{}
			run(names)
			after := m.shape()
			t.Logf("most %+v, then %+v", most, after)

			assert.InDelta(t, 2000+names, m.under("rt", protocol, "server", "127.0.0.1/0")["requests"], 10, "they came to the router")
			assert.Greater(t, most.services, cardinalityPaths/2, "the caches were in use")
			assert.LessOrEqual(t, most.services, cardinalityPaths+cardinalityCallers)
			assert.LessOrEqual(t, most.clients, cardinalityClients+2*cardinalityCallers)
			assert.LessOrEqual(t, most.pairs, 2*most.services)
			assert.LessOrEqual(t, most.metrics, 100*(most.services+most.clients+most.pairs)+1000)
			for kind, n := range most.names {
				assert.LessOrEqual(t, n, cardinalityNames+7, "names of %s in one scope", kind)
			}
			assert.Equal(t, before, after, "what remains")
			assert.Eventually(t, func() bool { return runtime.NumGoroutine() <= goroutines+10 }, 20*time.Second, 20*time.Millisecond)
			assert.Less(t, int64(live())-int64(memory), int64(1<<20), "100 bytes for each of the names")
			requireOther(t, m)
		})
	}
}

// requireOther requires that what did not get a name of its own was counted nevertheless.
func requireOther(t *testing.T, m measured) {
	t.Helper()
	server := m.under("rt", m.label, "server", "127.0.0.1/0")
	assert.Positive(t, server["status/other"])
	assert.Positive(t, server["sourcedfailures/"+telemetry.FailuresOther])
	var statuses, classes float64
	for name, n := range server {
		switch status, ok := strings.CutPrefix(name, "status/"); {
		case !ok || status == "error":
		case strings.HasSuffix(status, "XX"):
			classes += n
		default:
			statuses += n
		}
	}
	assert.Positive(t, classes)
	assert.GreaterOrEqual(t, statuses, classes, "statuses of no class are errors")
}

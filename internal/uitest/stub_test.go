package uitest_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/proxy/admin"
	"github.com/weft-mesh/weft/telemetry"
)

// stub is an admin server whose metrics change all the time, and a second server by
// which scripts make things happen.
type stub struct {
	url, control string // where they listen

	tree    *telemetry.Tree
	gone    atomic.Bool // connections are broken, as if the process had ended
	faulty  atomic.Bool // half of the requests fail
	mu      sync.Mutex
	names   []string // the services, each of which has a client
	pruned  map[string]bool
	traffic []func(r *rand.Rand)
}

const router = "out"

// serve starts a stub with so many services, under a path prefix.
func serve(t *testing.T, services int, prefix string, security admin.Security) *stub {
	t.Helper()
	s := &stub{tree: telemetry.NewTree(telemetry.Options{Window: -1}), pruned: map[string]bool{}}
	t.Cleanup(func() { require.NoError(t, s.tree.Close()) })
	s.fill(services)
	s.move()
	s.tree.CloseWindow()

	server, err := admin.New(admin.Options{
		Version: "1.2.3-test", Tree: s.tree, Security: security, Levels: &admin.Levels{},
		Routers: []admin.Router{
			{Label: router, Protocol: "http", Base: dtab.MustParse("/svc=>/#/io.l5d.fs"), Servers: []string{"127.0.0.1:4140"}},
			{Label: "in", Protocol: "http", Base: dtab.MustParse("/svc=>/$/inet/127.1/8080"), Servers: []string{"127.0.0.1:4141"}},
		},
	})
	require.NoError(t, err)
	front := httptest.NewServer(s.front(http.StripPrefix(prefix, server), prefix+"/endpoints.json"))
	t.Cleanup(front.Close)
	control := httptest.NewServer(http.HandlerFunc(s.obey))
	t.Cleanup(control.Close)
	s.url, s.control = front.URL+prefix+"/", control.URL

	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			case <-tick.C:
				s.move()
				if n%10 == 0 {
					s.tree.CloseWindow()
				}
			}
		}
	}()
	t.Cleanup(func() { close(stop); <-done })
	return s
}

// exchanges is what servers, services and clients have in common.
func exchanges(at *telemetry.Scope) func(ok, failed int, ms float64) {
	requests, success, failures := at.Counter("requests"), at.Counter("success"), at.Counter("failures")
	latency := at.Stat("request_latency_ms")
	return func(ok, failed int, ms float64) {
		requests.Add(int64(ok + failed))
		success.Add(int64(ok))
		failures.Add(int64(failed))
		latency.Record(int64(ms))
	}
}

func (s *stub) fill(services int) {
	server := s.tree.Scope("rt", router, "server", "127.0.0.1/4140")
	in := exchanges(server)
	fixed := func(v float64) func() float64 { return func() float64 { return v } }
	server.Gauge("connections", fixed(7))
	server.Gauge("pending", fixed(2))
	idle := s.tree.Scope("rt", "in", "server", "127.0.0.1/4141")
	exchanges(idle)
	for i := range services {
		name := fmt.Sprintf("web-%03d", i)
		s.names = append(s.names, name)
		service := s.tree.Scope("rt", router, "service", "svc/"+name)
		id := "#/io.l5d.fs/" + name
		if i%5 == 1 {
			id = "%/io.l5d.port/4141/" + id
		}
		client := s.tree.Scope("rt", router, "client", id)
		ofService, ofClient, ofBoth := exchanges(service), exchanges(client), exchanges(client.Scope("service", "svc/"+name))
		retries := service.Counter("retries", "total")
		service.Scope("retries").Gauge("budget", fixed(100))
		service.Gauge("pending", fixed(float64(i%3)))
		client.Gauge("connections", fixed(float64(1+i%4)))
		client.Scope("loadbalancer").Gauge("size", fixed(3))
		client.Scope("loadbalancer").Gauge("available", fixed(float64(1+i%3)))
		for _, name := range []string{"connect_latency_ms", "connection_duration", "connection_requests", "request_payload_bytes", "response_payload_bytes"} {
			client.Stat(name).Record(int64(i))
		}
		for _, name := range []string{"connects", "closes", "received_bytes", "sent_bytes", "socket_writable_ms"} {
			client.Counter(name).Add(int64(i))
		}
		s.traffic = append(s.traffic, func(r *rand.Rand) {
			ok, failed := 1+r.IntN(5+60/(1+i)), 0
			if i%7 == 3 && r.IntN(4) == 0 {
				failed = 1
			}
			if s.faulty.Load() {
				failed = ok
			}
			ms := (1 + 20*r.Float64()*r.Float64()) * float64(1+i%5)
			in(ok, failed, ms)
			ofService(ok, failed, ms)
			ofClient(ok, failed, ms)
			ofBoth(ok, failed, ms)
			retries.Add(int64(failed))
		})
	}
	jvm := s.tree.Scope("jvm")
	jvm.Gauge("uptime", fixed(3_723_000))
	jvm.Scope("thread").Gauge("count", fixed(12))
	jvm.Scope("mem", "current").Gauge("used", fixed(44<<20))
	jvm.Scope("gc").Gauge("msec", fixed(1234))
}

func (s *stub) move() {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	for i, f := range s.traffic {
		if !s.pruned[s.names[i]] {
			f(r)
		}
	}
}

// front answers for the table of endpoints, which here has no balancers behind it, and
// breaks the connections while the process is said to be gone.
func (s *stub) front(next http.Handler, endpoints string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.gone.Load() {
			panic(http.ErrAbortHandler)
		}
		if r.URL.Path == endpoints {
			s.endpoints(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// obey does what a script asks for.
func (s *stub) obey(w http.ResponseWriter, r *http.Request) {
	on := r.URL.Query().Get("on") == "true"
	switch r.URL.Path {
	case "/gone":
		s.gone.Store(on)
	case "/faulty":
		s.faulty.Store(on)
	case "/prune":
		s.prune(r.URL.Query().Get("name"))
	default:
		http.NotFound(w, r)
	}
}

func (s *stub) prune(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pruned[name] = true
	s.tree.Scope("rt", router, "service", "svc/"+name).Prune()
	s.tree.Scope("rt", router, "client", "#/io.l5d.fs/"+name).Prune()
}

// object is JSON.
type object = map[string]any

// endpoints answers as /endpoints.json does.
func (s *stub) endpoints(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	names := slices.DeleteFunc(slices.Clone(s.names), func(n string) bool { return s.pruned[n] })
	s.mu.Unlock()
	services, clients := []object{}, []object{}
	budget := object{"balance": 100, "percentCanRetry": 0.2, "minRetriesPerSec": 10, "ttlSecs": 10}
	for _, name := range names {
		id := "/#/io.l5d.fs/" + name
		services = append(services, object{"service": "/svc/" + name, "pending": rand.IntN(3), "retryBudget": budget, "clients": []string{id}})
		endpoints := []object{}
		for port := range 3 {
			e := object{
				"address": fmt.Sprintf("10.0.0.1:%d", 8080+port), "weight": 1, "metadata": object{"zone": "a"}, "status": "open", "load": 1 + rand.Float64(),
				"ewmaMs": 3 + rand.Float64(), "pending": rand.IntN(3), "connections": object{"open": 2, "idle": 1}, "inAperture": true, "pickable": true,
				"weightClass": object{"weight": 1, "size": 3, "available": 2, "share": 0.9},
				"breaker":     object{"state": "closed", "policy": "consecutiveFailures: 5", "failures": 0, "openForMs": 0, "retryInMs": 0},
				"why":         "it is picked when it has the lower load of two that are drawn",
			}
			if port == 2 {
				e["status"], e["pickable"], e["why"] = "busy", false, "its breaker has tripped after 5 failures in a row; a probe goes there in 4.2 s"
				e["breaker"] = object{"state": "open", "policy": "consecutiveFailures: 5", "standing": "5 consecutive failures", "failures": 5, "openForMs": 800, "retryInMs": 4200}
				e["failFast"] = object{"error": "connection refused", "failedProbes": 2, "downForMs": 700, "retryInMs": 1300}
			}
			endpoints = append(endpoints, e)
		}
		clients = append(clients, object{
			"client": id, "state": "bound", "status": "open", "balancer": "aperture", "aperture": 2, "requeueBudget": budget, "size": 3, "available": 2, "endpoints": endpoints,
		})
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(object{"routers": []object{{"router": router, "protocol": "http", "services": services, "clients": clients}}})
}

package consul_test

import (
	"cmp"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/naming/consul"
)

// fake is an agent that says what it is told to, and writes down what it is asked.
// Probes are answered and not written down.
type fake struct {
	t      *testing.T
	server *httptest.Server

	mu      sync.Mutex
	asked   []string // method, path and sorted query without wait, in order
	headers []http.Header
	hosts   []string
	proto   int // HTTP version of the last request
	waits   []time.Duration
	says    map[string]said // by path
	changed chan struct{}
	flying  map[string]int // requests that wait for an answer, by path
}

// said is an answer.
type said struct {
	status int // 0 is 200
	body   string
	index  string // of X-Consul-Index; empty for none
	header map[string]string
	hang   bool // never answers
	early  bool // answers at once, whatever the index
}

func newFake(t *testing.T) *fake {
	t.Helper()
	f := &fake{t: t, says: map[string]said{}, flying: map[string]int{}, changed: make(chan struct{})}
	f.server = httptest.NewServer(f)
	t.Cleanup(f.server.Close)
	return f
}

// newFakeTLS returns one that speaks HTTP/2 over TLS, as Consul does.
func newFakeTLS(t *testing.T) *fake {
	t.Helper()
	f := &fake{t: t, says: map[string]said{}, flying: map[string]int{}, changed: make(chan struct{})}
	f.server = httptest.NewUnstartedServer(f)
	f.server.EnableHTTP2 = true
	f.server.Config.ErrorLog = log.New(io.Discard, "", 0) // of those who do not trust it
	f.server.StartTLS()
	t.Cleanup(f.server.Close)
	return f
}

// agent says how to ask f.
func (f *fake) agent() consul.Agent {
	host, port, err := net.SplitHostPort(f.server.Listener.Addr().String())
	require.NoError(f.t, err)
	n, err := strconv.Atoi(port)
	require.NoError(f.t, err)
	return consul.Agent{Host: host, Port: n}
}

// say makes f answer like that from now on.
func (f *fake) say(path string, s said) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.says[path] = s
	close(f.changed)
	f.changed = make(chan struct{})
}

// requests returns what was asked so far.
func (f *fake) requests() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.asked...)
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/" || r.URL.Path == "/v1/status/leader" {
		fmt.Fprint(w, `"127.0.0.1:8300"`)
		return
	}
	if r.URL.Path == "/v1/catalog/service/consul" { // the canary
		w.Header().Set("X-Consul-Index", "1")
		if r.URL.Query().Has("index") {
			<-r.Context().Done()
		}
		return
	}
	q := r.URL.Query()
	wait, err := time.ParseDuration(cmp.Or(q.Get("wait"), "0s"))
	if err != nil {
		f.t.Errorf("wait: %v", err)
	}
	index, blocking := q.Get("index"), q.Has("index")
	f.note(r, q, wait)
	f.fly(r.URL.Path, 1)
	defer f.fly(r.URL.Path, -1)
	timeout := time.After(wait)
	for {
		f.mu.Lock()
		s, known := f.says[r.URL.EscapedPath()]
		changed := f.changed
		f.mu.Unlock()
		if known && !s.hang && (!blocking || s.early || s.index != index) {
			f.answer(w, s)
			return
		}
		select {
		case <-changed:
		case <-timeout:
			if blocking && known && !s.hang {
				f.answer(w, s)
				return
			}
		case <-r.Context().Done():
			return
		}
	}
}

func (f *fake) fly(path string, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.flying[path] += n
}

func (f *fake) note(r *http.Request, q url.Values, wait time.Duration) {
	q.Del("wait")
	line := r.Method + " " + r.URL.EscapedPath()
	if len(q) > 0 {
		line += "?" + q.Encode()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, line)
	f.headers = append(f.headers, r.Header)
	f.proto = r.ProtoMajor
	f.hosts = append(f.hosts, r.Host)
	f.waits = append(f.waits, wait)
}

func (f *fake) answer(w http.ResponseWriter, s said) {
	if s.index != "" {
		w.Header().Set("X-Consul-Index", s.index)
	}
	for k, v := range s.header {
		w.Header().Set(k, v)
	}
	w.WriteHeader(cmp.Or(s.status, http.StatusOK))
	fmt.Fprint(w, s.body)
}

// node is an entry of the catalog.
func node(address, serviceAddress string, port int, more ...string) string {
	return fmt.Sprintf(`{"Node":"n","Address":%q,"ServiceID":"s","ServiceAddress":%q,"ServicePort":%d%s}`, address, serviceAddress, port, strings.Join(more, ""))
}

// instance is an entry of the health API.
func instance(address string, port int, checks ...string) string {
	list := []string{}
	for i, c := range checks {
		id, status, named := strings.Cut(c, "=")
		if !named {
			id, status = strconv.Itoa(i), c
		}
		list = append(list, fmt.Sprintf(`{"CheckID":%q,"Status":%q}`, id, status))
	}
	return fmt.Sprintf(`{"Node":{"Node":"n","Address":%q,"Meta":{"rack":"r1"}},"Service":{"ID":"s","Address":"","Port":%d,"Tags":["primary"],"Meta":{"v":"1"}},"Checks":[%s]}`,
		address, port, strings.Join(list, ","))
}

func list(entries ...string) string { return "[" + strings.Join(entries, ",") + "]" }

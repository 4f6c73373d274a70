package rancher_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/internal/memhttp"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/rancher"
)

// said is an answer.
type said struct {
	status int // 0 is 200
	body   string
	hang   bool // never answers
}

// fake is a metadata service that waits for changes as Rancher's does, says what it
// is told to, and writes down what it is asked.
type fake struct {
	mu      sync.Mutex
	version int
	list    string
	fails   map[string]said // by path
	hasty   bool            // does not wait
	quoted  bool            // versions are strings of JSON
	asked   []string
	hosts   []string
	accepts map[string]string
	changed chan struct{}
}

func newFake() *fake {
	return &fake{list: "[]", fails: map[string]said{}, accepts: map[string]string{}, changed: make(chan struct{})}
}

const (
	versionPath = "/2015-12-19/version"
	listPath    = "/2015-12-19/containers"
)

// set makes another version of the list.
func (f *fake) set(containers ...string) { f.setText("[" + strings.Join(containers, ",") + "]") }

func (f *fake) setText(list string) {
	f.change(func() {
		f.version++
		f.list = list
	})
}

func (f *fake) change(how func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	how()
	close(f.changed)
	f.changed = make(chan struct{})
}

// container is one as the metadata has them, shortened.
func container(stack, service, ip, state string) string {
	return fmt.Sprintf(`{"create_index":1,"dns":["169.254.169.250"],"health_state":null,"host_uuid":"h1","ips":[%q],"labels":{"io.rancher.stack.name":%q},`+
		`"name":"%s_%s_1","ports":["0.0.0.0:80:80/tcp"],"primary_ip":%q,"service_index":"1","service_name":%q,"stack_name":%q,"start_count":1,"state":%q,"uuid":"u"}`,
		ip, stack, stack, service, ip, service, stack, state)
}

func (f *fake) count(path string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, a := range f.asked {
		if strings.HasPrefix(a, path) {
			n++
		}
	}
	return n
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.asked = append(f.asked, r.URL.RequestURI())
	f.hosts = append(f.hosts, r.Host)
	f.accepts[r.URL.Path] = r.Header.Get("Accept")
	f.mu.Unlock()
	wait, err := strconv.Atoi(cmp.Or(r.URL.Query().Get("maxWait"), "0"))
	if err != nil {
		return
	}
	timeout := time.After(time.Duration(wait) * time.Second)
	for over := false; ; {
		f.mu.Lock()
		version, list, fails, changed := strconv.Itoa(f.version), f.list, f.fails[r.URL.Path], f.changed
		hasty, quoted := f.hasty, f.quoted
		f.mu.Unlock()
		switch {
		case fails.hang:
			<-r.Context().Done()
			return
		case fails.status != 0 || fails.body != "":
			w.WriteHeader(cmp.Or(fails.status, http.StatusOK))
			fmt.Fprint(w, fails.body)
			return
		case r.URL.Path == listPath:
			fmt.Fprint(w, list)
			return
		case hasty || over || r.URL.Query().Get("value") != version:
			if quoted {
				version = strconv.Quote(version)
			}
			fmt.Fprintln(w, version)
			return
		}
		select {
		case <-changed:
		case <-timeout:
			over = true
		case <-r.Context().Done():
			return
		}
	}
}

// world is a metadata service on a network in memory, and a namer that asks it.
type world struct {
	*fake
	t      *testing.T
	net    memhttp.Network
	server *memhttp.Server
	namer  *rancher.Namer
	logs   *logs
}

const address = "169.254.169.250:80"

// inWorld runs a test in a bubble.
func inWorld(t *testing.T, c rancher.Config, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, fake: newFake(), logs: &logs{}}
		w.start()
		n, err := rancher.New(c, rancher.Options{
			Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
				assert.Equal(t, "tcp", network)
				assert.Equal(t, "rancher-metadata:80", addr)
				return w.net.Dial(ctx, address)
			},
			Logger: slog.New(slog.NewTextHandler(w.logs, nil)),
		})
		require.NoError(t, err)
		w.namer = n
		test(w)
		require.NoError(t, n.Close())
		w.stop()
	})
}

func (w *world) start() {
	s, err := memhttp.Serve(&w.net, address, w.fake)
	require.NoError(w.t, err)
	w.server = s
}

// stop kills the service with its connections.
func (w *world) stop() {
	w.server.Listener.Kill()
	require.NoError(w.t, w.server.Close())
}

// pass lets time go by.
func (w *world) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// watched is a name and its endpoints, followed for a test.
type watched struct {
	ctx  context.Context
	tree weft.Source[naming.State[dtab.Tree[naming.Name]]]
	set  weft.Source[naming.State[weft.EndpointSet]]
}

func watch(ctx context.Context, n *rancher.Namer, name string) *watched {
	return &watched{ctx: ctx, tree: n.Lookup(ctx, dtab.MustPath(name))}
}

func (w *world) watch(name string) *watched { return watch(w.t.Context(), w.namer, name) }

// text is the name's state: pending, failed, Neg, or the id, residual and
// endpoints.
func (w *watched) text() string {
	s, _ := w.tree.Load()
	mark := ""
	if s.Err != nil {
		mark = " (stale)"
	}
	switch {
	case s.Pending():
		return "pending"
	case !s.Known:
		return "failed"
	case s.Value.Op == dtab.Neg:
		return "Neg" + mark
	}
	b := s.Value.Value.Bound
	if w.set == nil {
		w.set = b.Addrs(w.ctx)
	}
	text := b.ID.String()
	if !b.Residual.IsEmpty() {
		text += "+" + b.Residual.String()
	}
	set, _ := w.set.Load()
	for _, e := range set.Value.Endpoints {
		text += " " + e.Addr
	}
	return text + mark
}

func (w *watched) err() error {
	s, _ := w.tree.Load()
	return s.Err
}

// logs keeps what was logged.
type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logs) count(part string) int { return strings.Count(l.String(), part) }

package marathon_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
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
	"github.com/weft-mesh/weft/naming/marathon"
)

// said is an answer.
type said struct {
	status int // 0 is 200
	body   string
	hang   bool // never answers
}

// fake is a Marathon that says what it is told to, and writes down what it is
// asked.
type fake struct {
	check func(*http.Request) bool // the credentials; nil takes all

	mu      sync.Mutex
	says    map[string]said // by path with query
	asked   []string
	times   map[string][]time.Time
	headers []http.Header
	hosts   []string
	login   func(body []byte) said // of POST
	fails   said                   // of everything, if it has a status
}

func newFake() *fake { return &fake{says: map[string]said{}, times: map[string][]time.Time{}} }

// list and app set the answers about all apps and about one.
func (f *fake) list(ids ...string) {
	for i, id := range ids {
		ids[i] = fmt.Sprintf(`{"id":%q,"cmd":null,"labels":{"LABEL_FOO":"BAR"}}`, id)
	}
	f.say("/v2/apps", said{body: `{"apps":[` + strings.Join(ids, ",") + `]}`})
}

func appPath(id string) string { return "/v2/apps" + id + "?embed=app.tasks" }

func (f *fake) app(id string, tasks ...string) {
	f.say(appPath(id), said{body: fmt.Sprintf(`{"app":{"id":%q,"version":"2017-01-01T00:00:00.000Z","tasks":[%s]}}`, id, strings.Join(tasks, ","))})
}

// task is a task at a port of its host.
func task(host string, port int) string {
	return fmt.Sprintf(`{"id":"t.%s.%d","host":%q,"ports":[%d,7001],"state":"TASK_RUNNING"}`, host, port, host, port)
}

func (f *fake) say(path string, s said) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.says[path] = s
}

// change sets fields of f.
func (f *fake) change(how func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	how()
}

// fail makes f answer like that whatever it is asked; the zero value ends it.
func (f *fake) fail(s said) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fails = s
}

// count returns how often a path was asked for, or all if it is empty.
func (f *fake) count(path string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, a := range f.asked {
		if path == "" || a == path {
			n++
		}
	}
	return n
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	path := r.URL.RequestURI()
	f.mu.Lock()
	f.asked = append(f.asked, path)
	f.times[path] = append(f.times[path], time.Now())
	f.headers = append(f.headers, r.Header)
	f.hosts = append(f.hosts, r.Host)
	s, known := f.says[path]
	login, check, fails := f.login, f.check, f.fails
	f.mu.Unlock()
	switch {
	case fails.status != 0 || fails.hang:
		s = fails
	case r.Method == http.MethodPost && login != nil:
		s = login(body)
	case check != nil && !check(r):
		s = said{status: http.StatusUnauthorized, body: `{"message":"Invalid credentials"}`}
	case !known:
		s = said{status: http.StatusNotFound, body: `{"message":"App does not exist"}`}
	}
	if s.hang {
		<-r.Context().Done()
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(cmp.Or(s.status, http.StatusOK))
	fmt.Fprint(w, s.body)
}

// world is a Marathon on a network in memory, and a namer that asks it.
type world struct {
	t *testing.T
	*fake
	net    memhttp.Network
	server *memhttp.Server
	namer  *marathon.Namer
	logs   *logs
}

const address = "10.9.9.9:80"

// inWorld runs a test in a bubble.
func inWorld(t *testing.T, c marathon.Config, o marathon.Options, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, fake: newFake(), logs: &logs{}}
		w.start()
		if c.Jitter == nil {
			c.Jitter = new(time.Duration)
		}
		o.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			assert.Equal(t, "tcp", network)
			assert.Equal(t, "marathon.mesos:80", addr)
			return w.net.Dial(ctx, address)
		}
		o.Logger = slog.New(slog.NewTextHandler(w.logs, nil))
		n, err := marathon.New(c, o)
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

// stop kills the Marathon with its connections.
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
	id   dtab.Path
	set  weft.Source[naming.State[weft.EndpointSet]]
}

func watch(ctx context.Context, n *marathon.Namer, name string) *watched {
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
	if w.set == nil || w.id != b.ID {
		w.id, w.set = b.ID, b.Addrs(w.ctx)
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

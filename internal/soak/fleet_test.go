package soak_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/child"
	"github.com/weft-mesh/weft/internal/testcert"
	"github.com/weft-mesh/weft/internal/testtool"
)

// fleet are the upstreams, and what befalls them.
type fleet struct {
	t     *testing.T
	tool  string
	files testcert.Files
	disco string // directory of the fs namer
	begin time.Time

	mu     sync.Mutex
	hosts  []string
	procs  []*child.Process
	listed []bool
	events []event
}

// event is something that befell an upstream.
type event struct {
	kind     string // kill, term, pause, remove
	upstream int
	from, to time.Time // to is zero while it lasts
}

// newFleet starts n upstreams. Each has an address of its own in 127/8, so that its
// ports stay its own while it is dead.
func newFleet(t *testing.T, n int) *fleet {
	t.Helper()
	tool, err := testtool.Program("./internal/soak/upstream")
	require.NoError(t, err)
	f := &fleet{
		t: t, tool: tool, files: testcert.NewFiles(t, "secure"), disco: t.TempDir(), begin: time.Now(),
		procs: make([]*child.Process, n), listed: make([]bool, n),
	}
	net := fmt.Sprintf("127.%d.%d.", 1+rand.IntN(250), rand.IntN(250))
	for i := range n {
		f.hosts = append(f.hosts, fmt.Sprintf("%s%d", net, i+1))
		f.listed[i] = true
		f.start(i)
	}
	f.list()
	return f
}

// start starts an upstream and waits until it serves.
func (f *fleet) start(i int) {
	h := f.hosts[i]
	p := child.Start(f.t, fmt.Sprintf("upstream %d", i), exec.Command(f.tool,
		"-plain", h+":8080", "-secure", h+":8443", "-grpc", h+":8081", "-cert", f.files.Cert, "-key", f.files.Key))
	p.Await(f.t, "serving")
	f.mu.Lock()
	defer f.mu.Unlock()
	f.procs[i] = p
}

// list tells the namer who there is.
func (f *fleet) list() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name, port := range map[string]string{"web": "8080", "secure": "8443", "grpc": "8081"} {
		var lines strings.Builder
		for i, h := range f.hosts {
			if f.listed[i] {
				fmt.Fprintln(&lines, h, port)
			}
		}
		path := filepath.Join(f.disco, name)
		require.NoError(f.t, os.WriteFile(path+".new", []byte(lines.String()), 0o600))
		require.NoError(f.t, os.Rename(path+".new", path))
	}
}

// during makes an event of something.
func (f *fleet) during(kind string, i int, do func(p *child.Process)) {
	f.mu.Lock()
	n := len(f.events)
	f.events = append(f.events, event{kind: kind, upstream: i, from: time.Now()})
	p := f.procs[i]
	f.mu.Unlock()
	do(p)
	f.mu.Lock()
	f.events[n].to = time.Now()
	f.mu.Unlock()
}

// kill ends an upstream as a crash does, and starts it again after a while.
func (f *fleet) kill(i int, down time.Duration) {
	f.during("kill", i, (*child.Process).Kill)
	time.Sleep(down)
	f.start(i)
}

// term ends an upstream in an orderly way, and starts it again.
func (f *fleet) term(i int, down time.Duration) {
	f.during("term", i, func(p *child.Process) { require.NoError(f.t, p.Stop()) })
	time.Sleep(down)
	f.start(i)
}

// pause stops an upstream as it stands for a while.
func (f *fleet) pause(i int, d time.Duration) {
	f.during("pause", i, func(p *child.Process) {
		p.Pause()
		time.Sleep(d)
		p.Resume()
	})
}

// remove takes an upstream out of discovery for a while, and lets it live.
func (f *fleet) remove(i int, d time.Duration) {
	f.during("remove", i, func(*child.Process) {
		f.setListed(i, false)
		time.Sleep(d)
		f.setListed(i, true)
	})
}

func (f *fleet) setListed(i int, to bool) {
	f.mu.Lock()
	f.listed[i] = to
	f.mu.Unlock()
	f.list()
}

// trouble goes on until quit is closed: one upstream at a time, so that there is
// always somebody to go to.
func (f *fleet) trouble(quit <-chan struct{}, r *rand.Rand) {
	for n := 0; ; n++ {
		select {
		case <-quit:
			return
		case <-time.After(time.Duration(200+r.IntN(400)) * time.Millisecond):
		}
		i := r.IntN(len(f.hosts))
		switch n % 6 {
		case 0, 3:
			f.kill(i, time.Duration(r.IntN(1200))*time.Millisecond)
		case 1:
			f.pause(i, shortPause)
		case 2:
			f.remove(i, 500*time.Millisecond)
		case 4:
			f.pause(i, longPause)
		case 5:
			f.term(i, 100*time.Millisecond)
		}
	}
}

// between returns the events of a kind that have any time in common with a span.
func (f *fleet) between(kind string, from, to time.Time) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.events {
		if e.kind == kind && !e.from.After(to) && (e.to.IsZero() || !e.to.Before(from)) {
			n++
		}
	}
	return n
}

// longPauses is between for pauses that outlast an attempt.
func (f *fleet) longPauses(from, to time.Time) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.events {
		if e.kind != "pause" || e.from.After(to) || !e.to.IsZero() && e.to.Before(from) {
			continue
		}
		if end := e.to; end.IsZero() || end.Sub(e.from) > attemptTimeout*9/10 {
			n++
		}
	}
	return n
}

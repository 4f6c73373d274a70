package e2e_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const five = `
admin: {port: 0}
namers: [{kind: io.l5d.fs, rootDir: '${dir}/disco'}]
routers:
- protocol: http
  dtab: /svc => /#/io.l5d.fs
  service:
    responseClassifier: {kind: io.l5d.http.retryableRead5XX}
  client:
    loadBalancer: {kind: ewma}
  servers: [{port: 0}]
`

// hitman is an endpoint that can be killed like a process: its port and all its
// connections go at once. Its ghost counts who still comes.
type hitman struct {
	*endpoint
	visits atomic.Int64
}

// kill ends the endpoint. If the port is haunted somebody accepts connections there
// and resets them at once, so that what is still sent to it can be counted.
func (h *hitman) kill(t *testing.T, haunted bool) {
	t.Helper()
	require.NoError(t, h.server.Close())
	if !haunted {
		return
	}
	l, err := net.Listen("tcp", h.addr)
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			h.visits.Add(1)
			_ = c.(*net.TCPConn).SetLinger(0)
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
}

func TestKillingAnUpstreamFailsNobody(t *testing.T) {
	for _, haunted := range []bool{false, true} {
		name := map[bool]string{false: "connections are refused", true: "connections are reset"}[haunted]
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			var lines strings.Builder
			var all []*hitman
			for range 5 {
				h := &hitman{endpoint: endpointAt(t, "127.0.0.1:0", func(w http.ResponseWriter, _ *http.Request) {
					time.Sleep(10 * time.Millisecond) // so that requests are under way when it dies
					fmt.Fprint(w, "ok")
				})}
				all = append(all, h)
				lines.WriteString(h.line())
			}
			write(t, dir+"/disco/web", lines.String())
			m := serveIn(t, dir, five)
			l := startLoad(t, pooled(t), 1000, func(int) call { return get(m.url("http")+"/", "Host: web") })
			l.until(t, 1000)
			victim := all[2]
			before := m.failures(t)
			begin, n := time.Now(), l.count()
			victim.kill(t, haunted)
			l.more(t, 2500)
			l.mustNotFail(t)

			rate := float64(l.count()-n) / time.Since(begin).Seconds()
			// What was under way at the kill, the five that trip the breaker, those that were
			// picked meanwhile, and a probe now and then.
			attempts := m.failures(t) - before
			t.Logf("%.0f requests/s, %d failed attempts, %d visits to the dead", rate, attempts, victim.visits.Load())
			assert.LessOrEqual(t, attempts, 40)
			assert.LessOrEqual(t, victim.visits.Load(), int64(20))
		})
	}
}

// failures counts the attempts that failed.
func (m *mesh) failures(t *testing.T) int {
	t.Helper()
	return int(m.counter(t, "rt/http/client/#/io.l5d.fs/web/failures"))
}

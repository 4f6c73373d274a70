package e2e_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/portlock"
)

// slowly answers when it is told to.
type slowly struct{ asked, answer chan struct{} }

func (s slowly) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/slow" {
		return
	}
	close(s.asked)
	select {
	case <-s.answer:
		fmt.Fprint(w, "at last")
	case <-r.Context().Done():
	}
}

func TestDrain(t *testing.T) {
	// By a signal or, 0, by a request.
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, 0} {
		t.Run(signal.String(), func(t *testing.T) {
			portlock.Acquire(t, 4140, 9990)
			dir := lay(t, "getting-started")
			s := slowly{make(chan struct{}), make(chan struct{})}
			e := endpointAt(t, "127.0.0.1:0", s.ServeHTTP)
			write(t, filepath.Join(dir, "disco", "hello"), e.line())
			p := run(t, dir, "linkerd.yaml")
			idle, err := net.Dial("tcp", "127.0.0.1:4140") // one that rests between two requests
			require.NoError(t, err)
			defer idle.Close()
			fmt.Fprint(idle, "GET /quick HTTP/1.1\r\nHost: hello\r\n\r\n")
			resting := bufio.NewReader(idle)
			resp, err := http.ReadResponse(resting, nil)
			require.NoError(t, err)
			require.Equal(t, 200, resp.StatusCode)

			answered := make(chan reply, 1)
			go func() {
				r, err := try(get(edge+"/slow", "Host: hello"))
				if err != nil {
					r.body = err.Error()
				}
				answered <- r
			}()
			<-s.asked
			if signal != 0 {
				p.signal(t, signal)
			} else {
				do(t, request("POST", "http://127.0.0.1:9990/admin/shutdown"))
			}
			p.eventually(t, limit, func() bool {
				c, err := net.Dial("tcp", "127.0.0.1:4140")
				if err == nil {
					_ = c.Close()
				}
				return err != nil
			}, "connections are still accepted")
			_, err = resting.ReadByte()
			require.Error(t, err, "a connection that rests is closed")
			select {
			case <-p.exited:
				require.FailNow(t, "weft did not wait for the request under way")
			default:
			}
			close(s.answer)
			r := <-answered
			assert.Equal(t, 200, r.status)
			assert.Equal(t, "at last", r.body)
			require.NoError(t, p.wait(t), "the exit status")
		})
	}
}

func TestDrainEndsAfterTheGraceTime(t *testing.T) {
	s := slowly{make(chan struct{}), make(chan struct{})}
	e := endpointAt(t, "127.0.0.1:0", s.ServeHTTP)
	dir := t.TempDir()
	write(t, dir+"/disco/web", e.line())
	m := serveIn(t, dir, "admin: {port: 0, shutdownGraceMs: 100}\n"+
		"namers: [{kind: io.l5d.fs, rootDir: '${dir}/disco'}]\n"+
		"routers: [{protocol: http, dtab: /svc => /#/io.l5d.fs, servers: [{port: 0}]}]\n")
	failed := make(chan error, 1)
	go func() {
		_, err := try(get(m.url("http")+"/slow", "Host: web"))
		failed <- err
	}()
	<-s.asked
	r := do(t, request("POST", "http://"+m.addrs.Admin+"/admin/shutdown"))
	require.Equal(t, 200, r.status)
	require.Error(t, <-failed, "cut off")
	require.NoError(t, m.stop())
	close(s.answer)
}

package e2e_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/portlock"
)

// shout switches to a protocol that says everything again, louder.
func shout(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") != "shout" {
		w.WriteHeader(http.StatusUpgradeRequired)
		return
	}
	w.Header().Set("Connection", "Upgrade")
	w.Header().Set("Upgrade", "shout")
	w.WriteHeader(http.StatusSwitchingProtocols)
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	for {
		line, err := buffered.ReadString('\n')
		if err != nil {
			return
		}
		if _, err := io.WriteString(conn, strings.ToUpper(line)); err != nil {
			return
		}
	}
}

func TestTunnels(t *testing.T) {
	m, _ := front(t, "", "serverSession: {lifeTimeMs: 60000}", shout)
	c := dial(t, m)
	_, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: shout\r\n\r\n")
	require.NoError(t, err)
	resp, err := http.ReadResponse(c.r, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
	say := func(text string) {
		_, err := io.WriteString(c, text+"\n")
		require.NoError(t, err)
		line, err := c.r.ReadString('\n')
		require.NoError(t, err)
		assert.Equal(t, strings.ToUpper(text)+"\n", line)
	}
	say("hello")
	connections := func() float64 { return m.counter(t, "rt/one/server/127.0.0.1/0/connections") }
	assert.Equal(t, 1.0, connections(), "a tunnel is a connection")
	say("again")

	other := dial(t, m)
	_, err = io.WriteString(other, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: shout\r\n\r\n")
	require.NoError(t, err)
	_, err = http.ReadResponse(other.r, nil)
	require.NoError(t, err)
	require.NoError(t, other.Close())
	eventually(t, func() bool { return connections() == 1 }, "an ended tunnel is still counted")

	// A tunnel does not keep the proxy from ending.
	begin := time.Now()
	require.NoError(t, m.stop())
	assert.Less(t, time.Since(begin), 4*time.Second)
	_, err = c.r.ReadByte()
	require.Error(t, err)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the tunnel was left open")
}

func TestCONNECT(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		line, _ := bufio.NewReader(c).ReadString('\n')
		_, _ = io.WriteString(c, strings.ToUpper(line))
	}()
	m := serve(t, `
admin: {port: 0}
routers:
- protocol: http
  label: one
  dtab: |
    /ph => /$/io.buoyant.rinet ;
    /svc => /$/io.buoyant.porthostPfx/ph ;
  servers: [{port: 0}]
`)
	c := dial(t, m)
	_, err = fmt.Fprintf(c, "CONNECT %[1]s HTTP/1.1\r\nHost: %[1]s\r\n\r\n", l.Addr())
	require.NoError(t, err)
	resp, err := http.ReadResponse(c.r, &http.Request{Method: http.MethodConnect})
	require.NoError(t, err)
	require.Equal(t, 200, resp.StatusCode)
	_, err = io.WriteString(c, "through\n")
	require.NoError(t, err)
	line, err := c.r.ReadString('\n')
	require.NoError(t, err)
	assert.Equal(t, "THROUGH\n", line)
}

func TestSIGHUPReopensAccessLogs(t *testing.T) {
	portlock.Acquire(t, 4140, 4141, 9990)
	dir := lay(t, "corpus")
	p := run(t, dir, examples+"access-logs.yaml")
	file := filepath.Join(dir, "logs", "access2.log")
	ask := func(path string) { require.Equal(t, 200, do(t, get("http://127.0.0.1:4141/admin/ping"+path)).status) }
	ask("?1")
	p.eventually(t, limit, func() bool { return len(linesOf(t, file)) == 1 }, "no line")
	require.NoError(t, os.Rename(file, file+".1"))
	p.signal(t, syscall.SIGHUP)
	p.eventually(t, limit, func() bool { _, err := os.Stat(file); return err == nil }, "not reopened")
	ask("?2")
	p.eventually(t, limit, func() bool { return len(linesOf(t, file)) == 1 }, "no line in the new file")
	assert.Contains(t, linesOf(t, file)[0], "?2")
	assert.Len(t, linesOf(t, file+".1"), 1)
}

package servers

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"testing"
	"time"

	"github.com/weft-mesh/weft/internal/child"
)

// patience is how long a server may take to be ready, on a busy machine.
const patience = 90 * time.Second

// Server is a server process that can be started again.
type Server struct {
	tb    testing.TB
	name  string
	make  func() *exec.Cmd
	ready func(context.Context) error
	proc  *child.Process
}

// start runs the command that make returns and waits until ready returns nil.
func start(tb testing.TB, name string, command func() *exec.Cmd, ready func(context.Context) error) *Server {
	tb.Helper()
	s := &Server{tb: tb, name: name, make: command, ready: ready}
	s.Start()
	return s
}

// Start starts the server again after Kill or Stop, on the data and ports that it
// had, and waits until it serves.
func (s *Server) Start() {
	s.tb.Helper()
	s.proc = child.Start(s.tb, s.name, s.make())
	s.AwaitReady()
}

// AwaitReady waits until the server serves.
func (s *Server) AwaitReady() {
	s.tb.Helper()
	deadline := time.Now().Add(patience)
	for {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		err := s.ready(ctx)
		cancel()
		if err == nil {
			return
		}
		select {
		case <-s.proc.Exited():
			s.tb.Fatalf("servers: %s has ended:\n%s", s.name, s.proc.Output())
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			s.tb.Fatalf("servers: %s is not ready after %v: %v\n%s", s.name, patience, err, s.proc.Output())
		}
	}
}

// Kill ends the server as a crash does.
func (s *Server) Kill() { s.proc.Kill() }

// Stop ends the server in order.
func (s *Server) Stop() { _ = s.proc.Stop() }

// Pause stops the server as it stands: its sockets stay open and nobody answers.
func (s *Server) Pause() { s.proc.Pause() }

// Resume ends a Pause.
func (s *Server) Resume() { s.proc.Resume() }

// Process returns the running process.
func (s *Server) Process() *child.Process { return s.proc }

// ports returns n free ports of the loopback address. Nothing holds them, so a
// server that is started on them a moment later may find one taken; rarely.
func ports(tb testing.TB, n int) []int {
	tb.Helper()
	all := make([]int, n)
	for i := range all {
		l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // opens at once
		if err != nil {
			tb.Fatalf("servers: %v", err)
		}
		defer l.Close() //nolint:errcheck // it was only asked for its number
		addr, _ := l.Addr().(*net.TCPAddr)
		all[i] = addr.Port
	}
	return all
}

func loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

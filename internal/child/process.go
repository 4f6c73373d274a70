package child

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// limit is how long a program may take to start and to end.
const limit = 20 * time.Second

// Process is a running program. Its methods may be called from any goroutine.
type Process struct {
	// Name is what messages call it.
	Name   string
	cmd    *exec.Cmd
	out    output
	exited chan struct{} // closed once err is set
	err    error
}

// Start runs a command whose output nobody has claimed. It is killed when the test
// ends, if it has not ended by then.
func Start(tb testing.TB, name string, cmd *exec.Cmd) *Process {
	tb.Helper()
	p := &Process{Name: name, cmd: cmd, exited: make(chan struct{})}
	if cmd.Stdout == nil {
		cmd.Stdout = &p.out
	}
	if cmd.Stderr == nil {
		cmd.Stderr = &p.out
	}
	if err := cmd.Start(); err != nil {
		tb.Fatalf("child: %s: %v", name, err)
	}
	go func() {
		p.err = cmd.Wait()
		close(p.exited)
	}()
	tb.Cleanup(func() {
		p.Kill()
		if tb.Failed() {
			tb.Logf("%s said:\n%s", name, p.out.tail(8<<10))
		}
	})
	return p
}

// Await waits until the output has a match and returns it and its groups.
func (p *Process) Await(tb testing.TB, pattern string) []string {
	tb.Helper()
	re := regexp.MustCompile(pattern)
	for deadline := time.Now().Add(limit); ; time.Sleep(2 * time.Millisecond) {
		if m := re.FindStringSubmatch(p.out.String()); m != nil {
			return m
		}
		select {
		case <-p.exited:
			if m := re.FindStringSubmatch(p.out.String()); m != nil {
				return m
			}
			tb.Fatalf("child: %s ended (%v) without saying %q:\n%s", p.Name, p.err, pattern, p.out.String())
		default:
		}
		if time.Now().After(deadline) {
			tb.Fatalf("child: %s has not said %q in %v:\n%s", p.Name, pattern, limit, p.out.String())
		}
	}
}

// Output returns what the program has printed, to both outputs.
func (p *Process) Output() string { return p.out.String() }

// Exited is closed when the program has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Pause stops the program as it stands: its sockets stay open and nobody reads
// them. Resume lets it go on.
func (p *Process) Pause() { _ = p.cmd.Process.Signal(syscall.SIGSTOP) }

// Resume ends a Pause.
func (p *Process) Resume() { _ = p.cmd.Process.Signal(syscall.SIGCONT) }

// Kill ends the program at once and waits for its end.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // SIGKILL ends a paused one, too
	<-p.exited
}

// Stop asks the program to end (SIGTERM), waits for it and returns how it ended.
func (p *Process) Stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
		return p.err
	case <-time.After(limit):
	}
	_ = p.cmd.Process.Signal(syscall.SIGQUIT) // a Go program says what it is waiting for
	select {
	case <-p.exited:
	case <-time.After(time.Second):
	}
	return fmt.Errorf("child: %s has not ended %v after SIGTERM", p.Name, limit)
}

// RSS returns the resident memory in bytes, 0 if it cannot be read.
func (p *Process) RSS() int64 {
	text, err := os.ReadFile(p.proc("status"))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			if err != nil {
				return 0
			}
			return kb << 10
		}
	}
	return 0
}

// Files returns what the open descriptors are, "socket:[1234]" or a path; nil if it
// cannot be read.
func (p *Process) Files() []string {
	dir := p.proc("fd")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var all []string
	for _, e := range entries {
		if to, err := os.Readlink(filepath.Join(dir, e.Name())); err == nil {
			all = append(all, to)
		}
	}
	return all
}

// Sockets returns how many descriptors are sockets.
func (p *Process) Sockets() int {
	n := 0
	for _, f := range p.Files() {
		if strings.HasPrefix(f, "socket:") {
			n++
		}
	}
	return n
}

// CPU returns the processor time used so far, user and system.
func (p *Process) CPU() time.Duration {
	text, err := os.ReadFile(p.proc("stat"))
	if err != nil {
		return 0
	}
	// proc_pid_stat(5): the name, in parentheses, may have spaces; utime and stime are
	// the 12th and 13th field after it, in ticks of 1/100 s.
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

func (p *Process) proc(file string) string {
	return filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid), file)
}

// output is a buffer that may be read while it is written.
type output struct {
	mu  sync.Mutex
	buf []byte
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.buf = append(o.buf, p...)
	return len(p), nil
}

// String returns what has been written.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.buf)
}

func (o *output) tail(n int) string {
	s := o.String()
	if len(s) > n {
		return "…" + s[len(s)-n:]
	}
	return s
}

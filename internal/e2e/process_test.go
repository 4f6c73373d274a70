package e2e_test

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// limit is how long a proxy may take to start and to stop.
const limit = 10 * time.Second

// process is a weft that runs as a child.
type process struct {
	cmd    *exec.Cmd
	stdout *output
	stderr *output
	exited chan struct{} // closed once err is set
	err    error
}

// start runs weft in a directory. It is killed when the test ends, if it has not
// ended by then.
func start(t *testing.T, dir string, env []string, args ...string) *process {
	t.Helper()
	p := command(t, args...)
	p.cmd.Dir = dir
	p.cmd.Env = append(os.Environ(), env...)
	p.begin(t, args)
	return p
}

// startWith is start with something to read.
func startWith(t *testing.T, stdin string, args ...string) *process {
	t.Helper()
	p := command(t, args...)
	p.cmd.Stdin = strings.NewReader(stdin)
	p.begin(t, args)
	return p
}

func command(t *testing.T, args ...string) *process {
	t.Helper()
	path, err := binary()
	require.NoError(t, err)
	p := &process{cmd: exec.Command(path, args...), stdout: &output{}, stderr: &output{}, exited: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stderr
	return p
}

func (p *process) begin(t *testing.T, args []string) {
	t.Helper()
	require.NoError(t, p.cmd.Start())
	go func() {
		p.err = p.cmd.Wait()
		close(p.exited)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.exited
		if t.Failed() {
			t.Logf("weft %s\n%s%s", strings.Join(args, " "), p.stdout, p.stderr)
		}
	})
}

// run runs a configuration in a directory and waits until it answers pong on the
// default admin port.
func run(t *testing.T, dir, file string, env ...string) *process {
	t.Helper()
	p := start(t, dir, env, "run", file)
	p.eventually(t, limit, func() bool {
		r, err := try(get("http://127.0.0.1:9990/admin/ping"))
		return err == nil && r.status == 200 && r.body == "pong"
	}, "no pong")
	t.Cleanup(func() {
		if !t.Failed() {
			p.shutdown(t)
		}
	})
	return p
}

// shutdown asks for an end over the admin port and waits for it.
func (p *process) shutdown(t *testing.T) {
	t.Helper()
	select {
	case <-p.exited: // the test has ended it
		return
	default:
	}
	r := do(t, request("POST", "http://127.0.0.1:9990/admin/shutdown"))
	require.Equal(t, 200, r.status)
	require.Equal(t, "quitting\n", r.body)
	require.NoError(t, p.wait(t))
	_, err := try(get("http://127.0.0.1:9990/admin/ping"))
	require.Error(t, err, "still answering")
}

// signal sends a signal.
func (p *process) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Signal(s))
}

// wait waits for the end of the process and returns how it ended.
func (p *process) wait(t *testing.T) error {
	t.Helper()
	select {
	case <-p.exited:
		return p.err
	case <-time.After(limit):
		require.FailNow(t, "weft did not stop in time")
		return nil
	}
}

// eventually polls until ok, the end of the process or the limit.
func (p *process) eventually(t *testing.T, within time.Duration, ok func() bool, otherwise string) {
	t.Helper()
	deadline := time.Now().Add(within)
	for !ok() {
		select {
		case <-p.exited:
			require.FailNow(t, "weft ended: "+otherwise, "%v\n%s", p.err, p.stderr)
		default:
		}
		require.False(t, time.Now().After(deadline), otherwise)
		time.Sleep(5 * time.Millisecond)
	}
}

// output is a buffer that may be read while it is written.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

// String returns what has been written.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

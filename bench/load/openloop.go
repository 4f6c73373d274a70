package load

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// OpenLoop sends HTTP/1.1 requests at a constant rate, whatever the answers do. The
// latency of a request counts from when it should have been sent: when no connection
// is free it waits for one, and that is part of it, so that nothing is omitted.
//
// It is one thread on epoll with timeouts in nanoseconds, and it runs before
// everything else where that is permitted, because a generator on Go's timers is a
// millisecond late, which is more than what it measures.
type OpenLoop struct {
	Addr  netip.AddrPort
	Rate  float64 // requests per second
	Conns int     // at most 1024
	Time  time.Duration
	Skip  time.Duration // at the beginning, not counted
}

// Run makes the load.
func (o OpenLoop) Run(ctx context.Context) (Result, error) {
	if o.Rate <= 0 || o.Conns < 1 || o.Conns > 1024 {
		return Result{}, fmt.Errorf("load: a rate of %v on %d connections: want a rate and 1 to 1024 connections", o.Rate, o.Conns)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if unix.Setpriority(unix.PRIO_PROCESS, 0, -10) == nil {
		defer func() { _ = unix.Setpriority(unix.PRIO_PROCESS, 0, 0) }()
	}
	l, err := newLoop(o)
	if err != nil {
		return Result{}, err
	}
	defer l.close()
	return l.run(ctx)
}

// loop is the state of one run.
type loop struct {
	OpenLoop
	epoll     int
	conns     []conn
	free      []int // indices of conns
	request   []byte
	start     time.Time
	interval  time.Duration
	sent      int64
	total     int64
	latencies []time.Duration // of those after Skip
	errs      int64
	buf       [64 << 10]byte
}

// conn is one connection. due is when the request that is on it should have been sent.
type conn struct {
	fd       int
	due      time.Duration
	counted  bool
	response response
}

func newLoop(o OpenLoop) (*loop, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("load: epoll: %w", err)
	}
	l := &loop{
		OpenLoop: o, epoll: epoll, interval: time.Duration(float64(time.Second) / o.Rate),
		request: []byte("GET / HTTP/1.1\r\nHost: " + Authority + "\r\nUser-Agent: weft-bench\r\n\r\n"),
	}
	l.total = int64((o.Time + o.Skip) / l.interval)
	l.latencies = make([]time.Duration, 0, l.total)
	l.conns = make([]conn, o.Conns)
	for i := range l.conns {
		l.conns[i].fd = -1
	}
	for i := range l.conns {
		if err := l.dial(i); err != nil {
			l.close()
			return nil, err
		}
	}
	return l, nil
}

func (l *loop) dial(i int) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("load: socket: %w", err)
	}
	l.conns[i] = conn{fd: fd}
	if err := unix.Connect(fd, &unix.SockaddrInet4{Port: int(l.Addr.Port()), Addr: l.Addr.Addr().As4()}); err != nil {
		return fmt.Errorf("load: connecting to %v: %w", l.Addr, err)
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	if err := unix.SetNonblock(fd, true); err != nil {
		return fmt.Errorf("load: socket: %w", err)
	}
	if err := unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(i)}); err != nil {
		return fmt.Errorf("load: epoll: %w", err)
	}
	l.free = append(l.free, i)
	return nil
}

func (l *loop) close() {
	for i := range l.conns {
		if l.conns[i].fd >= 0 {
			_ = unix.Close(l.conns[i].fd)
		}
	}
	_ = unix.Close(l.epoll)
}

// grace is how long the last answers may take.
const grace = 5 * time.Second

func (l *loop) run(ctx context.Context) (Result, error) {
	runtime.GC() // so that none falls into the run, which makes no garbage
	l.start = time.Now()
	deadline := time.Duration(l.total)*l.interval + grace
	events := make([]unix.EpollEvent, len(l.conns))
	for l.sent < l.total || len(l.free) < len(l.conns) {
		now := time.Since(l.start)
		if now > deadline || ctx.Err() != nil {
			break
		}
		if err := l.send(now); err != nil {
			return Result{}, err
		}
		n, err := l.wait(events)
		if err != nil {
			return Result{}, err
		}
		for _, e := range events[:n] {
			if err := l.receive(int(e.Fd)); err != nil {
				return Result{}, err
			}
		}
	}
	return l.result(ctx)
}

// send sends what is due.
func (l *loop) send(now time.Duration) error {
	for l.sent < l.total && len(l.free) > 0 {
		due := time.Duration(l.sent) * l.interval
		if due > now {
			return nil
		}
		i := l.free[len(l.free)-1]
		l.free = l.free[:len(l.free)-1]
		c := &l.conns[i]
		c.due, c.counted = due, due >= l.Skip
		l.sent++
		if _, err := unix.Write(c.fd, l.request); err != nil {
			if err := l.again(i); err != nil {
				return err
			}
		}
	}
	return nil
}

// wait waits for answers, and no longer than until the next request is due.
func (l *loop) wait(events []unix.EpollEvent) (int, error) {
	timeout := 100 * time.Millisecond
	if l.sent < l.total && len(l.free) > 0 {
		timeout = max(time.Duration(l.sent)*l.interval-time.Since(l.start), 0)
	}
	n, err := epollWait(l.epoll, events, timeout)
	if errors.Is(err, unix.EINTR) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("load: epoll: %w", err)
	}
	return n, nil
}

func (l *loop) receive(i int) error {
	c := &l.conns[i]
	n, err := unix.Read(c.fd, l.buf[:])
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
		return nil
	}
	if err != nil || n == 0 {
		if slices.Contains(l.free, i) { // idle, and the server's to close
			l.free = slices.DeleteFunc(l.free, func(f int) bool { return f == i })
			_ = unix.Close(c.fd)
			return l.dial(i)
		}
		return l.again(i)
	}
	done, err := c.response.feed(l.buf[:n])
	if err != nil || !done {
		return err
	}
	if c.counted {
		l.latencies = append(l.latencies, time.Since(l.start)-c.due)
		if !c.response.ok {
			l.errs++
		}
	}
	l.free = append(l.free, i)
	return nil
}

// again counts the request on a connection as failed and connects anew.
func (l *loop) again(i int) error {
	if l.conns[i].counted {
		l.errs++
	}
	_ = unix.Close(l.conns[i].fd)
	return l.dial(i)
}

func (l *loop) result(ctx context.Context) (Result, error) {
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	lost := int64(len(l.conns)-len(l.free)) + l.total - l.sent
	if len(l.latencies) == 0 {
		return Result{}, errors.New("load: no request was answered")
	}
	slices.Sort(l.latencies)
	at := func(q float64) time.Duration {
		return l.latencies[min(int(q*float64(len(l.latencies))), len(l.latencies)-1)]
	}
	return Result{
		Requests: int64(len(l.latencies)), Errors: l.errs + lost, Elapsed: l.Time,
		Latency: Quantiles{at(0.5), at(0.99), at(0.999)},
	}, nil
}

package statsd

import (
	"context"
	"net"
	"net/netip"
	"time"
)

const (
	maxDatagram = 1432 // what an Ethernet frame carries of UDP
	maxLines    = 1000 // before something else than lines is looked at
	dialTimeout = 5 * time.Second
	lastDial    = time.Second // of an exporter that is closed
	firstRedial = time.Second // doubled each time
	slowRedial  = 30 * time.Second
	freshness   = time.Minute // of a resolved name
)

// sendAll sends what is queued until ctx ends and the queue is empty.
func (e *Exporter) sendAll(ctx context.Context) {
	conn := e.dial(ctx)
	e.found.Store(conn != nil)
	close(e.looked)
	if conn == nil {
		e.discard()
		return
	}
	defer func() { _ = conn.Close() }()
	refresh := time.NewTicker(freshness)
	defer refresh.Stop()
	_, err := netip.ParseAddr(e.o.Host)
	if err == nil {
		refresh.Stop()
	}
	buf := make([]byte, 0, maxDatagram)
	for {
		select {
		case l := <-e.lines:
			buf = e.pack(conn, buf[:0], l)
		case <-refresh.C:
			// The old address serves as long as there is no new one.
			if c, err := e.connect(ctx); err == nil {
				_ = conn.Close()
				conn = c
			}
		case <-e.ended:
			for len(e.lines) > 0 {
				buf = e.pack(conn, buf[:0], <-e.lines)
			}
			return
		}
	}
}

// pack sends l and what else is queued, as much in a datagram as fits and a good many
// lines at most.
func (e *Exporter) pack(conn net.Conn, buf []byte, l line) []byte {
	n := 0
	for range maxLines {
		before := len(buf)
		if n > 0 {
			buf = append(buf, '\n')
		}
		buf = l.appendTo(buf)
		if n > 0 && len(buf) > maxDatagram {
			e.write(conn, buf[:before], n)
			buf = append(buf[:0], buf[before+1:]...)
			n = 0
		}
		n++
		select {
		case l = <-e.lines:
			continue
		default:
		}
		e.write(conn, buf, n)
		return buf
	}
	buf = l.appendTo(append(buf, '\n'))
	e.write(conn, buf, n+1)
	return buf
}

// write sends a datagram, which UDP does not wait for. An error is of the one before, to
// which the machine over there has said that nobody listens: it goes once more.
func (e *Exporter) write(conn net.Conn, datagram []byte, lines int) {
	_, err := conn.Write(datagram)
	if err != nil {
		e.failures.Inc()
		_, err = conn.Write(datagram)
	}
	if err != nil {
		e.dropped.Add(int64(lines))
		return
	}
	e.sent.Add(int64(lines))
}

// dial resolves the host, again and again until that succeeds. It returns nil if ctx ends
// before; who is closed at once gets one short attempt.
func (e *Exporter) dial(ctx context.Context) net.Conn {
	wait, told := firstRedial, false
	for {
		conn, err := e.connect(ctx)
		if err == nil {
			if told {
				e.o.Logger.Info("statsd is found", "host", e.o.Host, "dropped", e.Dropped())
			}
			return conn
		}
		if ctx.Err() != nil {
			if told {
				return nil
			}
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastDial)
			defer cancel()
			if conn, err = e.connect(last); err != nil {
				return nil
			}
			return conn
		}
		if !told {
			told = true
			e.o.Logger.Warn("metrics are not sent to statsd: they wait, and are dropped when there are too many", "error", err)
		}
		again := time.NewTimer(wait)
		select {
		case <-again.C:
		case <-ctx.Done():
			again.Stop()
			return nil
		}
		wait = min(2*wait, slowRedial)
	}
}

func (e *Exporter) connect(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	return new(net.Dialer).DialContext(ctx, "udp", e.dest)
}

// discard drops what waits for a host that was never found.
func (e *Exporter) discard() {
	for {
		select {
		case <-e.lines:
			e.dropped.Inc()
		case <-e.ended:
			for len(e.lines) > 0 {
				<-e.lines
				e.dropped.Inc()
			}
			return
		}
	}
}

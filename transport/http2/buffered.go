package http2

import (
	"net"
	"sync"
	"time"
)

// Buffered returns nc for use under tls.Server or tls.Client: once a Conn has taken over
// the TLS connection, what TLS writes is kept and written to the socket without making
// the caller wait. Until then (the handshake) it is nc. Without it a Conn over TLS
// leaves all writing to a goroutine.
func Buffered(nc net.Conn) net.Conn { return &buffered{Conn: nc} }

type buffered struct {
	net.Conn
	mu     sync.Mutex
	sink   sink   // nil: not yet taken over
	pend   []byte // written by TLS, not given to sink
	giving []byte // given to sink
}

// attach begins to keep what is written.
func (b *buffered) attach() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sink != nil {
		return
	}
	if b.sink = newSocketSink(b.Conn); b.sink == nil {
		b.sink = &waitingSink{nc: b.Conn}
	}
}

// Write implements io.Writer. TLS calls it also from reads (key updates, alerts); what
// those write leaves with the next flush.
func (b *buffered) Write(p []byte) (int, error) {
	b.mu.Lock()
	if b.sink == nil {
		b.mu.Unlock()
		return b.Conn.Write(p)
	}
	b.pend = append(b.pend, p...)
	b.mu.Unlock()
	return len(p), nil
}

// try writes what can be written without waiting.
func (b *buffered) try() (done bool, err error) {
	b.mu.Lock()
	b.giving, b.pend = b.pend, b.giving[:0]
	b.mu.Unlock()
	done, err = b.sink.try(b.giving)
	if done && cap(b.giving) > keepIdle {
		b.giving = nil
	}
	return done, err
}

// keepIdle is the capacity of a write buffer that an idle connection may hold.
const keepIdle = 1 << 10

func (b *buffered) finish(limit func() time.Duration) error { return b.sink.finish(limit) }

// Close writes what TLS wrote last (close_notify) if that needs no waiting.
func (b *buffered) Close() error {
	b.mu.Lock()
	if b.sink != nil && len(b.pend) > 0 {
		_ = b.Conn.SetWriteDeadline(time.Now().Add(-time.Second)) // ends a finish that is under way
	}
	b.mu.Unlock()
	return b.Conn.Close()
}

// CloseWrite ends the writing half if nc can.
func (b *buffered) CloseWrite() error {
	if c, ok := b.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return b.Conn.Close()
}

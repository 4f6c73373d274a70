package http1

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// ConnReport is what a connection came to, for metrics.
type ConnReport struct {
	// Lived is the time from its making to its end.
	Lived time.Duration
	// Received and Sent are bytes; for TLS, of those inside.
	Received, Sent int64
	// Requests are those that a Server has read the head of, or that a Pool began to send.
	Requests int64
	// TLS says that it was one of TLS.
	TLS bool
	// Reason is why a Server closed it.
	Reason CloseReason
	// ReadErr and WriteErr are what broke it, nil if nothing did: an end at the wrong moment,
	// or an interruption by this side, does not count. A TLS handshake that failed is a
	// *HandshakeError in ReadErr.
	ReadErr, WriteErr error
}

// traffic is what a connection counts for its report. It is safe for concurrent use.
type traffic struct {
	received, sent    atomic.Int64
	readErr, writeErr atomic.Pointer[error]
}

// failedRead and failedWrite note the first error that broke the connection.
func (t *traffic) failedRead(err error) { failed(&t.readErr, err) }

func (t *traffic) failedWrite(err error) { failed(&t.writeErr, err) }

func failed(at *atomic.Pointer[error], err error) {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
		return
	}
	at.CompareAndSwap(nil, &err)
}

// report returns what there is to say of nc.
func (t *traffic) report(nc net.Conn, lived time.Duration, requests int64) ConnReport {
	r := ConnReport{Lived: lived, Received: t.received.Load(), Sent: t.sent.Load(), Requests: requests}
	_, r.TLS = nc.(*tls.Conn)
	if err := t.readErr.Load(); err != nil {
		r.ReadErr = *err
	}
	if err := t.writeErr.Load(); err != nil {
		r.WriteErr = *err
	}
	return r
}

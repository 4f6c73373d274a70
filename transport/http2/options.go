package http2

import (
	"log/slog"
	"time"
)

// Options configure one side of connections; the zero value of each field is the
// documented default. Only values that are set are announced in SETTINGS, and
// MAX_CONCURRENT_STREAMS by servers, ENABLE_PUSH 0 by clients.
type Options struct {
	InitialWindow        uint32  // receive window of a stream, in bytes; 0: 65,535
	ConnWindow           uint32  // receive window of the connection; 0: 1 MiB, at least 65,535. It is refilled as data arrives
	WindowUpdateRatio    float64 // in (0,1): a stream's window is given back when less than this share is left; 0: 0.75
	HeaderTableBytes     uint32  // what the peer may use for its hpack table; 0: 4,096
	MaxFrameBytes        uint32  // largest payload of a frame that is taken, 16,384 to 16,777,215; 0: 16,384
	MaxHeaderListBytes   uint32  // largest header list that is taken, as RFC 9113 6.5.2 counts; 0: 64 KiB, not announced
	MaxConcurrentStreams uint32  // server: streams at a time, more are refused; 0: 1000
	ExtendedConnect      bool    // server: announce and accept CONNECT with :protocol (RFC 8441)

	KeepAlive        time.Duration // PING after that long without a frame from the peer; 0: none
	KeepAliveTimeout time.Duration // close when the PING is not answered in time; 0: 20 s
	WriteTimeout     time.Duration // close when the peer takes nothing for that long; 0: 30 s
	SettingsTimeout  time.Duration // close when the preface and the answer to SETTINGS take longer; also for a header block's end; 0: 10 s
	IdleTimeout      time.Duration // drain when there was no stream for that long; 0: never
	LifeTime         time.Duration // drain at that age; 0: never

	MaxResets        uint32 // burst of streams that a client may reset or have reset by breaking rules, refilled at a tenth each second and by one with each stream that ends well; 0: 1000
	MaxControlFrames uint32 // burst of frames that carry nothing (PING, SETTINGS, PRIORITY, empty DATA, unknown ones …), refilled at a tenth each second and by one with each useful frame; 0: 2000
	MaxContinuations uint32 // CONTINUATION frames of one header block; 0: 128
	MaxQueuedBytes   uint32 // data of all streams that waits for the peer's windows; a stream that exceeds it is reset with ENHANCE_YOUR_CALM; 0: 64 MiB

	// Volatile says which fields change with every request, so that they are sent as
	// literals that do not push useful entries out of the peer's hpack table; nil:
	// a built-in list (l5d-ctx-trace, l5d-reqid, traceparent, date, content-length …).
	Volatile func(name string) bool
	// Room is called by a client connection, with no lock held and from any goroutine,
	// when streams can be opened again after Open gave ErrStreamLimit, and when the
	// peer's first SETTINGS frame has arrived. nil: not called.
	Room func(c *Conn)
	// Leaving is called once, with no lock held and from any goroutine, when the
	// connection begins to drain and takes no more new streams. nil: not called.
	Leaving func(c *Conn)

	Logger *slog.Logger // nil: silent
}

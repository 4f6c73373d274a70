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

	Buffers *Buffers // memory shared with other connections; nil: this one's own
	// Received and Sent get numbers of bytes, of those inside TLS, for metrics. They are
	// called with locks held and must not block. nil: not called.
	Received, Sent func(n int64)

	Logger *slog.Logger // nil: silent
}

const (
	windowStart = 65535 // of every window until SETTINGS say otherwise (RFC 9113 6.9.2)
	windowMost  = 1<<31 - 1
	frameLeast  = 16384
	frameMost   = 1<<24 - 1
)

// filled returns the options with the defaults in place of zeroes, and values outside
// the protocol's ranges brought into them.
func filled(o Options) Options {
	or := func(p *uint32, v uint32) {
		if *p == 0 {
			*p = v
		}
	}
	every := func(p *time.Duration, v time.Duration) {
		if *p == 0 {
			*p = v
		}
	}
	o.InitialWindow = min(o.InitialWindow, windowMost)
	or(&o.ConnWindow, 1<<20)
	o.ConnWindow = min(max(o.ConnWindow, windowStart), windowMost)
	if !(o.WindowUpdateRatio > 0 && o.WindowUpdateRatio < 1) {
		o.WindowUpdateRatio = 0.75
	}
	if o.MaxFrameBytes != 0 {
		o.MaxFrameBytes = min(max(o.MaxFrameBytes, frameLeast), frameMost)
	}
	or(&o.MaxConcurrentStreams, 1000)
	every(&o.KeepAliveTimeout, 20*time.Second)
	every(&o.WriteTimeout, 30*time.Second)
	every(&o.SettingsTimeout, 10*time.Second)
	or(&o.MaxResets, 1000)
	or(&o.MaxControlFrames, 2000)
	or(&o.MaxContinuations, 128)
	or(&o.MaxQueuedBytes, 64<<20)
	if o.Buffers == nil {
		o.Buffers = new(Buffers)
	}
	return o
}

// headerListLimit is what is enforced, announced or not.
func (o *Options) headerListLimit() uint32 {
	if o.MaxHeaderListBytes == 0 {
		return 64 << 10
	}
	return o.MaxHeaderListBytes
}

// frameLimit is the largest payload that is taken.
func (o *Options) frameLimit() uint32 { return max(o.MaxFrameBytes, frameLeast) }

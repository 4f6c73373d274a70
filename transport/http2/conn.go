package http2

import (
	"crypto/tls"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2/hpack"
)

// Conn is one HTTP/2 connection. Its reader is the goroutine that calls Serve.
// Everything else may be called from any goroutine.
type Conn struct {
	nc     net.Conn
	o      Options
	server bool
	accept Accept             // server
	closed func(*Conn, error) // client; may be nil
	begun  time.Time          // what times are counted from

	tlsState *tls.ConnectionState // for the faces; nil: cleartext

	// The reader's own.
	in      *input
	headers *fieldReader
	block   openBlock
	feeds   feeds
	preface bool          // the client's preface has been read
	settled bool          // the peer's first SETTINGS frame has been read
	readAt  time.Duration // when something was read last

	lastRead atomic.Int64 // readAt for others; kept only with KeepAlive

	mu        sync.Mutex
	out       outbox
	enc       *encoder
	streams   map[uint32]*Stream
	opened    int64  // streams, so far
	lastPeer  uint32 // highest stream id that the peer has opened
	nextID    uint32 // client: id of the next stream
	resets    idRing // streams that this side reset: frames for them may still come
	ended     idRing // streams that ended otherwise
	recvWin   int64  // what the peer may still send
	recvBack  uint32 // what was received and is not yet given back
	recvStart int64  // initial window of streams in force for the peer
	sendWin   int64
	ready     sendRing
	queued    int64 // bytes in all streams' queues

	peer      peerSettings
	acked     bool // the peer has acknowledged our SETTINGS
	resetting bucket
	control   bucket
	life      lifecycle
	due       notices
	alarm     alarm

	upgrade *upgrade
}

// peerSettings are the peer's SETTINGS.
type peerSettings struct {
	initialWindow int64
	maxFrame      int
	maxStreams    uint32
	connect       bool // ENABLE_CONNECT_PROTOCOL
}

// NewServerConn returns the server side of nc: cleartext with the client's preface still
// to come, or a *tls.Conn after its handshake (best with Buffered under it).
func NewServerConn(nc net.Conn, o Options, accept Accept) *Conn {
	c := newConn(nc, o)
	c.server, c.accept = true, accept
	c.hello()
	return c
}

// NewClientConn returns the client side of nc. closed is called once by Serve before it
// returns, after the Reset events; nil: not called.
func NewClientConn(nc net.Conn, o Options, closed func(*Conn, error)) *Conn {
	c := newConn(nc, o)
	c.closed, c.preface, c.nextID = closed, true, 3
	c.hello()
	return c
}

func newConn(nc net.Conn, o Options) *Conn {
	o = filled(o)
	var state *tls.ConnectionState
	if tc, ok := nc.(*tls.Conn); ok {
		cs := tc.ConnectionState()
		state = &cs
	}
	c := &Conn{
		nc:        nc,
		tlsState:  state,
		o:         o,
		begun:     time.Now(),
		headers:   newFieldReader(o.headerListLimit()),
		out:       outbox{sink: newSink(nc), pool: o.Buffers, sent: o.Sent},
		enc:       newEncoder(o.Volatile),
		streams:   make(map[uint32]*Stream),
		resets:    idRing{limit: 1024},
		ended:     idRing{limit: 64},
		recvWin:   windowStart,
		recvStart: windowStart,
		sendWin:   windowStart,
		peer:      peerSettings{initialWindow: windowStart, maxFrame: frameLeast, maxStreams: 100},
		resetting: newBucket(o.MaxResets),
		control:   newBucket(o.MaxControlFrames),
	}
	c.in = newInput(nc, o.Buffers, c.pause)
	c.in.received = o.Received
	return c
}

// Open opens a stream on a client connection. fields has the pseudo-headers first.
// Errors: ErrStreamLimit, ErrDraining, ErrClosed; nothing was sent then.
func (c *Conn) Open(r Receiver, fields []hpack.HeaderField, end bool) (*Stream, error) {
	c.mu.Lock()
	switch {
	case c.life.over:
		c.mu.Unlock()
		return nil, ErrClosed
	case c.life.draining || c.server:
		c.mu.Unlock()
		return nil, ErrDraining
	case len(c.streams) >= int(c.peer.maxStreams) || c.out.size() > openBytes:
		c.due.wanted = true
		c.mu.Unlock()
		return nil, ErrStreamLimit
	}
	s := c.newStream(c.nextID)
	s.recv, s.outEnd, s.headDone = r, end, true
	for i := range fields {
		if fields[i].Name == ":method" {
			s.noBody = fields[i].Value == "HEAD"
			s.connect = fields[i].Value == "CONNECT"
			break
		}
	}
	c.nextID += 2
	if c.nextID > windowMost {
		c.leave()
	}
	s.headAt = c.out.total
	c.appendHead(s.id, fields, end)
	c.unlock()
	return s, nil
}

// openBytes is how much may wait for the socket before a client connection opens no more
// streams.
const openBytes = 1 << 20

// Streams returns the number of open streams.
func (c *Conn) Streams() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.streams)
}

// Free returns how many streams could be opened now on a client connection. Until the
// peer's SETTINGS have come 100 are allowed.
func (c *Conn) Free() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.life.over || c.life.draining || c.server {
		return 0
	}
	return max(0, int(min(c.peer.maxStreams, windowMost))-len(c.streams))
}

// Draining says whether the connection takes no more new streams.
func (c *Conn) Draining() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.life.draining || c.life.over
}

// NetConn returns the connection given, for its addresses and TLS state.
func (c *Conn) NetConn() net.Conn { return c.nc }

// now is the time since the connection began.
func (c *Conn) now() time.Duration { return time.Since(c.begun) }

// Age returns for how long there has been the connection.
func (c *Conn) Age() time.Duration { return c.now() }

// Traffic returns how many bytes were received and sent, of those inside TLS, and how many
// streams there were. It is for the time when Serve has returned.
func (c *Conn) Traffic() (received, sent, streams int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.in.total, c.out.handed, c.opened
}

// Secure says whether the connection is one of TLS.
func (c *Conn) Secure() bool { return c.tlsState != nil }

func (c *Conn) newStream(id uint32) *Stream {
	s := &Stream{conn: c, id: id, sendWin: c.peer.initialWindow, recvWin: c.recvStart, bodyLeft: -1}
	c.streams[id] = s
	c.opened++
	c.alarm.idleSince = -1
	return s
}

// remove takes a stream that has ended out of the table.
func (c *Conn) remove(s *Stream) {
	delete(c.streams, s.id)
	s.gone = true
	c.queued -= int64(len(s.queue))
	s.queue, s.trailer = nil, nil
	if c.due.wanted && len(c.streams) < int(c.peer.maxStreams) {
		c.due.wanted, c.due.room, c.due.any = false, true, true
	}
	if len(c.streams) == 0 {
		c.idle()
	}
}

// ends takes a stream out of the table if both sides have ended.
func (c *Conn) ends(s *Stream) {
	if s.inEnd && s.outEnd && !s.gone {
		c.ended.add(s.id)
		c.resetting.earn(1)
		c.remove(s)
	}
}

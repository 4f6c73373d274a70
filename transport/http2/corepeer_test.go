package http2_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/weft-mesh/weft/internal/memhttp"
	"github.com/weft-mesh/weft/transport/http2"
)

// rawPeer is the other side of a connection under test: it sends what it is told, right
// or wrong, and notes what it gets as text.
type rawPeer struct {
	tb   testing.TB
	nc   *memhttp.Conn
	w    *xhttp2.Framer
	enc  *hpack.Encoder
	encB bytes.Buffer
	conn *http2.Conn // under test
	done chan error  // what Serve returned

	mu     sync.Mutex
	frames []string
	stuck  bool // does not read
	resume chan struct{}
	data   map[uint32]int // bytes by stream
}

func newPeer(tb testing.TB) (*rawPeer, net.Conn) {
	tb.Helper()
	a, b := memhttp.Pipe(&net.TCPAddr{Port: 1}, &net.TCPAddr{Port: 2})
	p := &rawPeer{tb: tb, nc: a, w: xhttp2.NewFramer(a, nil), done: make(chan error, 1), data: map[uint32]int{}, resume: make(chan struct{}, 1)}
	p.w.AllowIllegalWrites = true
	p.enc = hpack.NewEncoder(&p.encB)
	return p, b
}

// rawClient is a client of a server connection under test, after the exchange of
// settings.
func rawClient(tb testing.TB, o http2.Options, accept http2.Accept, settings ...xhttp2.Setting) *rawPeer {
	tb.Helper()
	p := unsettledClient(tb, o, accept, settings...)
	p.ok(p.w.WriteSettingsAck())
	p.settle()
	return p
}

// unsettledClient has not acknowledged the server's settings.
func unsettledClient(tb testing.TB, o http2.Options, accept http2.Accept, settings ...xhttp2.Setting) *rawPeer {
	tb.Helper()
	p, nc := newPeer(tb)
	p.conn = http2.NewServerConn(nc, o, accept)
	p.start()
	p.send(xhttp2.ClientPreface)
	p.ok(p.w.WriteSettings(settings...))
	p.settle()
	return p
}

// rawServer is a server for a client connection under test.
func rawServer(tb testing.TB, o http2.Options, settings ...xhttp2.Setting) *rawPeer {
	tb.Helper()
	p, nc := newPeer(tb)
	p.conn = http2.NewClientConn(nc, o, nil)
	p.start()
	p.ok(p.w.WriteSettings(settings...))
	p.ok(p.w.WriteSettingsAck())
	p.settle()
	return p
}

// start runs both sides' readers.
func (p *rawPeer) start() {
	go func() { p.done <- p.conn.Serve() }()
	go p.read()
}

func (p *rawPeer) read() {
	r := xhttp2.NewFramer(nil, pausing{p})
	dec := hpack.NewDecoder(4096, nil)
	first := make([]byte, len(xhttp2.ClientPreface))
	var block []byte
	for n := 0; ; n++ {
		if n == 0 { // a client's preface
			k, _ := io.ReadFull(p.nc, first[:3])
			if string(first[:k]) == xhttp2.ClientPreface[:3] {
				_, _ = io.ReadFull(p.nc, first[3:])
			} else {
				r = xhttp2.NewFramer(nil, io.MultiReader(bytes.NewReader(first[:k]), pausing{p}))
			}
			r.SetMaxReadFrameSize(1 << 20)
		}
		f, err := r.ReadFrame()
		if err != nil {
			p.note("EOF")
			return
		}
		switch f := f.(type) {
		case *xhttp2.HeadersFrame:
			block = append(block[:0], f.HeaderBlockFragment()...)
			if f.HeadersEnded() {
				p.note("HEADERS %d%s%s", f.StreamID, endText(f.StreamEnded()), blockText(dec, block))
			} else {
				p.note("HEADERS %d%s …", f.StreamID, endText(f.StreamEnded()))
			}
		case *xhttp2.ContinuationFrame:
			block = append(block, f.HeaderBlockFragment()...)
			if f.HeadersEnded() {
				p.note("CONTINUATION %d%s", f.StreamID, blockText(dec, block))
			}
		case *xhttp2.DataFrame:
			p.mu.Lock()
			p.data[f.StreamID] += len(f.Data())
			p.mu.Unlock()
			p.note("DATA %d %d%s", f.StreamID, len(f.Data()), endText(f.StreamEnded()))
		case *xhttp2.RSTStreamFrame:
			p.note("RST %d %s", f.StreamID, f.ErrCode)
		case *xhttp2.GoAwayFrame:
			p.note("GOAWAY %d %s", f.LastStreamID, f.ErrCode)
		case *xhttp2.WindowUpdateFrame:
			p.note("WINDOW %d %d", f.StreamID, f.Increment)
		case *xhttp2.PingFrame:
			p.note("PING%s %q", map[bool]string{true: " ACK"}[f.IsAck()], f.Data)
		case *xhttp2.SettingsFrame:
			text := ""
			_ = f.ForeachSetting(func(s xhttp2.Setting) error { text += fmt.Sprintf(" %s=%d", s.ID, s.Val); return nil })
			p.note("SETTINGS%s%s", map[bool]string{true: " ACK"}[f.IsAck()], text)
		default:
			p.note("%v", f)
		}
	}
}

// pausing reads from the peer's connection unless it is stuck.
type pausing struct{ p *rawPeer }

func (r pausing) Read(b []byte) (int, error) {
	r.p.mu.Lock()
	stuck := r.p.stuck
	r.p.mu.Unlock()
	if stuck {
		<-r.p.resume
	}
	return r.p.nc.Read(b)
}

func endText(end bool) string {
	if end {
		return " END"
	}
	return ""
}

func blockText(dec *hpack.Decoder, block []byte) string {
	fields, err := dec.DecodeFull(block)
	if err != nil {
		return " " + err.Error()
	}
	var b strings.Builder
	for _, f := range fields {
		b.WriteString(" " + f.Name + "=" + f.Value)
	}
	return b.String()
}

func (p *rawPeer) note(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.frames = append(p.frames, fmt.Sprintf(format, args...))
}

// settle waits until nothing happens any more and forgets what came.
func (p *rawPeer) settle() { p.got() }

// got waits until nothing happens any more and returns what came since the last time.
func (p *rawPeer) got() []string {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.frames
	p.frames = nil
	return f
}

// ok fails the test unless err is nil or says that the other side has closed the
// connection, which is what attacks are for. Which of the errors it is depends on
// whether the close was seen before the write, during it or after it.
func (p *rawPeer) ok(err error) {
	p.tb.Helper()
	for _, closed := range []error{nil, io.ErrClosedPipe, net.ErrClosed, syscall.EPIPE, syscall.ECONNRESET} {
		if errors.Is(err, closed) {
			return
		}
	}
	require.NoError(p.tb, err)
}

func (p *rawPeer) send(s string) {
	p.tb.Helper()
	_, err := p.nc.Write([]byte(s))
	p.ok(err)
}

func (p *rawPeer) raw(kind xhttp2.FrameType, flags xhttp2.Flags, id uint32, payload string) {
	p.tb.Helper()
	p.ok(p.w.WriteRawFrame(kind, flags, id, []byte(payload)))
}

// block encodes fields given as "name: value".
func (p *rawPeer) block(fields ...string) []byte {
	p.encB.Reset()
	for _, f := range fieldList(fields...) {
		require.NoError(p.tb, p.enc.WriteField(f))
	}
	return p.encB.Bytes()
}

func fieldList(fields ...string) []hpack.HeaderField {
	list := make([]hpack.HeaderField, 0, len(fields))
	for _, f := range fields {
		i := 1 + strings.Index(f[1:], ": ")
		list = append(list, hpack.HeaderField{Name: f[:i], Value: f[i+2:]})
	}
	return list
}

func (p *rawPeer) headers(id uint32, end bool, fields ...string) {
	p.tb.Helper()
	p.ok(p.w.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: id, BlockFragment: p.block(fields...), EndStream: end, EndHeaders: true}))
}

var get = func(more ...string) []string {
	return append([]string{":method: GET", ":scheme: http", ":path: /", ":authority: a"}, more...)
}

var post = func(more ...string) []string {
	return append([]string{":method: POST", ":scheme: http", ":path: /", ":authority: a"}, more...)
}

// served returns what Serve returned; it has to have.
func (p *rawPeer) served() error {
	p.tb.Helper()
	synctest.Wait()
	select {
	case err := <-p.done:
		return err
	default:
		require.Fail(p.tb, "Serve has not returned")
		return nil
	}
}

// end closes the connection from the peer's side and waits for Serve.
func (p *rawPeer) end() {
	_ = p.nc.Close()
	p.mu.Lock()
	stuck := p.stuck
	p.stuck = false
	p.mu.Unlock()
	if stuck {
		p.resume <- struct{}{}
	}
	<-p.done
}

// recorder is a Receiver that notes its events and does what it is told.
type recorder struct {
	mu     sync.Mutex
	events []string
	errs   []error
	keep   bool // does not consume
	sent   int
	got    int
	onData func(s *http2.Stream, p []byte, end bool)
}

func (r *recorder) note(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, fmt.Sprintf(format, args...))
}

// list waits until nothing happens any more and returns the events since the last time.
func (r *recorder) list() []string {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.events
	r.events = nil
	return e
}

func fieldsText(fields []hpack.HeaderField) string {
	var b strings.Builder
	for _, f := range fields {
		b.WriteString(" " + f.Name + "=" + f.Value)
	}
	return b.String()
}

func (r *recorder) Head(_ *http2.Stream, fields []hpack.HeaderField, end bool) {
	r.note("head%s%s", fieldsText(fields), endText(end))
}

func (r *recorder) Data(s *http2.Stream, p []byte, end bool) {
	r.mu.Lock()
	r.got += len(p)
	r.mu.Unlock()
	r.note("data %d%s", len(p), endText(end))
	if !r.keep {
		s.Consume(len(p))
	}
	if r.onData != nil {
		r.onData(s, p, end)
	}
}

func (r *recorder) Trailer(_ *http2.Stream, fields []hpack.HeaderField) {
	r.note("trailer%s", fieldsText(fields))
}

func (r *recorder) Reset(_ *http2.Stream, err error) {
	r.mu.Lock()
	r.errs = append(r.errs, err)
	r.mu.Unlock()
	r.note("reset %v", err)
}

func (r *recorder) Sent(_ *http2.Stream, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent += n
}

// acceptor notes requests and gives each the recorder.
type acceptor struct {
	recorder
	streams []*http2.Stream
	do      func(s *http2.Stream, end bool)
}

func (a *acceptor) accept(s *http2.Stream, fields []hpack.HeaderField, end bool) http2.Receiver {
	a.note("request %d%s%s", s.ID(), fieldsText(fields), endText(end))
	a.mu.Lock()
	a.streams = append(a.streams, s)
	a.mu.Unlock()
	if a.do != nil {
		a.do(s, end)
	}
	return &a.recorder
}

// stream returns the request of that number.
func (a *acceptor) stream(i int) *http2.Stream {
	synctest.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.streams[i]
}

// hello answers at once.
func hello(s *http2.Stream, _ bool) {
	_ = s.SendHead(fieldList(":status: 200"), false)
	_, _ = s.SendData([]byte("hello"), true)
}

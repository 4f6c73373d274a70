package meshh2_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// rawPeer speaks HTTP/2 frame by frame, on either side of a connection, and writes
// down what it gets.
type rawPeer struct {
	t   *testing.T
	nc  net.Conn
	fr  *xhttp2.Framer
	buf bytes.Buffer
	enc *hpack.Encoder

	wmu sync.Mutex // serialises writing

	mu      sync.Mutex
	events  []string
	heads   []map[string]string // of each HEADERS, in order
	windows map[uint32]int      // given back to us, by stream
	noWin   bool                // do not give windows back

	// base is added to ids: the engine's first stream is 3, as Linkerd's; tests count
	// from 1 on both sides.
	base uint32
}

// newRawPeer starts to read from nc. settings are sent first.
func newRawPeer(t *testing.T, nc net.Conn, client bool, settings ...xhttp2.Setting) *rawPeer {
	t.Helper()
	p := &rawPeer{t: t, nc: nc, fr: xhttp2.NewFramer(nc, nc)}
	p.enc = hpack.NewEncoder(&p.buf)
	p.fr.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	go p.read(client, settings)
	synctest.Wait()
	return p
}

func (p *rawPeer) read(client bool, settings []xhttp2.Setting) {
	defer p.note("EOF")
	if client {
		_, _ = io.WriteString(p.nc, xhttp2.ClientPreface)
	} else if _, err := io.ReadFull(p.nc, make([]byte, len(xhttp2.ClientPreface))); err != nil {
		return
	}
	p.write(func() error { return p.fr.WriteSettings(settings...) })
	for {
		f, err := p.fr.ReadFrame()
		if err != nil {
			return
		}
		p.frame(f)
	}
}

func (p *rawPeer) frame(f xhttp2.Frame) {
	id := f.Header().StreamID
	if id > 0 {
		id -= p.base
	}
	switch f := f.(type) {
	case *xhttp2.SettingsFrame:
		if !f.IsAck() {
			p.write(p.fr.WriteSettingsAck)
		}
	case *xhttp2.PingFrame:
		if !f.IsAck() {
			p.write(func() error { return p.fr.WritePing(true, f.Data) })
		}
	case *xhttp2.MetaHeadersFrame:
		head := map[string]string{}
		var text []string
		for _, h := range f.Fields {
			head[h.Name] = strings.TrimPrefix(head[h.Name]+"|"+h.Value, "|")
			if h.Name == ":status" || h.Name == ":path" || h.Name == "grpc-status" || h.Name == "l5d-success-class" {
				text = append(text, h.Name+"="+h.Value)
			}
		}
		p.mu.Lock()
		p.heads = append(p.heads, head)
		p.mu.Unlock()
		p.note(fmt.Sprintf("HEADERS %d %s%s", id, strings.Join(text, " "), end(f.StreamEnded())))
	case *xhttp2.DataFrame:
		what := fmt.Sprintf("%q", f.Data())
		if len(f.Data()) > 40 {
			what = fmt.Sprintf("%d bytes", len(f.Data()))
		}
		p.note(fmt.Sprintf("DATA %d %s%s", id, what, end(f.StreamEnded())))
		p.mu.Lock()
		back := !p.noWin && len(f.Data()) > 0
		p.mu.Unlock()
		if back {
			n := uint32(len(f.Data()))
			p.write(func() error { return p.fr.WriteWindowUpdate(0, n) })
			if !f.StreamEnded() {
				p.write(func() error { return p.fr.WriteWindowUpdate(id+p.base, n) })
			}
		}
	case *xhttp2.RSTStreamFrame:
		p.note(fmt.Sprintf("RST %d %s", id, f.ErrCode))
	case *xhttp2.GoAwayFrame:
		p.note(fmt.Sprintf("GOAWAY %s", f.ErrCode))
	case *xhttp2.WindowUpdateFrame:
		p.mu.Lock()
		if p.windows == nil {
			p.windows = map[uint32]int{}
		}
		p.windows[id] += int(f.Increment)
		p.mu.Unlock()
	}
}

func end(is bool) string {
	if is {
		return " end"
	}
	return ""
}

func (p *rawPeer) note(event string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.events = append(p.events, event)
}

// got waits until nothing happens any more and returns what has happened since the
// last call.
func (p *rawPeer) got() []string {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	events := p.events
	p.events = nil
	return events
}

// head returns the last block of fields.
func (p *rawPeer) head() map[string]string {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.heads) == 0 {
		return nil
	}
	return p.heads[len(p.heads)-1]
}

func (p *rawPeer) write(f func() error) {
	p.wmu.Lock()
	defer p.wmu.Unlock()
	_ = f() // the other side may be gone
}

// fields sends a block of names and values in turn.
func (p *rawPeer) fields(id uint32, last bool, pairs ...string) {
	p.t.Helper()
	require.Zero(p.t, len(pairs)%2)
	p.write(func() error {
		p.buf.Reset()
		for i := 0; i < len(pairs); i += 2 {
			_ = p.enc.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]})
		}
		return p.fr.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: id + p.base, BlockFragment: p.buf.Bytes(), EndStream: last, EndHeaders: true})
	})
}

// request sends the head of a request to an authority.
func (p *rawPeer) request(id uint32, last bool, method, authority string, more ...string) {
	p.t.Helper()
	p.fields(id, last, append([]string{":method", method, ":scheme", "http", ":path", "/", ":authority", authority}, more...)...)
}

func (p *rawPeer) respond(id uint32, last bool, status string, more ...string) {
	p.t.Helper()
	p.fields(id, last, append([]string{":status", status}, more...)...)
}

func (p *rawPeer) data(id uint32, last bool, text string) {
	p.write(func() error { return p.fr.WriteData(id+p.base, last, []byte(text)) })
}

func (p *rawPeer) reset(id uint32, code xhttp2.ErrCode) {
	p.write(func() error { return p.fr.WriteRSTStream(id+p.base, code) })
}

func (p *rawPeer) goAway(last uint32) {
	p.write(func() error { return p.fr.WriteGoAway(last+p.base, xhttp2.ErrCodeNo, nil) })
}

func (p *rawPeer) window(id uint32, n int) {
	if id > 0 {
		id += p.base
	}
	p.write(func() error { return p.fr.WriteWindowUpdate(id, uint32(n)) })
}

func (p *rawPeer) close() { _ = p.nc.Close() }

// given returns how much window the other side has given back.
func (p *rawPeer) given(id uint32) int {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.windows[id]
}

// received returns how much data is in the events.
func received(events []string) int {
	total := 0
	for _, e := range events {
		var id, n int
		if _, err := fmt.Sscanf(e, "DATA %d %d bytes", &id, &n); err == nil {
			total += n
		}
	}
	return total
}

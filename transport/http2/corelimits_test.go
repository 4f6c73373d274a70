package http2_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/weft-mesh/weft/transport/http2"
)

// TestAttacks: what a peer does over and over ends its connection; the same within
// reason does not.
func TestAttacks(t *testing.T) {
	const calm = "ENHANCE_YOUR_CALM"
	o := http2.Options{MaxResets: 100, MaxControlFrames: 100}
	stream := func(i int) uint32 { return uint32(2*i + 1) }
	cases := []struct {
		name string
		cve  string
		do   func(p *rawPeer, i int)
		room int // how often it may be done
	}{
		{"rapid reset", "CVE-2023-44487", func(p *rawPeer, i int) {
			p.headers(stream(i), true, get()...)
			p.ok(p.w.WriteRSTStream(stream(i), xhttp2.ErrCodeCancel))
		}, 90},
		{"made to reset by a window that overflows", "CVE-2025-8671", func(p *rawPeer, i int) {
			p.headers(stream(i), false, post()...)
			p.ok(p.w.WriteWindowUpdate(stream(i), 1<<31-1))
		}, 90},
		{"made to reset by a window of nothing", "CVE-2025-8671", func(p *rawPeer, i int) {
			p.headers(stream(i), false, post()...)
			p.raw(xhttp2.FrameWindowUpdate, 0, stream(i), u32(0))
		}, 90},
		{"made to reset by DATA after the end", "CVE-2025-8671", func(p *rawPeer, i int) {
			p.headers(stream(i), true, get()...)
			p.ok(p.w.WriteData(stream(i), true, []byte("x")))
		}, 90},
		{"made to reset by a wrong content-length", "CVE-2025-8671", func(p *rawPeer, i int) {
			p.headers(stream(i), false, post("content-length: 5")...)
			p.ok(p.w.WriteData(stream(i), true, []byte("x")))
		}, 90},
		{"malformed requests", "CVE-2025-8671", func(p *rawPeer, i int) { p.headers(stream(i), true, get("connection: x")...) }, 90},
		{"DATA of streams that are closed", "", func(p *rawPeer, i int) {
			if i == 0 {
				p.headers(1, true, get()...)
				p.ok(p.w.WriteRSTStream(1, xhttp2.ErrCodeCancel))
			}
			p.ok(p.w.WriteData(1, true, []byte("x")))
		}, 90},
		{"PING", "CVE-2019-9512", func(p *rawPeer, _ int) { p.ok(p.w.WritePing(false, [8]byte{})) }, 90},
		{"PING ACK", "", func(p *rawPeer, _ int) { p.ok(p.w.WritePing(true, [8]byte{})) }, 90},
		{"SETTINGS", "CVE-2019-9515", func(p *rawPeer, _ int) { p.ok(p.w.WriteSettings()) }, 90},
		{"SETTINGS ACK", "", func(p *rawPeer, _ int) { p.ok(p.w.WriteSettingsAck()) }, 90},
		{"PRIORITY", "CVE-2019-9513", func(p *rawPeer, _ int) { p.raw(xhttp2.FramePriority, 0, 1, u32(3)+"\x00") }, 90},
		{"WINDOW_UPDATE", "", func(p *rawPeer, _ int) { p.ok(p.w.WriteWindowUpdate(0, 1)) }, 90},
		{"unknown frames", "", func(p *rawPeer, _ int) { p.raw(0x55, 0, 0, "") }, 90},
		{"GOAWAY", "", func(p *rawPeer, i int) {
			if i == 0 {
				p.headers(1, false, post()...) // keeps it open
			}
			p.ok(p.w.WriteGoAway(0, xhttp2.ErrCodeNo, nil))
		}, 90},
		{"empty DATA", "CVE-2019-9518", func(p *rawPeer, i int) {
			if i == 0 {
				p.headers(1, false, post()...)
			}
			p.ok(p.w.WriteData(1, false, nil))
		}, 90},
		{"DATA of padding", "CVE-2019-9518", func(p *rawPeer, i int) {
			if i == 0 {
				p.headers(1, false, post()...)
			}
			p.ok(p.w.WriteDataPadded(1, false, nil, make([]byte, 9)))
		}, 90},
		{"RST_STREAM of a closed stream", "", func(p *rawPeer, i int) {
			if i == 0 {
				p.headers(1, true, get()...)
			}
			p.ok(p.w.WriteRSTStream(1, xhttp2.ErrCodeCancel))
		}, 90},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := rawClient(t, o, new(acceptor).accept)
				defer p.end()
				i := 0
				for ; i < c.room; i++ {
					c.do(p, i)
				}
				assert.NotContains(t, strings.Join(p.got(), "|"), calm)
				time.Sleep(5 * time.Second) // half of the budget comes back
				for ; i < c.room+40; i++ {
					c.do(p, i)
				}
				assert.NotContains(t, strings.Join(p.got(), "|"), calm)
				for ; i < 4*c.room; i++ {
					c.do(p, i)
				}
				assert.Contains(t, strings.Join(p.got(), "|"), calm)
				assert.Zero(t, p.conn.Streams())
			})
		})
	}
}

// TestDribble: a window that is opened byte by byte (CVE-2019-9511).
func TestDribble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &acceptor{}
		a.do = func(s *http2.Stream, _ bool) {
			_ = s.SendHead(fieldList(":status: 200"), false)
			_, _ = s.SendData(make([]byte, 10000), true)
		}
		p := rawClient(t, http2.Options{MaxControlFrames: 100}, a.accept, xhttp2.Setting{ID: xhttp2.SettingInitialWindowSize, Val: 0})
		defer p.end()
		p.headers(1, true, get()...)
		for range 200 {
			p.ok(p.w.WriteWindowUpdate(1, 1))
		}
		assert.Contains(t, strings.Join(p.got(), "|"), "GOAWAY 1 ENHANCE_YOUR_CALM")
	})
}

// TestHonestUse: what looks like the attacks and is none.
func TestHonestUse(t *testing.T) {
	o := http2.Options{MaxResets: 20, MaxControlFrames: 20}
	t.Run("many streams, a few of them cancelled", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := rawClient(t, o, func(s *http2.Stream, _ []hpack.HeaderField, end bool) http2.Receiver {
				if end {
					hello(s, true)
				}
				return &recorder{}
			})
			defer p.end()
			for i := range 1000 {
				p.headers(uint32(2*i+1), i%3 > 0, get()...)
				if i%3 == 0 {
					p.ok(p.w.WriteRSTStream(uint32(2*i+1), xhttp2.ErrCodeCancel))
				}
			}
			assert.NotContains(t, strings.Join(p.got(), "|"), "GOAWAY")
		})
	})
	t.Run("slow answers given up", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := rawClient(t, o, new(acceptor).accept)
			defer p.end()
			for i := range 300 {
				p.headers(uint32(2*i+1), true, get()...)
			}
			p.settle()
			time.Sleep(time.Second)
			for i := range 300 {
				p.ok(p.w.WriteRSTStream(uint32(2*i+1), xhttp2.ErrCodeCancel))
			}
			assert.NotContains(t, strings.Join(p.got(), "|"), "GOAWAY")
		})
	})
	t.Run("WINDOW_UPDATE for a download", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a := &acceptor{}
			p := rawClient(t, o, a.accept)
			defer p.end()
			p.headers(1, true, get()...)
			s := a.stream(0)
			_ = s.SendHead(fieldList(":status: 200"), false)
			for range 1000 {
				_, err := s.SendData(make([]byte, 1000), false)
				assert.NoError(t, err)
				p.conn.Flush()
				synctest.Wait()
				p.ok(p.w.WriteWindowUpdate(0, 1000))
				p.ok(p.w.WriteWindowUpdate(1, 1000))
			}
			assert.NotContains(t, strings.Join(p.got(), "|"), "GOAWAY")
		})
	})
}

func TestTooManyStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &acceptor{}
		p := rawClient(t, http2.Options{MaxConcurrentStreams: 2}, a.accept)
		defer p.end()
		p.headers(1, true, get()...)
		p.headers(3, true, get()...)
		p.headers(5, false, post("x: y")...)
		p.ok(p.w.WriteData(5, true, []byte("on its way")))
		assert.Equal(t, []string{"RST 5 REFUSED_STREAM"}, p.got())
		hello(a.stream(0), true)
		p.conn.Flush()
		p.got()
		p.headers(7, true, get("x: y")...)
		assert.Empty(t, p.got(), "there is room again")
		assert.Equal(t, 2, p.conn.Streams())
		assert.Contains(t, a.list(), "request 7 :method=GET :scheme=http :path=/ :authority=a x=y END", "the hpack table is intact")
	})
}

// TestContinuations: many of them, and a long time without the last (CVE-2024-24549 and
// its like).
func TestContinuations(t *testing.T) {
	begin := func(t *testing.T, o http2.Options) (*rawPeer, []byte) {
		t.Helper()
		p := rawClient(t, o, new(acceptor).accept)
		block := p.block(get()...)
		p.ok(p.w.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: 1, EndStream: true, BlockFragment: block[:2]}))
		return p, block[2:]
	}
	t.Run("a few", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p, rest := begin(t, http2.Options{})
			defer p.end()
			for i := range rest {
				p.ok(p.w.WriteContinuation(1, i == len(rest)-1, rest[i:i+1]))
			}
			assert.Empty(t, p.got())
			assert.Equal(t, 1, p.conn.Streams())
		})
	})
	t.Run("too many", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p, _ := begin(t, http2.Options{})
			defer p.end()
			for range 200 {
				p.ok(p.w.WriteContinuation(1, false, nil))
			}
			assert.Contains(t, p.got(), "GOAWAY 0 ENHANCE_YOUR_CALM")
		})
	})
	t.Run("too long", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p, _ := begin(t, http2.Options{})
			defer p.end()
			for range 10 {
				p.ok(p.w.WriteContinuation(1, false, make([]byte, 16000)))
			}
			assert.Contains(t, p.got(), "GOAWAY 0 ENHANCE_YOUR_CALM")
		})
	})
	t.Run("never ended", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p, _ := begin(t, http2.Options{SettingsTimeout: 5 * time.Second})
			defer p.end()
			time.Sleep(4 * time.Second)
			assert.Empty(t, p.got())
			time.Sleep(2 * time.Second)
			assert.Contains(t, p.got(), "GOAWAY 0 ENHANCE_YOUR_CALM")
		})
	})
}

// TestHeaderBombs: header lists that are small on the wire and large in memory.
func TestHeaderBombs(t *testing.T) {
	huffman := func(n int) []byte { // a literal of n bytes in 5n/8
		v := hpack.AppendHuffmanString(nil, strings.Repeat("0", n))
		b := []byte{0x00, 0x01, 'a', 0xff}
		for i := len(v) - 127; ; i >>= 7 {
			if i < 0x80 {
				b = append(b, byte(i))
				break
			}
			b = append(b, byte(i)|0x80)
		}
		return append(b, v...)
	}
	cases := []struct {
		name  string
		block func(p *rawPeer) []byte
		frame []string
	}{
		{"up to the limit", func(p *rawPeer) []byte { return p.block(get("a: " + strings.Repeat("x", 3000))...) }, nil},
		{"over it", func(p *rawPeer) []byte { return p.block(get("a: " + strings.Repeat("x", 5000))...) }, []string{"HEADERS 1 END :status=431 content-length=0"}},
		{"one entry of the table again and again", func(p *rawPeer) []byte {
			b := append([]byte(nil), p.block(get("a: "+strings.Repeat("x", 1000))...)...)
			return append(b, strings.Repeat("\xbe", 5)...)
		}, []string{"HEADERS 1 END :status=431 content-length=0"}},
		{"and again and again", func(p *rawPeer) []byte {
			b := append([]byte(nil), p.block(get("a: "+strings.Repeat("x", 1000))...)...)
			return append(b, strings.Repeat("\xbe", 10000)...)
		}, []string{"GOAWAY 1 ENHANCE_YOUR_CALM", "EOF"}},
		{"Huffman", func(p *rawPeer) []byte { return append(append([]byte(nil), p.block(get()...)...), huffman(5000)...) }, []string{"HEADERS 1 END :status=431 content-length=0"}},
		{"large Huffman", func(p *rawPeer) []byte { return append(append([]byte(nil), p.block(get()...)...), huffman(20000)...) }, []string{"GOAWAY 1 ENHANCE_YOUR_CALM", "EOF"}},
		{"many fields of nothing", func(p *rawPeer) []byte {
			return append(append([]byte(nil), p.block(get()...)...), strings.Repeat("\x00\x01a\x00", 150)...)
		}, []string{"HEADERS 1 END :status=431 content-length=0"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := new(acceptor)
				p := rawClient(t, http2.Options{MaxHeaderListBytes: 4096}, a.accept)
				defer p.end()
				p.ok(p.w.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: 1, EndStream: true, EndHeaders: true, BlockFragment: c.block(p)}))
				got := p.got()
				for i := range got {
					got[i] = strings.Replace(got[i], "GOAWAY 0", "GOAWAY 1", 1)
				}
				assert.Equal(t, c.frame, got)
				assert.Len(t, a.list(), map[bool]int{true: 1}[c.frame == nil])
			})
		})
	}
	t.Run("the table survives a 431", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a := new(acceptor)
			p := rawClient(t, http2.Options{MaxHeaderListBytes: 4096}, a.accept)
			defer p.end()
			p.headers(1, false, post("a: "+strings.Repeat("x", 5000), "b: c")...)
			assert.Equal(t, []string{"HEADERS 1 END :status=431 content-length=0", "RST 1 NO_ERROR"}, p.got())
			p.headers(3, true, get("b: c")...)
			assert.Equal(t, []string{"request 3 :method=GET :scheme=http :path=/ :authority=a b=c END"}, a.list())
		})
	})
}

// TestAnswersNotTaken: a peer that asks and reads nothing.
func TestAnswersNotTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := new(acceptor)
		a.do = func(s *http2.Stream, _ bool) {
			_ = s.SendHead(fieldList(":status: 200", "a: "+strings.Repeat("x", 10000)), true)
		}
		p := rawClient(t, http2.Options{}, a.accept)
		defer p.end()
		p.mu.Lock()
		p.stuck = true
		p.mu.Unlock()
		p.ok(p.w.WritePing(false, [8]byte{}))
		for i := range 1000 {
			p.headers(uint32(2*i+1), true, get()...)
			synctest.Wait()
		}
		assert.Less(t, len(a.list()), 500)
		time.Sleep(5 * time.Second)
		assert.ErrorContains(t, p.served(), "answers are not taken")
		p.done <- nil
	})
}

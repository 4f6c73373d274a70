package http2_test

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	xhttp2 "golang.org/x/net/http2"
	"pgregory.net/rapid"

	"github.com/weft-mesh/weft/transport/http2"
)

func TestExchange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &acceptor{}
		p := rawClient(t, http2.Options{}, a.accept)
		defer p.end()
		p.headers(1, false, post("a: b")...)
		p.ok(p.w.WriteData(1, false, []byte("abc")))
		p.headers(1, true, "t: 1")
		assert.Equal(t, []string{"request 1 :method=POST :scheme=http :path=/ :authority=a a=b", "data 3", "trailer t=1"}, a.list())
		s := a.stream(0)
		require.NoError(t, s.SendHead(fieldList(":status: 103", "link: x"), false))
		require.NoError(t, s.SendHead(fieldList(":status: 200"), false))
		require.ErrorIs(t, s.SendHead(fieldList(":status: 200"), false), http2.ErrEnded, "one final head")
		n, err := s.SendData([]byte("hello"), false)
		require.NoError(t, err)
		assert.Equal(t, 5, n)
		require.NoError(t, s.SendTrailer(fieldList("grpc-status: 0")))
		_, err = s.SendData(nil, true)
		require.ErrorIs(t, err, http2.ErrEnded)
		assert.Zero(t, s.Conn().Streams())
		assert.Empty(t, p.got(), "nothing is written before Flush")
		s.Conn().Flush()
		assert.Equal(t, []string{"HEADERS 1 :status=103 link=x", "HEADERS 1 :status=200", "DATA 1 5", "HEADERS 1 END grpc-status=0"}, p.got())
		assert.Empty(t, a.list(), "no Reset after a normal end")
		s.Reset(xhttp2.ErrCodeCancel)
		s.Conn().Flush()
		assert.Empty(t, p.got(), "nor after it")
	})
}

// TestAnswersInEvents: the reader flushes what its own events write, in few frames.
func TestAnswersInEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &acceptor{do: hello}
		p := rawClient(t, http2.Options{}, a.accept)
		defer p.end()
		p.headers(1, true, get()...)
		assert.Equal(t, []string{"HEADERS 1 :status=200", "DATA 1 5 END"}, p.got())
		assert.Zero(t, p.conn.Streams())
	})
}

func TestRefusedByAccept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := map[uint32]func(s *http2.Stream){
			1: func(*http2.Stream) {},
			3: func(s *http2.Stream) { s.Reset(xhttp2.ErrCodeInternal) },
			5: func(s *http2.Stream) { hello(s, false) },
			7: func(s *http2.Stream) {
				_ = s.SendHead(fieldList(":status: 200"), false)
				_, _ = s.SendData(make([]byte, 70000), true)
			},
		}
		p := rawClient(t, http2.Options{}, func(s *http2.Stream, _ []http2Field, _ bool) http2.Receiver {
			answers[s.ID()](s)
			return nil
		})
		defer p.end()
		p.headers(1, true, get()...)
		assert.Equal(t, []string{"RST 1 REFUSED_STREAM"}, p.got())
		p.headers(3, true, get()...)
		assert.Equal(t, []string{"RST 3 INTERNAL_ERROR"}, p.got())
		p.headers(5, false, post()...)
		assert.Equal(t, []string{"HEADERS 5 :status=200", "DATA 5 5 END", "RST 5 NO_ERROR"}, p.got(), "answered without the body")
		p.headers(7, false, post()...)
		p.got()
		p.ok(p.w.WriteData(7, true, []byte("late")))
		p.ok(p.w.WriteWindowUpdate(7, 70000))
		p.ok(p.w.WriteWindowUpdate(0, 70000))
		got := p.got()
		assert.True(t, strings.HasSuffix(got[len(got)-1], "END"), "what is queued still goes: %v", got)
		assert.Equal(t, 70000, p.data[7])
		assert.Zero(t, p.conn.Streams())
	})
}

// TestSendWindows: data goes as far as the windows and the rest follows them.
func TestSendWindows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &acceptor{}
		p := rawClient(t, http2.Options{}, a.accept, xhttp2.Setting{ID: xhttp2.SettingInitialWindowSize, Val: 10})
		defer p.end()
		p.headers(1, true, get()...)
		s := a.stream(0)
		require.NoError(t, s.SendHead(fieldList(":status: 200"), false))
		n, err := s.SendData([]byte("0123456789abcdef"), false)
		require.NoError(t, err)
		assert.Equal(t, 10, n)
		assert.Equal(t, 6, s.Queued())
		n, err = s.SendData([]byte("gh"), false)
		require.NoError(t, err)
		assert.Zero(t, n, "nothing overtakes the queue")
		require.NoError(t, s.SendTrailer(fieldList("t: 1")))
		s.Conn().Flush()
		assert.Equal(t, []string{"HEADERS 1 :status=200", "DATA 1 10"}, p.got())
		p.ok(p.w.WriteWindowUpdate(1, 3))
		assert.Equal(t, []string{"DATA 1 3"}, p.got())
		assert.Equal(t, 3, a.sent)
		// Below zero, and back.
		p.ok(p.w.WriteSettings(xhttp2.Setting{ID: xhttp2.SettingInitialWindowSize, Val: 0}))
		p.ok(p.w.WriteWindowUpdate(1, 9))
		assert.Equal(t, []string{"SETTINGS ACK"}, p.got(), "the window is -1")
		p.ok(p.w.WriteSettings(xhttp2.Setting{ID: xhttp2.SettingInitialWindowSize, Val: 2}))
		assert.Equal(t, []string{"SETTINGS ACK", "DATA 1 1"}, p.got())
		p.ok(p.w.WriteWindowUpdate(1, 100))
		assert.Equal(t, []string{"DATA 1 4", "HEADERS 1 END t=1"}, p.got())
		assert.Equal(t, 8, a.sent)
		assert.Zero(t, p.conn.Streams())
	})
}

// TestConnectionSendWindow: the connection's window stops all streams, and their turns
// are fair when it opens.
func TestConnectionSendWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &acceptor{}
		p := rawClient(t, http2.Options{}, a.accept, xhttp2.Setting{ID: xhttp2.SettingInitialWindowSize, Val: 1 << 20})
		defer p.end()
		for i := range 3 {
			p.headers(uint32(1+2*i), true, get()...)
		}
		for i := range 3 {
			s := a.stream(i)
			require.NoError(t, s.SendHead(fieldList(":status: 200"), false))
			_, err := s.SendData(make([]byte, 100000), true)
			require.NoError(t, err)
			s.Conn().Flush()
		}
		p.got()
		assert.Equal(t, 65535, p.data[1], "the first took the connection's window")
		assert.Zero(t, p.data[3]+p.data[5])
		p.ok(p.w.WriteWindowUpdate(0, 3*16384))
		assert.Equal(t, []string{"DATA 1 16384", "DATA 3 16384", "DATA 5 16384"}, p.got())
		p.ok(p.w.WriteWindowUpdate(0, 1<<20))
		p.got()
		assert.Equal(t, map[uint32]int{1: 100000, 3: 100000, 5: 100000}, p.data)
		assert.Equal(t, 300000-65535, a.sent)
	})
}

// TestStuckPeer: a peer that takes nothing blocks no caller; small streams are not stuck
// behind a large one when it goes on.
func TestStuckPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &acceptor{}
		p := rawClient(t, http2.Options{}, a.accept, xhttp2.Setting{ID: xhttp2.SettingInitialWindowSize, Val: 1 << 30})
		defer p.end()
		p.ok(p.w.WriteWindowUpdate(0, 1<<30))
		p.headers(1, true, get()...)
		p.headers(3, true, get()...)
		p.settle()
		p.mu.Lock()
		p.stuck = true
		p.mu.Unlock()
		p.ok(p.w.WritePing(false, [8]byte{})) // the read that is under way ends
		large, small := a.stream(0), a.stream(1)
		require.NoError(t, large.SendHead(fieldList(":status: 200"), false))
		sent := 0
		for range 64 {
			n, err := large.SendData(make([]byte, 16384), false)
			require.NoError(t, err)
			sent += n
			large.Conn().Flush()
			synctest.Wait()
		}
		assert.Less(t, sent, 512<<10, "the rest waits in the stream")
		assert.Equal(t, 64*16384, sent+a.sent+large.Queued())
		hello(small, true)
		p.conn.Flush()
		p.mu.Lock()
		p.stuck = false
		p.mu.Unlock()
		p.resume <- struct{}{}
		got := p.got()
		at := -1
		behind := 0
		for i, f := range got {
			if f == "DATA 3 5 END" {
				at = i
			}
			if at < 0 && strings.HasPrefix(f, "DATA 1") {
				behind += 16384
			}
		}
		require.GreaterOrEqual(t, at, 0, "%v", got)
		assert.Less(t, behind, 400<<10)
		assert.Equal(t, 64*16384, p.data[1])
		assert.Equal(t, 64*16384+5, sent+a.sent, "of both streams")
	})
}

func TestWriteTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &acceptor{}
		p := rawClient(t, http2.Options{WriteTimeout: 5 * time.Second}, a.accept, xhttp2.Setting{ID: xhttp2.SettingInitialWindowSize, Val: 1 << 30})
		p.ok(p.w.WriteWindowUpdate(0, 1<<30))
		p.headers(1, true, get()...)
		s := a.stream(0)
		p.mu.Lock()
		p.stuck = true
		p.mu.Unlock()
		p.ok(p.w.WritePing(false, [8]byte{}))
		require.NoError(t, s.SendHead(fieldList(":status: 200"), false))
		_, err := s.SendData(make([]byte, 1<<20), true)
		require.NoError(t, err)
		p.conn.Flush()
		time.Sleep(4 * time.Second)
		assert.NotContains(t, strings.Join(a.list(), "|"), "reset")
		time.Sleep(7 * time.Second) // a piece that was taken in part is given the time once more
		assert.Contains(t, strings.Join(a.list(), "|"), "reset http2: connection lost")
		assert.ErrorContains(t, p.served(), "timeout")
		p.done <- nil
		p.end()
	})
}

// TestConsume: the windows that this side gives.
func TestConsume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &acceptor{recorder: recorder{keep: true}}
		p := rawClient(t, http2.Options{InitialWindow: 1000, WindowUpdateRatio: 0.9}, a.accept)
		defer p.end()
		p.headers(1, false, post()...)
		p.ok(p.w.WriteDataPadded(1, false, make([]byte, 100), make([]byte, 49)))
		s := a.stream(0)
		assert.Empty(t, p.got(), "50 of padding are less than a tenth")
		s.Consume(49)
		p.conn.Flush()
		assert.Empty(t, p.got())
		s.Consume(1)
		p.conn.Flush()
		assert.Equal(t, []string{"WINDOW 1 100"}, p.got())
		s.Consume(1000)
		p.conn.Flush()
		assert.Empty(t, p.got(), "no more than was received")
		p.ok(p.w.WriteData(1, false, make([]byte, 900)))
		p.settle()
		s.Consume(2000)
		p.conn.Flush()
		assert.Equal(t, []string{"WINDOW 1 950"}, p.got())
		p.ok(p.w.WriteData(1, false, make([]byte, 1000)))
		assert.Empty(t, p.got(), "the whole window is allowed")
		p.ok(p.w.WriteData(1, false, make([]byte, 1)))
		assert.Equal(t, []string{"RST 1 FLOW_CONTROL_ERROR"}, p.got())
		events := a.list()
		assert.Contains(t, events[len(events)-1], "reset http2: stream reset: FLOW_CONTROL_ERROR")
	})
}

// TestInitialWindowBeforeAck: until the peer has acknowledged it, a smaller window is
// not in force.
func TestInitialWindowBeforeAck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &acceptor{recorder: recorder{keep: true}}
		p := unsettledClient(t, http2.Options{InitialWindow: 10}, a.accept)
		defer p.end()
		p.headers(1, false, post()...)
		p.ok(p.w.WriteData(1, false, make([]byte, 1000)))
		p.ok(p.w.WriteSettingsAck())
		assert.Empty(t, p.got())
		a.stream(0).Consume(1000)
		p.conn.Flush()
		assert.Equal(t, []string{"WINDOW 1 1000"}, p.got(), "which lifts the window from -990 to 10")
		p.ok(p.w.WriteData(1, false, make([]byte, 11)))
		assert.Equal(t, []string{"RST 1 FLOW_CONTROL_ERROR"}, p.got())
	})
}

// TestConnectionWindow: it is refilled whatever becomes of the data, and enforced.
func TestConnectionWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &acceptor{recorder: recorder{keep: true}}
		p := rawClient(t, http2.Options{ConnWindow: 65535}, a.accept)
		defer p.end()
		p.headers(1, false, post()...)
		p.headers(3, false, post()...)
		for range 3 {
			p.ok(p.w.WriteData(1, false, make([]byte, 16000)))
		}
		assert.Equal(t, []string{"WINDOW 0 48000"}, p.got())
		a.stream(0).Reset(xhttp2.ErrCodeCancel)
		p.conn.Flush()
		p.got()
		for range 3 {
			p.ok(p.w.WriteData(1, false, make([]byte, 16000)))
		}
		assert.Equal(t, []string{"WINDOW 0 48000"}, p.got(), "data of a stream that was reset is ignored, its window given back")
		assert.Len(t, a.list(), 5, "and there is no event of it")
	})
}

func TestQueueLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &acceptor{}
		p := rawClient(t, http2.Options{MaxQueuedBytes: 1000}, a.accept, xhttp2.Setting{ID: xhttp2.SettingInitialWindowSize, Val: 0})
		defer p.end()
		p.headers(1, true, get()...)
		p.headers(3, true, get()...)
		s := a.stream(0)
		require.NoError(t, s.SendHead(fieldList(":status: 200"), false))
		_, err := s.SendData(make([]byte, 600), false)
		require.NoError(t, err)
		o := a.stream(1)
		require.NoError(t, o.SendHead(fieldList(":status: 200"), false))
		_, err = o.SendData(make([]byte, 600), false)
		var reset *http2.ResetError
		require.ErrorAs(t, err, &reset)
		assert.Equal(t, xhttp2.ErrCodeEnhanceYourCalm, reset.Code)
		p.conn.Flush()
		assert.Equal(t, []string{"HEADERS 1 :status=200", "HEADERS 3 :status=200", "RST 3 ENHANCE_YOUR_CALM"}, p.got())
		s.Reset(xhttp2.ErrCodeCancel)
		p.headers(5, true, get()...)
		_, err = a.stream(2).SendData(make([]byte, 900), false)
		require.NoError(t, err, "a reset gives its share back")
	})
}

// TestLargeHeaders leave as CONTINUATION frames of the peer's size.
func TestLargeHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &acceptor{}
		p := rawClient(t, http2.Options{}, a.accept)
		defer p.end()
		p.headers(1, true, get()...)
		s := a.stream(0)
		value := strings.Repeat("v", 40000)
		require.NoError(t, s.SendHead(fieldList(":status: 200", "a: "+value), true))
		p.conn.Flush()
		assert.Equal(t, []string{"HEADERS 1 END …", "CONTINUATION 1 :status=200 a=" + value}, p.got())
	})
}

// TestFlowProperty: two ends of this package never break each other's windows, and every
// byte that was sent arrives once, in order, for any sizes and settings.
func TestFlowProperty(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		window := rapid.Uint32Range(0, 100000).Draw(rt, "window")
		ratio := rapid.Float64Range(0.01, 0.99).Draw(rt, "ratio")
		most := min(70000, 100*int(window)+100) // small windows take many frames
		sizes := rapid.SliceOfN(rapid.SliceOfN(rapid.IntRange(0, most), 1, 6), 1, 5).Draw(rt, "sizes")
		slow := rapid.Bool().Draw(rt, "slow")
		synctest.Test(t, func(t *testing.T) {
			o := http2.Options{InitialWindow: window, WindowUpdateRatio: ratio, MaxControlFrames: 1 << 31}
			echoed := newLoop(t, o, o)
			defer echoed.end()
			want := map[*collector]int{}
			for i, pieces := range sizes {
				c := &collector{slow: slow}
				s, err := echoed.client.Open(c, fieldList(":method: POST", ":scheme: http", ":path: /", ":authority: a"), false)
				require.NoError(t, err)
				for j, n := range pieces {
					b := make([]byte, n)
					for k := range b {
						b[k] = byte(i + j + k)
					}
					c.want = append(c.want, b...)
					_, err := s.SendData(b, j == len(pieces)-1)
					require.NoError(t, err)
					echoed.client.Flush()
				}
				want[c] = len(c.want)
			}
			synctest.Wait()
			for c := range want {
				c.mu.Lock()
				assert.Equal(t, len(c.want), len(c.got))
				assert.True(t, bytes.Equal(c.want, c.got), "other bytes")
				assert.Equal(t, []string{"end"}, c.ends)
				c.mu.Unlock()
			}
			assert.Zero(t, echoed.client.Streams())
			assert.Zero(t, echoed.server.Streams())
		})
	})
}

// TestEmptyDataBeyondTheWindow: SETTINGS may leave a stream with a window below zero,
// and an empty frame still ends it; what was consumed before comes back all the same.
func TestEmptyDataBeyondTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &acceptor{recorder: recorder{keep: true}}
		p := unsettledClient(t, http2.Options{InitialWindow: 10, WindowUpdateRatio: 0.5}, a.accept)
		defer p.end()
		for _, id := range []uint32{1, 3} {
			p.headers(id, false, post()...)
			p.ok(p.w.WriteData(id, false, make([]byte, 100))) // before it can know of the window
		}
		p.settle()
		a.stream(0).Consume(100) // little of the window in force
		p.conn.Flush()
		assert.Empty(t, p.got())
		p.ok(p.w.WriteSettingsAck())
		assert.Equal(t, []string{"WINDOW 1 100"}, p.got())
		p.ok(p.w.WriteData(3, true, nil))
		assert.Empty(t, p.got())
		events := a.list()
		assert.Equal(t, "data 0 END", events[len(events)-1])
	})
}

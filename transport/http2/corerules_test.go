package http2_test

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	xhttp2 "golang.org/x/net/http2"

	"github.com/weft-mesh/weft/transport/http2"
)

func u32(v uint32) string { return string(binary.BigEndian.AppendUint32(nil, v)) }

// TestServerRules has the cases of h2spec that are easily got wrong, and those that it
// lacks. Each begins on a connection whose settings are exchanged, with Accept noting
// requests and not answering.
func TestServerRules(t *testing.T) {
	const none = ""
	cases := []struct {
		name  string
		do    func(p *rawPeer)
		frame string // what the peer must get; "": nothing
		goes  bool   // the connection goes on
	}{
		{"DATA on an idle stream", func(p *rawPeer) { p.ok(p.w.WriteData(1, true, []byte("x"))) }, "GOAWAY 0 PROTOCOL_ERROR", false},
		{"RST_STREAM on an idle stream", func(p *rawPeer) { p.ok(p.w.WriteRSTStream(1, xhttp2.ErrCodeCancel)) }, "GOAWAY 0 PROTOCOL_ERROR", false},
		{"WINDOW_UPDATE on an idle stream", func(p *rawPeer) { p.ok(p.w.WriteWindowUpdate(1, 1)) }, "GOAWAY 0 PROTOCOL_ERROR", false},
		{"DATA on stream 0", func(p *rawPeer) { p.raw(xhttp2.FrameData, 0, 0, "x") }, "GOAWAY 0 PROTOCOL_ERROR", false},
		{"even stream", func(p *rawPeer) { p.headers(2, true, get()...) }, "GOAWAY 0 PROTOCOL_ERROR", false},
		{"smaller stream id", func(p *rawPeer) { p.headers(5, true, get()...); p.headers(3, true, get()...) }, "GOAWAY 5 PROTOCOL_ERROR", false},
		{"DATA after END_STREAM", func(p *rawPeer) { p.headers(1, true, get()...); p.ok(p.w.WriteData(1, true, []byte("x"))) }, "RST 1 STREAM_CLOSED", true},
		{"HEADERS after END_STREAM", func(p *rawPeer) { p.headers(1, true, get()...); p.headers(1, true, get()...) }, "RST 1 STREAM_CLOSED", true},
		{"DATA after RST_STREAM", func(p *rawPeer) {
			p.headers(1, false, post()...)
			p.ok(p.w.WriteRSTStream(1, xhttp2.ErrCodeCancel))
			p.ok(p.w.WriteData(1, true, []byte("x")))
		}, "RST 1 STREAM_CLOSED", true},
		{"HEADERS after RST_STREAM", func(p *rawPeer) {
			p.headers(1, false, post()...)
			p.ok(p.w.WriteRSTStream(1, xhttp2.ErrCodeCancel))
			p.headers(1, true, get()...)
		}, "GOAWAY 1 STREAM_CLOSED", false},
		{"second HEADERS without the end", func(p *rawPeer) { p.headers(1, false, post()...); p.headers(1, false, "a: b") }, "RST 1 PROTOCOL_ERROR", true},
		{"pseudo-header in trailers", func(p *rawPeer) { p.headers(1, false, post()...); p.headers(1, true, ":method: GET") }, "RST 1 PROTOCOL_ERROR", true},
		{"CONTINUATION without HEADERS", func(p *rawPeer) { p.ok(p.w.WriteContinuation(1, true, nil)) }, "GOAWAY 0 PROTOCOL_ERROR", false},
		{"frame within a header block", func(p *rawPeer) {
			p.ok(p.w.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: 1, BlockFragment: p.block(get()...)}))
			p.ok(p.w.WritePing(false, [8]byte{}))
		}, "GOAWAY 0 PROTOCOL_ERROR", false},
		{"unknown frame within a header block", func(p *rawPeer) {
			p.ok(p.w.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: 1, BlockFragment: p.block(get()...)}))
			p.raw(0x77, 0, 1, "")
		}, "GOAWAY 0 PROTOCOL_ERROR", false},
		{"CONTINUATION of another stream", func(p *rawPeer) {
			p.ok(p.w.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: 1, BlockFragment: p.block(get()...)}))
			p.ok(p.w.WriteContinuation(3, true, nil))
		}, "GOAWAY 0 PROTOCOL_ERROR", false},
		{"unknown frame", func(p *rawPeer) { p.raw(0x77, 0xff, 9, "abc") }, none, true},
		{"frame too large", func(p *rawPeer) { p.raw(xhttp2.FrameData, 0, 1, strings.Repeat("x", 16385)) }, "GOAWAY 0 FRAME_SIZE_ERROR", false},
		{"too much padding of DATA", func(p *rawPeer) {
			p.headers(1, false, post()...)
			p.raw(xhttp2.FrameData, xhttp2.FlagDataPadded, 1, "\x05abcd")
		}, "GOAWAY 1 PROTOCOL_ERROR", false},
		{"padded DATA without a length", func(p *rawPeer) {
			p.headers(1, false, post()...)
			p.raw(xhttp2.FrameData, xhttp2.FlagDataPadded, 1, "")
		}, "GOAWAY 1 PROTOCOL_ERROR", false},
		{"too much padding of HEADERS", func(p *rawPeer) {
			p.raw(xhttp2.FrameHeaders, xhttp2.FlagHeadersPadded|xhttp2.FlagHeadersEndHeaders, 1, "\x05abcd")
		}, "GOAWAY 0 PROTOCOL_ERROR", false},
		{"HEADERS that depend on themselves", func(p *rawPeer) {
			p.raw(xhttp2.FrameHeaders, xhttp2.FlagHeadersPriority|xhttp2.FlagHeadersEndHeaders, 1, u32(1)+"\x00")
		}, "GOAWAY 0 PROTOCOL_ERROR", false},
		{"PRIORITY that depends on itself", func(p *rawPeer) { p.raw(xhttp2.FramePriority, 0, 1, u32(1)+"\x00") }, "GOAWAY 0 PROTOCOL_ERROR", false},
		{"short PRIORITY", func(p *rawPeer) { p.raw(xhttp2.FramePriority, 0, 1, "1234") }, "GOAWAY 0 FRAME_SIZE_ERROR", false},
		{"PRIORITY", func(p *rawPeer) { p.raw(xhttp2.FramePriority, 0, 1, u32(3)+"\x00") }, none, true},
		{"short RST_STREAM", func(p *rawPeer) { p.headers(1, false, post()...); p.raw(xhttp2.FrameRSTStream, 0, 1, "123") }, "GOAWAY 1 FRAME_SIZE_ERROR", false},
		{"short PING", func(p *rawPeer) { p.raw(xhttp2.FramePing, 0, 0, "1234567") }, "GOAWAY 0 FRAME_SIZE_ERROR", false},
		{"PING on a stream", func(p *rawPeer) { p.raw(xhttp2.FramePing, 0, 1, "12345678") }, "GOAWAY 0 PROTOCOL_ERROR", false},
		{"PING", func(p *rawPeer) { p.raw(xhttp2.FramePing, 0, 0, "12345678") }, `PING ACK "12345678"`, true},
		{"SETTINGS on a stream", func(p *rawPeer) { p.raw(xhttp2.FrameSettings, 0, 1, "") }, "GOAWAY 0 PROTOCOL_ERROR", false},
		{"SETTINGS of a wrong size", func(p *rawPeer) { p.raw(xhttp2.FrameSettings, 0, 0, "12345") }, "GOAWAY 0 FRAME_SIZE_ERROR", false},
		{"SETTINGS ACK with a payload", func(p *rawPeer) { p.raw(xhttp2.FrameSettings, xhttp2.FlagSettingsAck, 0, "123456") }, "GOAWAY 0 FRAME_SIZE_ERROR", false},
		{"ENABLE_PUSH 2", func(p *rawPeer) { p.ok(p.w.WriteSettings(xhttp2.Setting{ID: xhttp2.SettingEnablePush, Val: 2})) }, "GOAWAY 0 PROTOCOL_ERROR", false},
		{"INITIAL_WINDOW_SIZE 2^31", func(p *rawPeer) {
			p.ok(p.w.WriteSettings(xhttp2.Setting{ID: xhttp2.SettingInitialWindowSize, Val: 1 << 31}))
		}, "GOAWAY 0 FLOW_CONTROL_ERROR", false},
		{"MAX_FRAME_SIZE 16383", func(p *rawPeer) { p.ok(p.w.WriteSettings(xhttp2.Setting{ID: xhttp2.SettingMaxFrameSize, Val: 16383})) }, "GOAWAY 0 PROTOCOL_ERROR", false},
		{"MAX_FRAME_SIZE 2^24", func(p *rawPeer) {
			p.ok(p.w.WriteSettings(xhttp2.Setting{ID: xhttp2.SettingMaxFrameSize, Val: 1 << 24}))
		}, "GOAWAY 0 PROTOCOL_ERROR", false},
		{"unknown setting", func(p *rawPeer) { p.ok(p.w.WriteSettings(xhttp2.Setting{ID: 0xff, Val: 1})) }, "SETTINGS ACK", true},
		{"INITIAL_WINDOW_SIZE overflows a stream", func(p *rawPeer) {
			p.headers(1, false, post()...)
			p.ok(p.w.WriteWindowUpdate(1, 1<<31-1-65535))
			p.ok(p.w.WriteSettings(xhttp2.Setting{ID: xhttp2.SettingInitialWindowSize, Val: 65536}))
		}, "GOAWAY 1 FLOW_CONTROL_ERROR", false},
		{"WINDOW_UPDATE of 0", func(p *rawPeer) { p.raw(xhttp2.FrameWindowUpdate, 0, 0, u32(0)) }, "GOAWAY 0 PROTOCOL_ERROR", false},
		{"WINDOW_UPDATE of 0 on a stream", func(p *rawPeer) { p.headers(1, false, post()...); p.raw(xhttp2.FrameWindowUpdate, 0, 1, u32(0)) }, "RST 1 PROTOCOL_ERROR", true},
		{"WINDOW_UPDATE overflows", func(p *rawPeer) { p.ok(p.w.WriteWindowUpdate(0, 1<<31-1)) }, "GOAWAY 0 FLOW_CONTROL_ERROR", false},
		{"WINDOW_UPDATE overflows a stream", func(p *rawPeer) { p.headers(1, false, post()...); p.ok(p.w.WriteWindowUpdate(1, 1<<31-1)) }, "RST 1 FLOW_CONTROL_ERROR", true},
		{"WINDOW_UPDATE of 3 bytes", func(p *rawPeer) { p.raw(xhttp2.FrameWindowUpdate, 0, 0, "abc") }, "GOAWAY 0 FRAME_SIZE_ERROR", false},
		{"GOAWAY on a stream", func(p *rawPeer) { p.raw(xhttp2.FrameGoAway, 0, 1, u32(0)+u32(0)) }, "GOAWAY 0 PROTOCOL_ERROR", false},
		{"short GOAWAY", func(p *rawPeer) { p.raw(xhttp2.FrameGoAway, 0, 0, u32(0)) }, "GOAWAY 0 FRAME_SIZE_ERROR", false},
		{"PUSH_PROMISE", func(p *rawPeer) { p.raw(xhttp2.FramePushPromise, xhttp2.FlagPushPromiseEndHeaders, 1, u32(2)) }, "GOAWAY 0 PROTOCOL_ERROR", false},
		{"header block that is none", func(p *rawPeer) { p.raw(xhttp2.FrameHeaders, 5, 1, "\xff\xff\xff\xff\xff\xff") }, "GOAWAY 0 COMPRESSION_ERROR", false},
		{"header block that is cut", func(p *rawPeer) { p.raw(xhttp2.FrameHeaders, 5, 1, "\x40\x05ab") }, "GOAWAY 0 COMPRESSION_ERROR", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := rawClient(t, http2.Options{}, new(acceptor).accept)
				defer p.end()
				c.do(p)
				got := p.got()
				if c.frame == none {
					assert.Empty(t, got)
				} else {
					assert.Contains(t, got, c.frame)
				}
				p.ok(p.w.WritePing(false, [8]byte{7}))
				after := strings.Join(p.got(), "|")
				if c.goes {
					assert.Contains(t, after, "PING ACK")
				} else {
					assert.NotContains(t, after, "PING ACK")
					assert.Contains(t, strings.Join(got, "|")+after, "EOF")
				}
			})
		})
	}
}

// TestRequestFields is about which requests are malformed (RFC 9113 8.2, 8.3).
func TestRequestFields(t *testing.T) {
	cases := []struct {
		name   string
		fields []string
		end    bool
		good   bool
	}{
		{"plain", get(), true, true},
		{"te: trailers", get("te: trailers"), true, true},
		{"te: gzip", get("te: gzip"), true, false},
		{"connection", get("connection: close"), true, false},
		{"keep-alive", get("keep-alive: 1"), true, false},
		{"proxy-connection", get("proxy-connection: close"), true, false},
		{"transfer-encoding", get("transfer-encoding: chunked"), true, false},
		{"upgrade", get("upgrade: x"), true, false},
		{"proxy-authenticate is no matter of the connection", get("proxy-authenticate: x"), true, true},
		{"trailer", get("trailer: x"), true, true},
		{"upper case", get("X-a: b"), true, false},
		{"space in a name", get("a b: c"), true, false},
		{"colon in a name", get("a:b: c"), true, false},
		{"empty name", append(get(), ": b")[:4], true, true},
		{"newline in a value", get("a: b\nc"), true, false},
		{"carriage return in a value", get("a: b\rc"), true, false},
		{"zero in a value", get("a: b\x00c"), true, false},
		{"space before a value", get("a:  b"), true, false},
		{"tab after a value", get("a: b\t"), true, false},
		{"empty value", get("a: "), true, true},
		{"bytes over 127", get("a: \xff\xe4"), true, true},
		{"no :method", []string{":scheme: http", ":path: /"}, true, false},
		{"no :scheme", []string{":method: GET", ":path: /"}, true, false},
		{"no :path", []string{":method: GET", ":scheme: http"}, true, false},
		{"no :authority", []string{":method: GET", ":scheme: http", ":path: /"}, true, true},
		{"empty :path", []string{":method: GET", ":scheme: http", ":path: "}, true, false},
		{"relative :path", []string{":method: GET", ":scheme: http", ":path: a"}, true, false},
		{"absolute :path", []string{":method: GET", ":scheme: http", ":path: http://a/b"}, true, true},
		{"space in :path", []string{":method: GET", ":scheme: http", ":path: /a b"}, true, false},
		{"asterisk of GET", []string{":method: GET", ":scheme: http", ":path: *"}, true, false},
		{"asterisk of OPTIONS", []string{":method: OPTIONS", ":scheme: http", ":path: *"}, true, true},
		{"bad :method", []string{":method: G T", ":scheme: http", ":path: /"}, true, false},
		{"double :path", get(":path: /")[:4:4], true, true},
		{":path twice", append([]string{":path: /"}, get()...), true, false},
		{":status", append([]string{":status: 200"}, get()...), true, false},
		{"unknown pseudo-header", append([]string{":x: y"}, get()...), true, false},
		{"pseudo-header last", []string{":method: GET", ":scheme: http", "a: b", ":path: /"}, true, false},
		{"user in :authority", []string{":method: GET", ":scheme: http", ":path: /", ":authority: u@a"}, true, false},
		{"slash in :authority", []string{":method: GET", ":scheme: http", ":path: /", ":authority: a/b"}, true, false},
		{"host is :authority", get("host: A"), true, true},
		{"host is not :authority", get("host: b"), true, false},
		{"content-length 0 and no body", get("content-length: 0"), true, true},
		{"content-length and no body", get("content-length: 1"), true, false},
		{"content-length", post("content-length: 1"), false, true},
		{"content-length twice the same", post("content-length: 1", "content-length: 1"), false, true},
		{"content-length twice", post("content-length: 1", "content-length: 2"), false, false},
		{"content-length +1", post("content-length: +1"), false, false},
		{"content-length 1, 1", post("content-length: 1, 1"), false, false},
		{"content-length of 20 digits", post("content-length: 18446744073709551617"), false, false},
		{"CONNECT", []string{":method: CONNECT", ":authority: a:1"}, false, true},
		{"CONNECT with :path", []string{":method: CONNECT", ":authority: a:1", ":path: /", ":scheme: http"}, false, false},
		{"CONNECT without :authority", []string{":method: CONNECT"}, false, false},
		{":protocol without leave", []string{":method: CONNECT", ":protocol: websocket", ":scheme: http", ":path: /", ":authority: a"}, false, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := new(acceptor)
				p := rawClient(t, http2.Options{}, a.accept)
				defer p.end()
				p.headers(1, c.end, c.fields...)
				if c.good {
					assert.Empty(t, p.got())
					assert.Len(t, a.list(), 1)
				} else {
					assert.Equal(t, []string{"RST 1 PROTOCOL_ERROR"}, p.got())
					assert.Empty(t, a.list(), "a malformed request is not accepted")
				}
			})
		})
	}
}

func TestExtendedConnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := new(acceptor)
		p := rawClient(t, http2.Options{ExtendedConnect: true}, a.accept)
		defer p.end()
		p.headers(1, false, ":method: CONNECT", ":protocol: websocket", ":scheme: http", ":path: /", ":authority: a")
		assert.Len(t, a.list(), 1)
		p.headers(3, false, get(":protocol: websocket")[4:]...)
		assert.Equal(t, []string{"RST 3 PROTOCOL_ERROR"}, p.got())
	})
}

// TestContentLength compares DATA with what was promised.
func TestContentLength(t *testing.T) {
	cases := []struct {
		name string
		do   func(p *rawPeer)
		good bool
	}{
		{"exact", func(p *rawPeer) {
			p.ok(p.w.WriteData(1, false, []byte("ab")))
			p.ok(p.w.WriteData(1, true, []byte("c")))
		}, true},
		{"padding does not count", func(p *rawPeer) { p.ok(p.w.WriteDataPadded(1, true, []byte("abc"), make([]byte, 9))) }, true},
		{"too little", func(p *rawPeer) { p.ok(p.w.WriteData(1, true, []byte("ab"))) }, false},
		{"too little and trailers", func(p *rawPeer) { p.ok(p.w.WriteData(1, false, []byte("ab"))); p.headers(1, true, "a: b") }, false},
		{"too much", func(p *rawPeer) { p.ok(p.w.WriteData(1, false, []byte("abcd"))) }, false},
		{"exact and trailers", func(p *rawPeer) { p.ok(p.w.WriteData(1, false, []byte("abc"))); p.headers(1, true, "a: b") }, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := new(acceptor)
				p := rawClient(t, http2.Options{}, a.accept)
				defer p.end()
				p.headers(1, false, post("content-length: 3")...)
				c.do(p)
				events := strings.Join(a.list(), "|")
				if c.good {
					assert.NotContains(t, events, "reset")
					assert.Empty(t, p.got())
				} else {
					assert.Contains(t, events, "reset http2: stream reset: PROTOCOL_ERROR")
					assert.Equal(t, []string{"RST 1 PROTOCOL_ERROR"}, p.got())
				}
			})
		})
	}
}

// TestPreface is about what comes before the first stream.
func TestPreface(t *testing.T) {
	for name, sent := range map[string]string{
		"HTTP/1":                   "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
		"wrong at its end":         xhttp2.ClientPreface[:23] + "x",
		"PING before SETTINGS":     xhttp2.ClientPreface + "\x00\x00\x08\x06\x00\x00\x00\x00\x0012345678",
		"SETTINGS ACK comes first": xhttp2.ClientPreface + "\x00\x00\x00\x04\x01\x00\x00\x00\x00",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, nc := newPeer(t)
				p.conn = http2.NewServerConn(nc, http2.Options{}, new(acceptor).accept)
				p.start()
				p.send(sent)
				assert.Equal(t, []string{"SETTINGS MAX_CONCURRENT_STREAMS=1000", "WINDOW 0 983041", "GOAWAY 0 PROTOCOL_ERROR", "EOF"}, p.got())
				p.end()
			})
		})
	}
}

// TestFramesAfterTheEndMeetTheResponse: a client that sends more than it said hears of it
// also if the response ends its stream just then.
func TestFramesAfterTheEndMeetTheResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &acceptor{do: func(s *http2.Stream, end bool) { go hello(s, end) }}
		p := rawClient(t, http2.Options{MaxResets: 10_000}, a.accept)
		defer p.end()
		for i := range uint32(3000) {
			id := 2*i + 1
			p.headers(id, true, get()...)
			p.ok(p.w.WriteData(id, true, []byte("x")))
			synctest.Wait()
			require.Contains(t, strings.Join(p.got(), "|"), fmt.Sprintf("RST %d STREAM_CLOSED", id))
		}
	})
}

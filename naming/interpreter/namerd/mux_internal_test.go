package namerd

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/naming/interpreter/remote"
)

// TestMuxBytes compares frames with bytes put together by hand from the numbers of
// the specification.
func TestMuxBytes(t *testing.T) {
	for name, c := range map[string]struct {
		f    muxFrame
		want string
	}{
		"Tping":      {muxFrame{typ: muxTping, tag: 1}, "00000004 41 000001"},
		"Rping":      {muxFrame{typ: muxRping, tag: 1}, "00000004 bf 000001"},
		"Rdrain":     {muxFrame{typ: muxRdrain, tag: 1}, "00000004 c0 000001"},
		"Tdispatch":  {muxFrame{typ: muxTdispatch, tag: 2, body: muxDispatch([]byte{0xaa})}, "0000000b 02 000002 0000 0000 0000 aa"},
		"Tdiscarded": {muxFrame{typ: muxTdiscarded, body: []byte{0, 0, 2, 'x'}}, "00000008 42 000000 000002 78"},
	} {
		b := c.f.bytes()
		assert.Equal(t, strings.ReplaceAll(c.want, " ", ""), hex.EncodeToString(b), name)
		got, err := readMuxFrame(bytes.NewReader(b))
		require.NoError(t, err)
		assert.Equal(t, c.f, got, name)
	}
	for _, bad := range []string{"", "000000", "00000003 41 0000", "00000005 41 000001", "ffffffff 41 000001"} {
		b, err := hex.DecodeString(strings.ReplaceAll(bad, " ", ""))
		require.NoError(t, err)
		_, err = readMuxFrame(bytes.NewReader(b))
		require.Error(t, err, bad)
	}
}

// muxPipe is a session and the other end of its connection.
func muxPipe(t *testing.T) (*muxSession, net.Conn) {
	t.Helper()
	client, server := net.Pipe()
	s := newMuxSession(client)
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		server.Close()
	})
	return s, server
}

type muxResult struct {
	body []byte
	err  error
}

func (s *muxSession) callLater(ctx context.Context, body string) <-chan muxResult {
	c := make(chan muxResult, 1)
	go func() {
		b, err := s.call(ctx, []byte(body))
		c <- muxResult{b, err}
	}()
	return c
}

func next(t *testing.T, c net.Conn) muxFrame {
	t.Helper()
	require.NoError(t, c.SetReadDeadline(time.Now().Add(15*time.Second)))
	f, err := readMuxFrame(c)
	require.NoError(t, err)
	return f
}

func say(t *testing.T, c net.Conn, f muxFrame) {
	t.Helper()
	require.NoError(t, c.SetWriteDeadline(time.Now().Add(15*time.Second)))
	_, err := c.Write(f.bytes())
	require.NoError(t, err)
}

func rdispatch(tag uint32, status byte, body string) muxFrame {
	return muxFrame{typ: muxRdispatch, tag: tag, body: append([]byte{status, 0, 0}, body...)}
}

func TestMuxAnswersOutOfOrder(t *testing.T) {
	s, server := muxPipe(t)
	a := s.callLater(t.Context(), "a")
	fa := next(t, server)
	b := s.callLater(t.Context(), "b")
	fb := next(t, server)
	assert.NotEqual(t, fa.tag, fb.tag)
	say(t, server, rdispatch(fb.tag, muxOK, "B"))
	say(t, server, muxFrame{typ: muxTlease, body: make([]byte, 9)})
	say(t, server, muxFrame{typ: muxTping, tag: 77})
	assert.Equal(t, muxFrame{typ: muxRping, tag: 77}, next(t, server))
	assert.Equal(t, muxResult{body: []byte("B")}, <-b)
	// In fragments, and between them another message.
	say(t, server, muxFrame{typ: muxRdispatch, tag: fa.tag | muxFragment, body: []byte{0, 0, 0, 'A'}})
	say(t, server, rdispatch(4000, muxOK, "nobody waits for it"))
	say(t, server, muxFrame{typ: muxRdispatch, tag: fa.tag, body: []byte("AA")})
	assert.Equal(t, muxResult{body: []byte("AAA")}, <-a)
	assert.Empty(t, s.partial)
	assert.Zero(t, s.partLen)
}

func TestMuxFailures(t *testing.T) {
	s, server := muxPipe(t)
	ask := func(answer func(tag uint32) muxFrame) error {
		c := s.callLater(t.Context(), "x")
		say(t, server, answer(next(t, server).tag))
		r := <-c
		return r.err
	}
	require.EqualError(t, ask(func(tag uint32) muxFrame { return rdispatch(tag, muxError, "boom") }), "namerd: boom")
	var cut *remote.CutError
	require.ErrorAs(t, ask(func(tag uint32) muxFrame { return rdispatch(tag, muxNack, "") }), &cut, "to be tried again")
	for _, typ := range []int8{-128, 127} {
		require.EqualError(t, ask(func(tag uint32) muxFrame { return muxFrame{typ: typ, tag: tag, body: []byte("bad")} }), "namerd: mux: bad")
	}
	require.NoError(t, s.Context().Err(), "all of that is about a request, not about the session")
	require.ErrorIs(t, ask(func(tag uint32) muxFrame { return muxFrame{typ: muxRdispatch, tag: tag, body: []byte{0, 0, 1}} }), errMuxReply)
	require.Error(t, s.Context().Err())
}

func TestMuxDiscards(t *testing.T) {
	s, server := muxPipe(t)
	ctx, cancel := context.WithCancel(t.Context())
	c := s.callLater(ctx, "x")
	f := next(t, server)
	cancel()
	assert.Equal(t, muxFrame{typ: muxTdiscarded, body: []byte("\x00\x00\x02abandoned")}, next(t, server))
	require.ErrorIs(t, (<-c).err, context.Canceled)
	s.mu.Lock()
	assert.Contains(t, s.waiting, f.tag, "the tag is not free yet")
	s.mu.Unlock()
	say(t, server, muxFrame{typ: muxRdiscarded, tag: f.tag})
	require.Eventually(t, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.waiting) == 0
	}, 15*time.Second, time.Millisecond)
}

func TestMuxTagsGoAround(t *testing.T) {
	s, _ := muxPipe(t)
	s.last = muxLastTag - 1
	a, err := s.tag(nil)
	require.NoError(t, err)
	b, err := s.tag(nil)
	require.NoError(t, err)
	s.last = muxLastTag
	c, err := s.tag(nil)
	require.NoError(t, err)
	assert.Equal(t, []uint32{muxLastTag, 2, 3}, []uint32{a, b, c})
}

func TestMuxEnds(t *testing.T) {
	for name, c := range map[string]struct {
		say  string
		want string
	}{
		"drain":         {"00000004 40 000001", "namerd is closing the connection"},
		"a request":     {"0000000b 02 000002 0000 0000 0000 aa", "mux: a message of type 2, which a server does not send"},
		"a short frame": {"00000002 0000", "mux: a frame of 2 bytes: must be 4 to 67108864"},
		"a huge frame":  {"7fffffff 41 000001", "mux: a frame of 2147483647 bytes: must be 4 to 67108864"},
		"HTTP":          {hex.EncodeToString([]byte("HTTP/1.1 400 Bad Request")), "mux: a frame of 1213486160 bytes: must be 4 to 67108864"},
		"loose pieces":  {"00000005 fe 800009 00", "mux: a fragment with the tag 9, which is not in use"},
	} {
		t.Run(name, func(t *testing.T) {
			s, server := muxPipe(t)
			b, err := hex.DecodeString(strings.ReplaceAll(c.say, " ", ""))
			require.NoError(t, err)
			call := s.callLater(t.Context(), "x")
			next(t, server)
			go func() {
				server.Write(b)
				for { // an Rdrain may come
					if _, err := readMuxFrame(server); err != nil {
						return
					}
				}
			}()
			require.EqualError(t, (<-call).err, c.want)
			require.EqualError(t, context.Cause(s.Context()), c.want)
			_, err = s.call(t.Context(), nil)
			require.Error(t, err, "and so it stays")
		})
	}
	s, server := muxPipe(t)
	call := s.callLater(t.Context(), "x")
	next(t, server)
	server.Close()
	require.EqualError(t, (<-call).err, "namerd closed the connection")
}

// FuzzMux lets a server say anything to a session that waits for an answer.
func FuzzMux(f *testing.F) {
	f.Add(rdispatch(2, 0, "hello").bytes())
	f.Add(append(muxFrame{typ: muxRdispatch, tag: 2 | muxFragment, body: []byte{0, 0, 0}}.bytes(), rdispatch(2, 1, "x").bytes()...))
	f.Add(muxFrame{typ: muxTping, tag: 1}.bytes())
	f.Add(muxFrame{typ: muxRdispatch, tag: 2, body: []byte{0, 0, 2, 0, 1, 'k', 0, 0, 0, 0}}.bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		client, server := net.Pipe()
		s := newMuxSession(client)
		c := s.callLater(t.Context(), "x")
		go func() {
			server.Write(b)
			server.Close()
		}()
		go func() {
			var buf [512]byte
			for {
				if _, err := server.Read(buf[:]); err != nil {
					return
				}
			}
		}()
		<-c
		require.NoError(t, s.Close())
		assert.LessOrEqual(t, s.partLen, len(b))
		r := bytes.NewReader(b)
		for {
			f, err := readMuxFrame(r)
			if err != nil {
				break
			}
			assert.Equal(t, f.bytes(), append(binary.BigEndian.AppendUint32(nil, uint32(4+len(f.body))), f.bytes()[4:]...))
		}
	})
}

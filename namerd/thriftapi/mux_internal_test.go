package thriftapi

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/interpreter/namerd/namerthrift"
)

const tinit = "\x00\x01\x00\x00\x00\x0amux-framer\x00\x00\x00\x04\x00\x00\x00\x10\x00\x00\x00\x03tls\x00\x00\x00\x03off\x00\x00\x00\x01x\x00\x00\x00\x00"

// TestHandshake is Finagle's: an error as a question, then a Tinit.
func TestHandshake(t *testing.T) {
	w := newWorld(t, nil)
	s := w.serve(Options{})
	ours := "\x00\x01\x00\x00\x00\x0amux-framer\x00\x00\x00\x04\x00\x3f\xff\xfc\x00\x00\x00\x03tls\x00\x00\x00\x03off"
	for _, typ := range []int8{muxOldRerr, muxRerr} {
		p := s.dial(t)
		p.say(typ, 1, "tinit check")
		p.expect(typ, 1, "tinit check")
		p.say(muxTinit, 1, tinit)
		p.expect(muxRinit, 1, ours)
		p.silent()
		// Answers come in fragments of 16 bytes.
		p.ask(2, namerthrift.MethodBind, bindArgs("/a", "", nil))
		var whole []byte
		for {
			f := p.hear()
			require.Equal(t, int8(muxRdispatch), f.typ)
			require.LessOrEqual(t, len(f.body), 16)
			whole = append(whole, f.body...)
			if f.tag == 2 {
				break
			}
			require.Equal(t, uint32(2|muxFragment), f.tag)
		}
		r := &namerthrift.BindResult{}
		unmarshal(t, whole[3:], r)
		assert.Equal(t, "~", treeText(t, r))
		p.say(muxTinit, 1, tinit)
		p.expect(muxOldRerr, 1, "Unexpected mux message type 68")
	}
	p := s.dial(t)
	p.say(muxTinit, 1, tinit) // without asking first
	p.expect(muxRinit, 1, ours)
	p = s.dial(t)
	p.say(muxOldRerr, 1, "tinit check")
	p.expect(muxOldRerr, 1, "tinit check")
	p.silent() // and then no Tinit
	for body, want := range map[string]string{
		"\x00\x02": "Unsupported Mux version: 2",
		"\x00\x01\x00\x00\x00\x03tls\x00\x00\x00\x08required":                "mux: TLS is required, and the server has none",
		"\x00\x01\x00\x00\x00\x0amux-framer\x00\x00\x00\x04\x00\x00\x00\x00": "mux: a mux-framer of 0: must be positive",
		"\x00\x01\x00\x00\x00\x0amux-framer\x00\x00\x00\x01\x00":             "mux: a mux-framer of 1 bytes: must be 4",
		"\x00\x01\x00\x00":         "mux: a message ends too soon",
		"\x00\x01\xff\xff\xff\xff": "mux: a message ends too soon",
		"\x00":                     "mux: a message ends too soon",
	} {
		p := s.dial(t)
		p.say(muxTinit, 1, body)
		p.expect(muxOldRerr, 1, want)
		p.closed()
	}
}

// TestMuxMessages: what a client may send, and what is made of what it may not.
func TestMuxMessages(t *testing.T) {
	w := newWorld(t, nil)
	s := w.serve(Options{})
	p := s.dial(t)
	p.say(muxTping, 9, "")
	p.expect(muxRping, 9, "")
	p.say(muxTlease, 0, "\x00\x00\x00\x00\x00\x00\x00\x00\x01")
	p.expect(muxOldRerr, 0, "Unexpected mux message type 67")
	p.say(muxRdrain, 1, "") // nobody asked
	p.silent()
	p.say(muxTdiscarded, 0, "\x00\x00\x07why") // nobody asked that either
	p.silent()

	// A question in fragments, with another one and a ping between them.
	call := "\x00\x00\x00\x00\x00\x00" + string(marshal(t, "bind", bindArgs("/a", "", nil)))
	p.say(muxTdispatch, 5|muxFragment, call[:3])
	p.say(muxTdispatch, 5|muxFragment, call[3:20])
	p.silent()
	assert.Equal(t, "~", treeText(t, p.bind(6, "/b", "", nil)))
	p.say(muxTdispatch, 5, call[20:])
	r := &namerthrift.BindResult{}
	p.answer(5, r)
	// Fragments of a question that is given up are forgotten.
	p.say(muxTdispatch, 5|muxFragment, "rubbish")
	p.say(muxOldDiscarded, 0, "\x00\x00\x05why")
	p.silent()
	p.bind(5, "/a", "", nil)

	// A question that is given up ends, and its tag can be used again.
	p.ask(8, namerthrift.MethodBind, bindArgs("/a", "", r.Success.Stamp))
	p.silent()
	p.say(muxOldDiscarded, 0, "\x00\x00\x08why")
	p.expect(muxRdiscarded, 8, "")
	require.Eventually(t, func() bool {
		s.namer.trees.mu.Lock()
		defer s.namer.trees.mu.Unlock()
		return len(s.namer.trees.all) == s.namer.trees.idle.Len()
	}, eventually, time.Millisecond, "nobody waits any more")
	p.ask(8, namerthrift.MethodBind, bindArgs("/a", "", r.Success.Stamp))
	p.silent()
	w.put("default", "/a=>!")
	p.answer(8, r)
	assert.Equal(t, "!", treeText(t, r))

	// The same tag twice.
	p.ask(2, namerthrift.MethodBind, bindArgs("/a", "", r.Success.Stamp))
	p.silent()
	p.ask(2, namerthrift.MethodBind, bindArgs("/a", "", nil))
	p.expect(muxOldRerr, 2, "Received duplicate tag 2 from client.")
	p.closed()

	for name, frame := range map[string]string{
		"too short":          "\x00\x00\x00\x03\x41\x00\x00",
		"too long":           "\x7f\xff\xff\xff\x41\x00\x00\x01",
		"cut":                "\x00\x00\x00\x09\x41\x00\x00\x01",
		"a dispatch of none": "\x00\x00\x00\x05\x02\x00\x00\x02\x00",
		"contexts":           "\x00\x00\x00\x0a\x02\x00\x00\x02\xff\xff\x00\x01k\x00",
		"a discard of none":  "\x00\x00\x00\x05\x42\x00\x00\x00\x00",
		"a request of none":  "\x00\x00\x00\x05\x01\x00\x00\x02\x01",
		"HTTP":               "GET / HTTP/1.1\r\n\r\n",
		"thrift, not framed": "\x80\x01\x00\x01\x00\x00\x00\x04bind\x00\x00\x00\x00\x00",
		"TLS":                "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
	} {
		t.Run(name, func(t *testing.T) {
			p := s.dial(t)
			_, err := p.c.Write([]byte(frame))
			require.NoError(t, err)
			require.NoError(t, p.c.(*net.TCPConn).CloseWrite())
			p.closed()
		})
	}
	p = s.dial(t)
	for range maxPartial/maxFrame + 1 {
		// A peer that is cut off may see its last bytes refused.
		_, _ = p.c.Write(muxFrame{typ: muxTdispatch, tag: 2 | muxFragment, body: make([]byte, maxFrame-muxHeader)}.bytes())
	}
	p.closed()
}

// TestManyCalls: one more than there may be is handed back.
func TestManyCalls(t *testing.T) {
	const maxCalls = 200
	w := newWorld(t, nil)
	s := w.serve(Options{MaxCalls: maxCalls})
	p := s.dial(t)
	stamp := p.bind(2, "/a", "", nil).Success.Stamp
	var b []byte
	for i := range uint32(maxCalls) {
		b = append(b, muxFrame{typ: muxTdispatch, tag: 2 + i, body: append(make([]byte, 6), marshal(t, "bind", bindArgs("/a", "", stamp))...)}.bytes()...)
	}
	_, err := p.c.Write(b)
	require.NoError(t, err)
	p.say(muxTdispatch, 2+maxCalls, "\x00\x00\x00\x00\x00\x00"+string(marshal(t, "bind", bindArgs("/a", "", nil))))
	p.expect(muxRdispatch, 2+maxCalls, "\x02\x00\x01\x00\x0aMuxFailure\x00\x08\x00\x00\x00\x00\x00\x00\x00\x03")
	p.say(muxTreq, 3+maxCalls, "\x00"+string(marshal(t, "bind", bindArgs("/a", "", nil))))
	p.expect(muxRreq, 3+maxCalls, "\x02")
}

// TestDrain: clients are asked to go, and what they wait for is handed back to them.
func TestDrain(t *testing.T) {
	for _, polite := range []bool{true, false} {
		w := newWorld(t, nil)
		s := w.serve(Options{})
		p := s.dial(t)
		stamp := p.bind(2, "/a", "", nil).Success.Stamp
		p.ask(3, namerthrift.MethodBind, bindArgs("/a", "", stamp))
		p.silent()
		mute := s.dial(t)
		framed := s.dial(t)
		framed.call(marshal(t, "bind", bindArgs("/a", "", stamp)))
		require.Eventually(t, func() bool {
			s.namer.trees.mu.Lock()
			defer s.namer.trees.mu.Unlock()
			for _, x := range s.namer.trees.all {
				return x.waiting == 2
			}
			return false
		}, eventually, time.Millisecond)
		done := make(chan error, 1)
		go func() { done <- s.Shutdown(context.Background()) }()
		p.expect(muxTdrain, 1, "")
		if polite {
			p.say(muxRdrain, 1, "")
		}
		p.expect(muxRdispatch, 3, "\x02"+retryElsewhere)
		p.ask(4, namerthrift.MethodBind, bindArgs("/a", "", nil))
		p.expect(muxRdispatch, 4, "\x02"+retryElsewhere)
		p.closed()
		mute.closed()
		framed.closed()
		require.NoError(t, <-done)
		_, err := net.Dial("tcp", s.addr)
		require.Error(t, err)
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		require.ErrorIs(t, s.Serve(ln), ErrClosed)
	}
	s := newWorld(t, nil).serve(Options{})
	p := s.dial(t)
	p.silent()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, s.Shutdown(ctx), context.Canceled)
}

// waiting is a store that has not answered yet.
type waiting struct {
	namerd.Store // what is not used
	stored       weft.Var[naming.State[namerd.Stored]]
}

func (w *waiting) Observe(context.Context, string) weft.Source[naming.State[namerd.Stored]] {
	return &w.stored
}

// TestPending is the beginning of rows 111 and 114: the first question waits, too.
func TestPending(t *testing.T) {
	store := &waiting{}
	n, err := namerd.New(namerd.Options{Store: store, Linger: -1})
	require.NoError(t, err)
	w := &world{t: t, namerd: n}
	t.Cleanup(func() { assert.NoError(t, n.Close()) })
	p := w.serve(Options{}).dial(t)
	p.ask(2, "bind", bindArgs("/a", "", nil))
	p.ask(3, "dtab", &namerthrift.DtabArgs{Req: &namerthrift.DtabReq{Ns: "default"}})
	p.silent()
	store.stored.Store(naming.Ok(namerd.Stored{Exists: true, Dtab: dtab.MustParse("/a=>! | /b"), Version: "1"}))
	answers := map[uint32]string{}
	for range 2 {
		switch f := p.hear(); f.tag {
		case 2:
			r := &namerthrift.BindResult{}
			unmarshal(t, f.body[3:], r)
			answers[2] = treeText(t, r)
		case 3:
			r := &namerthrift.DtabResult{}
			unmarshal(t, f.body[3:], r)
			answers[3] = r.Success.Dtab
		}
	}
	assert.Equal(t, map[uint32]string{2: "!", 3: "/a=>! | /b"}, answers)
}

// TestSlowClient: one that does not read is cut off, and holds up nobody.
func TestSlowClient(t *testing.T) {
	w := newWorld(t, nil)
	s := w.serve(Options{})
	wide := make([]string, 2000)
	for i := range wide {
		wide[i] = fmt.Sprintf("10.0.%d.%d:80", i/250, i%250)
	}
	w.set("wide", wide...)
	slow := s.dial(t)
	for i := range uint32(2000) {
		_, err := slow.c.Write(muxFrame{typ: muxTdispatch, tag: 2 + i, body: append(make([]byte, 6), marshal(t, "addr", addrArgs("/#/io.l5d.static/wide", nil))...)}.bytes())
		require.NoError(t, err)
	}
	p := s.dial(t)
	for range 20 {
		require.NotNil(t, p.addr(2, "/#/io.l5d.static/wide", nil).Success)
	}
	require.NoError(t, s.Close())
}

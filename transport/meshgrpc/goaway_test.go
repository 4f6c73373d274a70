package meshgrpc_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/weft-mesh/weft/transport/meshgrpc"
)

// leaver serves one connection at addr: it takes the first stream, and when another
// one comes it says that it will not look at it and answers the first. Whoever
// comes after that finds nobody here, but at a second endpoint.
type leaver struct {
	w     *world
	addr  string
	taken chan struct{} // the first stream is there
}

func leave(w *world, addr string) *leaver {
	v := &leaver{w: w, addr: addr, taken: make(chan struct{})}
	l := w.net.listen(addr)
	var wg sync.WaitGroup
	wg.Go(func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		v.serve(c)
	})
	w.t.Cleanup(func() {
		_ = w.mesh.Close() // ends the connection
		_ = l.Close()
		wg.Wait()
	})
	return v
}

func (v *leaver) serve(c net.Conn) {
	defer c.Close()
	if _, err := io.ReadFull(c, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	f := http2.NewFramer(c, c)
	_ = f.WriteSettings()
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			return
		}
		switch frame := frame.(type) {
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				_ = f.WriteSettingsAck()
			}
		case *http2.HeadersFrame:
			if frame.StreamID == 1 {
				close(v.taken)
				continue
			}
			v.w.net.gone(v.addr)
			v.w.both()
			_ = f.WriteGoAway(1, http2.ErrCodeNo, nil)
			v.answer(f)
		}
	}
}

// answer completes the unary call on stream 1.
func (v *leaver) answer(f *http2.Framer) {
	block := func(pairs ...string) []byte {
		var b bytes.Buffer
		enc := hpack.NewEncoder(&b)
		for i := 0; i < len(pairs); i += 2 {
			_ = enc.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]})
		}
		return b.Bytes()
	}
	m, _ := proto.Marshal(&testgrpc.SimpleResponse{ServerId: v.addr})
	_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, BlockFragment: block(":status", "200", "content-type", "application/grpc")})
	_ = f.WriteData(1, false, append([]byte{0, 0, 0, 0, byte(len(m))}, m...))
	_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, EndStream: true, BlockFragment: block("grpc-status", "0")})
}

// both makes that a second endpoint may be picked too.
func (w *world) both() {
	w.set("users", "10.0.0.1:1", "10.0.0.2:1")
	for len(w.mesh.Router().Clients()[0].Addrs()) < 2 {
		time.Sleep(time.Millisecond)
	}
}

// TestGoAwayOvertakesAStream: what the server says it did not look at is done
// elsewhere, and what it took it ends.
func TestGoAwayOvertakesAStream(t *testing.T) {
	for kind, do := range kinds() {
		t.Run(kind, func(t *testing.T) {
			w := newWorld(t, never())
			v := leave(w, "10.0.0.1:1")
			w.set("users", "10.0.0.1:1")
			c := w.client("users")
			var wg sync.WaitGroup
			wg.Go(func() {
				got, err := call(t.Context(), c)
				if assert.NoError(t, err, "what was under way") {
					assert.Equal(t, "10.0.0.1:1", got)
				}
			})
			<-v.taken
			b := w.serve("10.0.0.2:1", nil)
			for range 20 {
				require.NoError(t, do(t.Context(), c))
			}
			wg.Wait()
			assert.EqualValues(t, 20, b.calls.Load(), "each is done once")
			w.idle()
		})
	}
}

// overtaken returns a conversation on an endpoint that will not look at it, with the
// backend that may.
func overtaken(ctx context.Context, t *testing.T, o meshgrpc.Options, opts ...grpc.CallOption) (*world, *backend, grpc.BidiStreamingClient[testgrpc.StreamingOutputCallRequest, testgrpc.StreamingOutputCallResponse]) {
	t.Helper()
	w := newWorld(t, o)
	v := leave(w, "10.0.0.1:1")
	w.set("users", "10.0.0.1:1")
	c := w.client("users")
	var wg sync.WaitGroup
	wg.Go(func() {
		_, err := call(t.Context(), c)
		assert.NoError(t, err)
	})
	<-v.taken
	b := w.serve("10.0.0.2:1", nil)
	s, err := c.FullDuplexCall(ctx, opts...)
	require.NoError(t, err)
	wg.Wait() // GOAWAY is there
	return w, b, s
}

func TestConversationMovesWithWhatWasSaid(t *testing.T) {
	w, b, s := overtaken(t.Context(), t, never())
	const n = 50
	for range n { // long after the endpoint has gone, and before anything is received
		require.NoError(t, s.Send(&testgrpc.StreamingOutputCallRequest{}))
	}
	for range n {
		m, err := s.Recv()
		require.NoError(t, err)
		assert.Equal(t, "10.0.0.2:1", string(m.GetPayload().GetBody()))
	}
	require.NoError(t, s.Send(&testgrpc.StreamingOutputCallRequest{}))
	_, err := s.Recv()
	require.NoError(t, err)
	require.NoError(t, s.CloseSend())
	_, err = s.Recv()
	assert.Equal(t, io.EOF, err, "no message came twice")
	assert.EqualValues(t, 1, b.calls.Load())
	w.idle()
}

// A caller that waits for an answer before it has said everything, and one that does
// both at once.
func TestConversationMovesInTheMiddle(t *testing.T) {
	for range 20 {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		w, _, s := overtaken(ctx, t, never())
		const n = 200
		var wg sync.WaitGroup
		wg.Go(func() {
			for range n {
				if !assert.NoError(t, s.Send(&testgrpc.StreamingOutputCallRequest{})) {
					return
				}
			}
			assert.NoError(t, s.CloseSend())
		})
		got := 0
		for {
			_, err := s.Recv()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			got++
		}
		wg.Wait()
		assert.Equal(t, n, got, "each message once")
		w.idle()
	}
}

func TestConversationThatSaidTooMuchStays(t *testing.T) {
	o := never()
	o.MaxReplay = 100
	w, b, s := overtaken(t.Context(), t, o)
	var err error
	for range 100 {
		if err = s.Send(&testgrpc.StreamingOutputCallRequest{}); err != nil {
			break
		}
	}
	require.Error(t, err, "it does not go on")
	_, err = s.Recv()
	assert.Equal(t, codes.Unavailable, status.Code(err))
	assert.Zero(t, b.calls.Load())
	w.idle()
}

// A caller that never comes back after the loss has its context ended one day.
func TestConversationThatNobodyMoves(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	finished := make(chan error, 2)
	w, b, s := overtaken(ctx, t, never(), grpc.OnFinish(func(err error) { finished <- err }))
	require.NoError(t, s.Send(&testgrpc.StreamingOutputCallRequest{}))
	assert.Empty(t, finished, "it may go on")
	cancel()
	require.Error(t, <-finished)
	_, err := s.Recv()
	require.Error(t, err)
	assert.Zero(t, b.calls.Load())
	assert.Empty(t, finished, "once")
	w.idle()
}

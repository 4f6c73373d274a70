package meshgrpc_test

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"google.golang.org/grpc/codes"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/circuit"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshgrpc"
)

// refuse serves HTTP/2 at addr that refuses every stream with the code, and counts
// them.
func refuse(w *world, addr string, code http2.ErrCode, n *atomic.Int64) {
	l := w.net.listen(addr)
	var wg sync.WaitGroup
	serve := func(c net.Conn) {
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
				n.Add(1)
				_ = f.WriteRSTStream(frame.StreamID, code)
			}
		}
	}
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { serve(c) })
		}
	})
	w.t.Cleanup(func() {
		_ = w.mesh.Close() // ends the connections
		_ = l.Close()
		wg.Wait()
	})
}

// never leaves nothing but what is known to be unprocessed, and no breaker that
// would keep calls away from it.
func never() meshgrpc.Options {
	return meshgrpc.Options{
		Classifier: meshgrpc.NeverRetryable{},
		Mesh:       transport.Options{Client: clientOptions(transport.ClientOptions{Accrual: circuit.None{}})},
	}
}

func TestRefusedStreamsAreSentElsewhere(t *testing.T) {
	w := newWorld(t, never())
	var refused atomic.Int64
	refuse(w, "10.0.0.1:1", http2.ErrCodeRefusedStream, &refused)
	w.serve("10.0.0.2:1", nil)
	w.set("users", "10.0.0.1:1", "10.0.0.2:1")
	c := w.client("users")
	for range 20 {
		_, err := call(t.Context(), c)
		require.NoError(t, err)
		s, err := c.StreamingOutputCall(t.Context(), &testgrpc.StreamingOutputCallRequest{})
		require.NoError(t, err)
		ids, err := receive(s)
		require.NoError(t, err)
		assert.Len(t, ids, 3)
	}
	assert.Positive(t, refused.Load())
	assert.Zero(t, w.outstanding())
}

func TestRefusedEverywhere(t *testing.T) {
	w := newWorld(t, never())
	var refused atomic.Int64
	refuse(w, "10.0.0.1:1", http2.ErrCodeRefusedStream, &refused)
	w.set("users", "10.0.0.1:1")
	_, err := call(t.Context(), w.client("users"))
	assert.Equal(t, codes.Unavailable, status.Code(err))
	assert.True(t, weft.IsUnsent(err))
	assert.GreaterOrEqual(t, refused.Load(), int64(1+20), "20 requeues: a fifth of the fresh budget")
	assert.LessOrEqual(t, refused.Load(), int64(2*(1+20)), "and at most as many transparent retries")
}

// grpc-go's transparent retry of a conversation can end in a bare io.EOF, which
// callers take for success.
func TestRefusedConversationsAreNoSuccess(t *testing.T) {
	w := newWorld(t, never())
	var refused atomic.Int64
	refuse(w, "10.0.0.1:1", http2.ErrCodeRefusedStream, &refused)
	w.set("users", "10.0.0.1:1")
	c := w.client("users")
	for range 300 {
		s, err := c.FullDuplexCall(t.Context())
		if err == nil {
			_ = s.Send(&testgrpc.StreamingOutputCallRequest{})
			_, err = s.Recv()
		}
		require.Equal(t, codes.Unavailable, status.Code(err), "%v", err)
	}
	assert.Zero(t, w.outstanding())
}

func TestOtherResetsMayHaveBeenProcessed(t *testing.T) {
	w := newWorld(t, never())
	var reset atomic.Int64
	refuse(w, "10.0.0.1:1", http2.ErrCodeEnhanceYourCalm, &reset)
	w.set("users", "10.0.0.1:1")
	_, err := call(t.Context(), w.client("users"))
	assert.Equal(t, codes.ResourceExhausted, status.Code(err))
	assert.False(t, weft.IsUnsent(err))
	assert.EqualValues(t, 1, reset.Load())
}

func TestAnswerThatLooksLikeARefusal(t *testing.T) {
	for _, text := range []string{
		"stream terminated by RST_STREAM with error code: REFUSED_STREAM",
		"the stream is rejected because server is draining the connection",
		`connection error: desc = "transport: Error while dialing: no"`,
	} {
		w := newWorld(t, never())
		b := w.serve("10.0.0.1:1", &backend{unary: func(context.Context, *testgrpc.SimpleRequest) error {
			return status.Error(codes.Unavailable, text)
		}})
		w.set("users", "10.0.0.1:1")
		_, err := call(t.Context(), w.client("users"))
		assert.Equal(t, text, status.Convert(err).Message())
		assert.EqualValues(t, 1, b.calls.Load(), "it was processed")
	}
}

// Servers restart gracefully under load: nothing is retried, nobody notices.
func TestGracefulRestartUnderLoad(t *testing.T) {
	w := newWorld(t, never())
	slow := func(context.Context, *testgrpc.SimpleRequest) error { time.Sleep(200 * time.Microsecond); return nil }
	a := w.serve("10.0.0.1:1", &backend{unary: slow})
	w.serve("10.0.0.2:1", &backend{unary: slow})
	w.set("users", "10.0.0.1:1", "10.0.0.2:1")
	c := w.client("users")
	var calls atomic.Int64
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := call(t.Context(), c); !assert.NoError(t, err) {
					return
				}
				calls.Add(1)
			}
		})
	}
	for range 3 {
		for before := calls.Load(); calls.Load() < before+200; {
			time.Sleep(time.Millisecond)
		}
		a.server.GracefulStop()
		a = w.serve("10.0.0.1:1", &backend{unary: slow})
	}
	close(stop)
	wg.Wait()
}

package meshgrpc_test

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/balancer"
	"github.com/weft-mesh/weft/circuit"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/retry"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshgrpc"
)

type download = grpc.ServerStreamingServer[testgrpc.StreamingOutputCallResponse]

// outstanding is how many picks of a name are not done.
func (w *world) outstanding() (n int64) {
	for _, c := range w.mesh.Router().Clients() {
		for _, e := range c.Endpoints() {
			n += e.Pending()
		}
	}
	return n
}

// idle waits until every pick is done.
func (w *world) idle() {
	w.t.Helper()
	require.Eventually(w.t, func() bool { return w.outstanding() == 0 }, 5*time.Second, time.Millisecond, "a pick leaked")
}

// receive drains a download and returns the ids that sent it.
func receive(s grpc.ServerStreamingClient[testgrpc.StreamingOutputCallResponse]) (ids []string, err error) {
	for {
		m, err := s.Recv()
		if errors.Is(err, io.EOF) {
			return ids, nil
		}
		if err != nil {
			return ids, err
		}
		ids = append(ids, string(m.GetPayload().GetBody()))
	}
}

func TestStreams(t *testing.T) {
	w := newWorld(t, meshgrpc.Options{})
	b := w.serve("10.0.0.1:1", nil)
	w.set("users", "10.0.0.1:1")
	c := w.client("users")

	t.Run("server", func(t *testing.T) {
		finished := 0
		s, err := c.StreamingOutputCall(t.Context(), &testgrpc.StreamingOutputCallRequest{}, grpc.OnFinish(func(error) { finished++ }))
		require.NoError(t, err)
		assert.EqualValues(t, 1, w.outstanding())
		ids, err := receive(s)
		require.NoError(t, err)
		assert.Equal(t, []string{"10.0.0.1:1", "10.0.0.1:1", "10.0.0.1:1"}, ids)
		assert.Zero(t, w.outstanding(), "done with the trailers")
		assert.Equal(t, 1, finished)
		assert.Equal(t, []string{"/svc/users"}, b.seen()["l5d-dst-service"])
	})
	t.Run("client", func(t *testing.T) {
		s, err := c.StreamingInputCall(t.Context())
		require.NoError(t, err)
		for range 5 {
			require.NoError(t, s.Send(&testgrpc.StreamingInputCallRequest{}))
		}
		r, err := s.CloseAndRecv()
		require.NoError(t, err)
		assert.EqualValues(t, 5, r.GetAggregatedPayloadSize())
		assert.Zero(t, w.outstanding())
	})
	t.Run("bidi", func(t *testing.T) {
		s, err := c.FullDuplexCall(t.Context())
		require.NoError(t, err)
		for range 5 {
			require.NoError(t, s.Send(&testgrpc.StreamingOutputCallRequest{}))
			_, err := s.Recv()
			require.NoError(t, err)
		}
		require.NoError(t, s.CloseSend())
		_, err = s.Recv()
		assert.Equal(t, io.EOF, err)
		assert.Zero(t, w.outstanding())
	})
}

func TestAbandonedStreamsLeakNothing(t *testing.T) {
	w := newWorld(t, meshgrpc.Options{})
	w.serve("10.0.0.1:1", nil)
	w.set("users", "10.0.0.1:1")
	for i := range 10 { // more than the breaker forgives
		ctx, cancel := context.WithCancel(t.Context())
		finished := make(chan error, 2)
		s, err := w.client("users").FullDuplexCall(ctx, grpc.OnFinish(func(err error) { finished <- err }))
		require.NoError(t, err)
		require.NoError(t, s.Send(&testgrpc.StreamingOutputCallRequest{}))
		if i%2 == 0 { // in the middle of the response, or before it
			_, err = s.Recv()
			require.NoError(t, err)
		}
		cancel()
		assert.Equal(t, codes.Canceled, status.Code(<-finished), "the caller need not come back")
		assert.Empty(t, finished)
	}
	w.idle()
	assert.Equal(t, weft.Open, w.mesh.Router().Clients()[0].Status(), "nobody's fault")
}

func TestStreamOutlivesTheRemovalOfItsEndpoint(t *testing.T) {
	w := newWorld(t, meshgrpc.Options{})
	w.serve("10.0.0.1:1", nil)
	w.serve("10.0.0.2:1", nil)
	w.set("users", "10.0.0.1:1")
	c := w.client("users")
	s, err := c.FullDuplexCall(t.Context())
	require.NoError(t, err)
	talk := func() {
		t.Helper()
		require.NoError(t, s.Send(&testgrpc.StreamingOutputCallRequest{}))
		m, err := s.Recv()
		require.NoError(t, err)
		assert.Equal(t, "10.0.0.1:1", string(m.GetPayload().GetBody()))
	}
	talk()
	w.set("users", "10.0.0.2:1")
	require.Eventually(t, func() bool {
		got, err := call(t.Context(), c)
		require.NoError(t, err)
		return got == "10.0.0.2:1"
	}, 5*time.Second, time.Millisecond)
	talk()
	w.name("users").Store(naming.Ok(weft.EndpointSet{Neg: true}))
	talk()
	require.NoError(t, s.CloseSend())
	_, err = s.Recv()
	assert.Equal(t, io.EOF, err)
}

func TestStreamIsCreatedWhereAConnectionIs(t *testing.T) {
	w := newWorld(t, meshgrpc.Options{Classifier: meshgrpc.NeverRetryable{}})
	w.serve("10.0.0.2:1", nil)
	w.set("users", "10.0.0.1:1", "10.0.0.2:1")
	for range 10 {
		s, err := w.client("users").StreamingOutputCall(t.Context(), &testgrpc.StreamingOutputCallRequest{})
		require.NoError(t, err)
		ids, err := receive(s)
		require.NoError(t, err)
		assert.Len(t, ids, 3)
	}
	assert.Zero(t, w.outstanding())
}

func TestStreamOfANameThatLeadsNowhere(t *testing.T) {
	w := newWorld(t, meshgrpc.Options{})
	finished := 0
	ctx := weft.WithDtab(t.Context(), dtab.MustParse("/svc/users=>!"))
	_, err := w.client("users").FullDuplexCall(ctx, grpc.OnFinish(func(error) { finished++ }))
	assert.Equal(t, codes.Unavailable, status.Code(err))
	assert.Contains(t, err.Error(), "Unable to route request!")
	assert.Equal(t, 1, finished)
}

func TestStreamIsMadeAgainBeforeTheFirstMessage(t *testing.T) {
	var fails, calls atomic.Int64
	output := func(s download) error {
		calls.Add(1)
		if fails.Add(-1) >= 0 {
			return status.Error(codes.Unavailable, "not now")
		}
		return s.Send(&testgrpc.StreamingOutputCallResponse{})
	}
	w := newWorld(t, meshgrpc.Options{MaxReplay: 100})
	w.serve("10.0.0.1:1", &backend{output: output})
	w.serve("10.0.0.2:1", &backend{output: output})
	w.set("users", "10.0.0.1:1", "10.0.0.2:1")
	c := w.client("users")

	t.Run("replayed", func(t *testing.T) {
		fails.Store(3)
		calls.Store(0)
		finished := 0
		s, err := c.StreamingOutputCall(t.Context(), &testgrpc.StreamingOutputCallRequest{}, grpc.OnFinish(func(err error) {
			finished++
			assert.NoError(t, err)
		}))
		require.NoError(t, err)
		ids, err := receive(s)
		require.NoError(t, err)
		assert.Len(t, ids, 1)
		assert.EqualValues(t, 4, calls.Load())
		assert.Equal(t, 1, finished)
		assert.Zero(t, w.outstanding())
	})
	t.Run("too much was sent", func(t *testing.T) {
		fails.Store(1)
		calls.Store(0)
		s, err := c.StreamingOutputCall(t.Context(), &testgrpc.StreamingOutputCallRequest{Payload: &testgrpc.Payload{Body: make([]byte, 101)}})
		require.NoError(t, err)
		_, err = receive(s)
		assert.Equal(t, codes.Unavailable, status.Code(err))
		assert.EqualValues(t, 1, calls.Load())
		assert.Zero(t, w.outstanding())
	})
}

func TestStreamThatIsMadeAgainDepositsOnce(t *testing.T) {
	var calls atomic.Int64
	w := newWorld(t, meshgrpc.Options{Mesh: transport.Options{
		Service: serviceOptions(transport.ServiceOptions{Budget: retry.BudgetOptions{MinPerSecond: retry.None, Ratio: 1}}),
		Client:  clientOptions(transport.ClientOptions{Accrual: circuit.None{}}),
	}})
	w.serve("10.0.0.1:1", &backend{output: func(download) error {
		calls.Add(1)
		return status.Error(codes.Unavailable, "not now")
	}})
	w.set("users", "10.0.0.1:1")
	s, err := w.client("users").StreamingOutputCall(t.Context(), &testgrpc.StreamingOutputCallRequest{})
	require.NoError(t, err)
	_, err = receive(s)
	assert.Equal(t, "not now", status.Convert(err).Message())
	assert.EqualValues(t, 2, calls.Load(), "one call pays for one retry")
}

func TestBalancerLearnsTheTimeToTheResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, meshgrpc.Options{Mesh: transport.Options{
			Client: clientOptions(transport.ClientOptions{Balancer: balancer.Options{Policy: balancer.EWMA{}}}),
		}})
		w.serve("10.0.0.1:1", &backend{output: func(s download) error {
			time.Sleep(100 * time.Millisecond)
			_ = s.Send(&testgrpc.StreamingOutputCallResponse{})
			time.Sleep(time.Hour)
			return nil
		}})
		w.set("users", "10.0.0.1:1")
		s, err := w.client("users").StreamingOutputCall(t.Context(), &testgrpc.StreamingOutputCallRequest{})
		require.NoError(t, err)
		_, err = receive(s)
		require.NoError(t, err)
		assert.Equal(t, 100*time.Millisecond, w.mesh.Router().Clients()[0].Endpoints()[0].Cost(), "not how long the stream went on")
	})
}

func TestStreamIsNotMadeAgainAfterTheFirstMessage(t *testing.T) {
	w := newWorld(t, meshgrpc.Options{})
	b := w.serve("10.0.0.1:1", &backend{output: func(s download) error {
		_ = s.Send(&testgrpc.StreamingOutputCallResponse{})
		return status.Error(codes.Unavailable, "half way")
	}})
	w.set("users", "10.0.0.1:1")
	s, err := w.client("users").StreamingOutputCall(t.Context(), &testgrpc.StreamingOutputCallRequest{})
	require.NoError(t, err)
	ids, err := receive(s)
	assert.Len(t, ids, 1)
	assert.Equal(t, "half way", status.Convert(err).Message())
	assert.EqualValues(t, 1, b.calls.Load())
	assert.Zero(t, w.outstanding())
}

func TestKilledUpstreamOfStreams(t *testing.T) {
	w := newWorld(t, meshgrpc.Options{})
	started := make(chan struct{}, 1)
	victim := w.serve("10.0.0.1:1", &backend{output: func(s download) error {
		started <- struct{}{}
		<-s.Context().Done()
		return s.Context().Err()
	}})
	w.set("users", "10.0.0.1:1")
	s, err := w.client("users").StreamingOutputCall(t.Context(), &testgrpc.StreamingOutputCallRequest{})
	require.NoError(t, err)
	<-started
	w.serve("10.0.0.2:1", nil)
	w.both()
	go victim.server.Stop()
	ids, err := receive(s)
	require.NoError(t, err)
	assert.Equal(t, []string{"10.0.0.2:1", "10.0.0.2:1", "10.0.0.2:1"}, ids)
}

func TestStreamTimeoutsEndWithTheBeginningOfTheResponse(t *testing.T) {
	limits := transport.Options{
		Label:   "r",
		Service: serviceOptions(transport.ServiceOptions{TotalTimeout: 2500 * time.Millisecond}),
		Client:  clientOptions(transport.ClientOptions{AttemptTimeout: time.Second}),
	}
	t.Run("begun", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, meshgrpc.Options{Mesh: limits})
			w.serve("10.0.0.1:1", &backend{output: func(s download) error {
				_ = s.SendHeader(metadata.MD{})
				time.Sleep(time.Hour)
				return s.Send(&testgrpc.StreamingOutputCallResponse{})
			}})
			w.set("users", "10.0.0.1:1")
			s, err := w.client("users").StreamingOutputCall(t.Context(), &testgrpc.StreamingOutputCallRequest{})
			require.NoError(t, err)
			time.Sleep(time.Minute) // the caller does not even look
			ids, err := receive(s)
			require.NoError(t, err)
			assert.Len(t, ids, 1)
		})
	})
	t.Run("attempt", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, meshgrpc.Options{Mesh: limits})
			b := w.serve("10.0.0.1:1", &backend{output: func(s download) error {
				<-s.Context().Done()
				return s.Context().Err()
			}})
			w.set("users", "10.0.0.1:1")
			s, err := w.client("users").StreamingOutputCall(t.Context(), &testgrpc.StreamingOutputCallRequest{})
			require.NoError(t, err)
			start := time.Now()
			_, err = receive(s)
			assert.Equal(t, time.Second, time.Since(start))
			assert.Equal(t, codes.DeadlineExceeded, status.Code(err))
			assert.Contains(t, err.Error(), "an individual request")
			assert.NotContains(t, b.seen(), "l5d-ctx-deadline")
			assert.Zero(t, w.outstanding())
		})
	})
	t.Run("total", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, meshgrpc.Options{Mesh: limits, Classifier: meshgrpc.AlwaysRetryable{}})
			w.serve("10.0.0.1:1", &backend{output: func(s download) error {
				<-s.Context().Done()
				return s.Context().Err()
			}})
			w.set("users", "10.0.0.1:1")
			start := time.Now()
			s, err := w.client("users").StreamingOutputCall(t.Context(), &testgrpc.StreamingOutputCallRequest{})
			require.NoError(t, err)
			_, err = receive(s)
			assert.Equal(t, 2500*time.Millisecond, time.Since(start))
			assert.Equal(t, codes.DeadlineExceeded, status.Code(err))
			assert.Contains(t, err.Error(), "the request, including retries")
			assert.Zero(t, w.outstanding())
		})
	})
}

func TestDeadlineOfTheCallerEndsAStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, meshgrpc.Options{})
		w.serve("10.0.0.1:1", nil)
		w.set("users", "10.0.0.1:1")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		s, err := w.client("users").FullDuplexCall(ctx)
		require.NoError(t, err)
		_, err = s.Recv()
		assert.Equal(t, codes.DeadlineExceeded, status.Code(err))
		assert.Zero(t, w.outstanding())
	})
}

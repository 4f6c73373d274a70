package meshgrpc_test

import (
	"context"
	"errors"
	"sync"
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
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/circuit"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/retry"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshgrpc"
)

func call(ctx context.Context, c testgrpc.TestServiceClient, opts ...grpc.CallOption) (string, error) {
	r, err := c.UnaryCall(ctx, &testgrpc.SimpleRequest{}, opts...)
	return r.GetServerId(), err
}

func TestUnaryReachesTheNamedService(t *testing.T) {
	w := newWorld(t, meshgrpc.Options{})
	b := w.serve("10.0.0.1:1", nil)
	w.set("users", "10.0.0.1:1")

	var header, trailer metadata.MD
	var p peer.Peer
	finished := 0
	got, err := call(t.Context(), w.client("users"), grpc.Header(&header), grpc.Trailer(&trailer), grpc.Peer(&p),
		grpc.OnFinish(func(err error) { finished++; assert.NoError(t, err) }))
	require.NoError(t, err)
	assert.Equal(t, "10.0.0.1:1", got)
	assert.Equal(t, []string{"application/grpc"}, header["content-type"])
	assert.NotNil(t, p.Addr)
	assert.Equal(t, 1, finished)

	md := b.seen()
	assert.Equal(t, []string{"/svc/users"}, md["l5d-dst-service"])
	assert.Equal(t, []string{"/#/t/users"}, md["l5d-dst-client"])
	assert.Len(t, md["l5d-reqid"], 1)
	assert.Len(t, md["l5d-ctx-trace"], 1)
	assert.NotContains(t, md, "l5d-ctx-deadline")
	assert.NotContains(t, md, "l5d-ctx-dtab")
	assert.NotContains(t, md, "l5d-dst-residual")
	assert.Equal(t, []string{"users"}, md[":authority"])
}

func TestMetadataOfTheCallerIsKeptAndItsContextHeadersReplaced(t *testing.T) {
	w := newWorld(t, meshgrpc.Options{})
	b := w.serve("10.0.0.1:1", nil)
	w.set("users", "10.0.0.1:1")
	ctx := metadata.AppendToOutgoingContext(t.Context(), "k", "1", "k", "2", "l5d-dst-service", "forged", "l5d-reqid", "forged", "l5d-dst-residual", "forged")
	_, err := call(ctx, w.client("users"))
	require.NoError(t, err)
	md := b.seen()
	assert.Equal(t, []string{"1", "2"}, md["k"])
	assert.Equal(t, []string{"/svc/users"}, md["l5d-dst-service"])
	assert.Len(t, md["l5d-reqid"], 1)
	assert.NotEqual(t, "forged", md["l5d-reqid"][0])
	assert.NotContains(t, md, "l5d-dst-residual")
}

func TestIdentifyByMethod(t *testing.T) {
	w := newWorld(t, meshgrpc.Options{Identifier: meshgrpc.MethodPath{Prefix: dtab.MustPath("/svc")}})
	b := w.serve("10.0.0.1:1", nil)
	w.set("grpc.testing.TestService", "10.0.0.1:1")
	_, err := call(t.Context(), w.client("whatever"))
	require.NoError(t, err)
	assert.Equal(t, []string{"/svc/grpc.testing.TestService/UnaryCall"}, b.seen()["l5d-dst-service"])
	assert.Equal(t, []string{"/UnaryCall"}, b.seen()["l5d-dst-residual"])
}

func TestDtabOfTheCallLeadsElsewhere(t *testing.T) {
	w := newWorld(t, meshgrpc.Options{})
	w.serve("10.0.0.1:1", nil)
	canary := w.serve("10.0.0.2:1", nil)
	w.set("users", "10.0.0.1:1")
	w.set("canary", "10.0.0.2:1")
	c := w.client("users")

	got, err := call(t.Context(), c)
	require.NoError(t, err)
	assert.Equal(t, "10.0.0.1:1", got)

	got, err = call(weft.WithDtab(t.Context(), dtab.MustParse("/svc/users=>/svc/canary")), c)
	require.NoError(t, err)
	assert.Equal(t, "10.0.0.2:1", got)
	assert.Equal(t, []string{"/svc/users=>/svc/canary"}, canary.seen()["l5d-ctx-dtab"])
}

func TestErrorOfTheEndpointIsPassedOn(t *testing.T) {
	w := newWorld(t, meshgrpc.Options{})
	want, err := status.New(codes.NotFound, "no such user").WithDetails(&testgrpc.SimpleRequest{ResponseSize: 7})
	require.NoError(t, err)
	b := w.serve("10.0.0.1:1", &backend{unary: func(context.Context, *testgrpc.SimpleRequest) error { return want.Err() }})
	w.set("users", "10.0.0.1:1")
	_, err = call(t.Context(), w.client("users"))
	got := status.Convert(err)
	assert.Equal(t, codes.NotFound, got.Code())
	assert.Equal(t, "no such user", got.Message())
	require.Len(t, got.Details(), 1)
	assert.Nil(t, errorOf(err), "an answer is no error of the mesh")
	assert.EqualValues(t, 1, b.calls.Load())
}

func errorOf(err error) *weft.Error {
	e, _ := errors.AsType[*weft.Error](err)
	return e
}

func TestRetriesUnavailableElsewhere(t *testing.T) {
	w := newWorld(t, meshgrpc.Options{})
	var failed atomic.Int64
	fail := func(context.Context, *testgrpc.SimpleRequest) error {
		failed.Add(1)
		return status.Error(codes.Unavailable, "not now")
	}
	bad := w.serve("10.0.0.1:1", &backend{unary: fail})
	w.serve("10.0.0.2:1", nil)
	w.set("users", "10.0.0.1:1", "10.0.0.2:1")
	c := w.client("users")
	for range 20 {
		got, err := call(t.Context(), c)
		require.NoError(t, err)
		assert.Equal(t, "10.0.0.2:1", got)
	}
	assert.Positive(t, bad.calls.Load())
	assert.LessOrEqual(t, bad.calls.Load(), int64(7), "the breaker takes it out after 5 failures")
}

func TestRetriesEndWithTheBudget(t *testing.T) {
	w := newWorld(t, meshgrpc.Options{Mesh: transport.Options{
		Service: serviceOptions(transport.ServiceOptions{Budget: retry.BudgetOptions{MinPerSecond: 1, TTL: time.Second, Ratio: retry.None}}),
		Client:  clientOptions(transport.ClientOptions{Accrual: circuit.None{}}),
	}})
	b := w.serve("10.0.0.1:1", &backend{unary: func(context.Context, *testgrpc.SimpleRequest) error {
		return status.Error(codes.Unavailable, "not now")
	}})
	w.set("users", "10.0.0.1:1")
	_, err := call(t.Context(), w.client("users"))
	assert.Equal(t, "not now", status.Convert(err).Message(), "the endpoint's answer is what remains")
	assert.EqualValues(t, 2, b.calls.Load(), "one retry per second is allowed")
}

func TestClassifierOfTheService(t *testing.T) {
	w := newWorld(t, meshgrpc.Options{Service: func(path dtab.Path) meshgrpc.ServiceSettings {
		assert.Equal(t, "/svc/users", path.String())
		return meshgrpc.ServiceSettings{Classifier: meshgrpc.RetryableStatusCodes{Codes: []codes.Code{codes.Aborted}}}
	}})
	var n atomic.Int64
	w.serve("10.0.0.1:1", &backend{unary: func(context.Context, *testgrpc.SimpleRequest) error {
		if n.Add(1) == 1 {
			return status.Error(codes.Aborted, "again, please")
		}
		return nil
	}})
	w.set("users", "10.0.0.1:1")
	_, err := call(t.Context(), w.client("users"))
	require.NoError(t, err)
	assert.EqualValues(t, 2, n.Load())
}

func TestConnectionFailuresAreRequeuedWhateverTheClassifier(t *testing.T) {
	w := newWorld(t, meshgrpc.Options{Classifier: meshgrpc.NeverRetryable{}})
	w.serve("10.0.0.2:1", nil)
	w.set("users", "10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1")
	c := w.client("users")
	for range 30 {
		_, err := call(t.Context(), c)
		require.NoError(t, err)
	}
}

func TestNobodyThere(t *testing.T) {
	w := newWorld(t, meshgrpc.Options{})
	w.set("users", "10.0.0.1:1")
	_, err := call(t.Context(), w.client("users"), grpc.WaitForReady(true))
	s := status.Convert(err)
	assert.Equal(t, codes.Unavailable, s.Code())
	assert.Contains(t, s.Message(), "Unable to establish connection to 10.0.0.1:1.\n\nservice name: /svc/users\nclient name: /#/t/users\n")
	assert.Contains(t, s.Message(), "connection refused")
	require.NotNil(t, errorOf(err))
	assert.True(t, weft.IsUnsent(err))
	assert.Equal(t, weft.StageConnect, errorOf(err).Stage)
}

func TestNegativeNameFailsAtOnce(t *testing.T) {
	w := newWorld(t, meshgrpc.Options{})
	w.serve("10.0.0.1:1", nil)
	w.set("users", "10.0.0.1:1")
	c := w.client("users")
	_, err := call(t.Context(), c)
	require.NoError(t, err)

	ctx := weft.WithDtab(t.Context(), dtab.MustParse("/svc/users=>!"))
	_, err = call(ctx, c)
	assert.Equal(t, codes.Unavailable, status.Code(err))
	assert.Contains(t, status.Convert(err).Message(), "Unable to route request!\n\nservice name: /svc/users\n")
	assert.ErrorIs(t, err, transport.ErrNoHosts)

	// The endpoints go while the name is in use.
	w.name("users").Store(naming.Ok(weft.EndpointSet{Neg: true}))
	require.Eventually(t, func() bool {
		_, err = call(t.Context(), c)
		return err != nil
	}, 5*time.Second, time.Millisecond)
	assert.Equal(t, codes.Unavailable, status.Code(err))
	assert.Contains(t, status.Convert(err).Message(), "Unable to route request!")

	w.set("users", "10.0.0.1:1")
	require.Eventually(t, func() bool {
		_, err = call(t.Context(), c)
		return err == nil
	}, 5*time.Second, time.Millisecond, "and come back")
}

func TestBadNames(t *testing.T) {
	w := newWorld(t, meshgrpc.Options{})
	finished := 0
	_, err := call(t.Context(), w.client(""), grpc.OnFinish(func(error) { finished++ }))
	assert.Equal(t, codes.InvalidArgument, status.Code(err))
	assert.ErrorIs(t, err, meshgrpc.ErrUnidentified)
	assert.Equal(t, 1, finished)
}

func TestTimeouts(t *testing.T) {
	hang := func(ctx context.Context, _ *testgrpc.SimpleRequest) error {
		<-ctx.Done()
		return status.FromContextError(ctx.Err()).Err()
	}
	for _, tt := range []struct {
		name       string
		service    transport.ServiceOptions
		classifier meshgrpc.Classifier
		client     transport.ClientOptions
		caller     time.Duration
		took       time.Duration
		calls      int64
		text       string
	}{
		{
			name: "attempt", client: transport.ClientOptions{AttemptTimeout: time.Second}, took: time.Second, calls: 1,
			text: "exceeded 1.seconds to /#/t/users while waiting for a response for an individual request, excluding retries. Remote Info: 10.0.0.1:1",
		},
		{
			name:       "attempt, retried until the total",
			service:    transport.ServiceOptions{TotalTimeout: 2500 * time.Millisecond},
			classifier: meshgrpc.AlwaysRetryable{},
			client:     transport.ClientOptions{AttemptTimeout: time.Second}, took: 2500 * time.Millisecond, calls: 3,
			text: "exceeded 2.seconds+500.milliseconds to r while waiting for a response for the request, including retries (if applicable). Remote Info: Not Available",
		},
		{name: "caller", caller: 700 * time.Millisecond, client: transport.ClientOptions{AttemptTimeout: time.Second}, took: 700 * time.Millisecond, calls: 1, text: "deadline"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, meshgrpc.Options{Classifier: tt.classifier, Mesh: transport.Options{
					Label: "r", Service: serviceOptions(tt.service), Client: clientOptions(tt.client),
				}})
				b := w.serve("10.0.0.1:1", &backend{unary: hang})
				w.set("users", "10.0.0.1:1")
				ctx := t.Context()
				if tt.caller > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.caller)
					defer cancel()
				}
				start := time.Now()
				_, err := call(ctx, w.client("users"))
				assert.Equal(t, codes.DeadlineExceeded, status.Code(err))
				assert.Contains(t, status.Convert(err).Message(), tt.text)
				assert.Equal(t, tt.took, time.Since(start))
				assert.Equal(t, tt.calls, b.calls.Load())
				assert.Len(t, b.seen()["l5d-ctx-deadline"], 1)
			})
		})
	}
}

func TestNothingIsSentAfterTheDeadline(t *testing.T) {
	w := newWorld(t, meshgrpc.Options{})
	b := w.serve("10.0.0.1:1", nil)
	w.set("users", "10.0.0.1:1")
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	_, err := call(ctx, w.client("users"))
	assert.Equal(t, codes.DeadlineExceeded, status.Code(err))
	_, err = w.client("users").FullDuplexCall(ctx)
	assert.Equal(t, codes.DeadlineExceeded, status.Code(err))
	assert.Zero(t, b.calls.Load())
}

func TestCancelledCallerIsNobodysFault(t *testing.T) {
	w := newWorld(t, meshgrpc.Options{Classifier: meshgrpc.AlwaysRetryable{}})
	started := make(chan struct{})
	b := w.serve("10.0.0.1:1", &backend{unary: func(ctx context.Context, _ *testgrpc.SimpleRequest) error {
		started <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}})
	w.set("users", "10.0.0.1:1")
	mine := errors.New("lost interest")
	for range 10 { // more than the breaker forgives
		ctx, cancel := context.WithCancelCause(t.Context())
		go func() {
			<-started
			cancel(mine)
		}()
		_, err := call(ctx, w.client("users"))
		assert.Equal(t, codes.Canceled, status.Code(err))
		assert.ErrorIs(t, err, mine)
	}
	assert.EqualValues(t, 10, b.calls.Load())
	assert.Equal(t, weft.Open, w.mesh.Router().Clients()[0].Status())
}

func TestCallThatCannotBeSentIsNobodysFault(t *testing.T) {
	w := newWorld(t, meshgrpc.Options{Classifier: meshgrpc.AlwaysRetryable{}})
	b := w.serve("10.0.0.1:1", nil)
	w.set("users", "10.0.0.1:1")
	ctx := metadata.NewOutgoingContext(t.Context(), metadata.MD{"not a key": {"x"}})
	for range 10 { // more than the breaker forgives
		_, err := call(ctx, w.client("users"))
		assert.Equal(t, codes.Internal, status.Code(err))
	}
	assert.Zero(t, b.calls.Load())
	assert.Equal(t, weft.Open, w.mesh.Router().Clients()[0].Status())
}

func TestPushback(t *testing.T) {
	for _, tt := range []struct {
		name  string
		ms    []string
		calls int64
		took  time.Duration
	}{
		{"delay", []string{"300"}, 2, 300 * time.Millisecond},
		{"zero", []string{"0"}, 2, 0},
		{"stop", []string{"-1"}, 1, 0},
		{"nonsense", []string{"soon"}, 1, 0},
		{"twice", []string{"1", "2"}, 1, 0},
		{"too long", []string{"3600000"}, 1, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, meshgrpc.Options{})
				var n atomic.Int64
				b := w.serve("10.0.0.1:1", &backend{unary: func(ctx context.Context, _ *testgrpc.SimpleRequest) error {
					if n.Add(1) > 1 {
						return nil
					}
					for _, ms := range tt.ms {
						_ = grpc.SetTrailer(ctx, metadata.Pairs("grpc-retry-pushback-ms", ms))
					}
					return status.Error(codes.Unavailable, "busy")
				}})
				w.set("users", "10.0.0.1:1")
				start := time.Now()
				_, err := call(t.Context(), w.client("users"))
				assert.Equal(t, tt.calls, b.calls.Load())
				assert.Equal(t, tt.calls == 1, err != nil)
				assert.Equal(t, tt.took, time.Since(start))
			})
		})
	}
}

// A backend dies again and again under load; nobody notices.
func TestKilledUpstreamUnderLoad(t *testing.T) {
	w := newWorld(t, meshgrpc.Options{Mesh: transport.Options{
		Service: serviceOptions(transport.ServiceOptions{Budget: retry.BudgetOptions{MinPerSecond: 1000}}),
	}})
	slow := func(context.Context, *testgrpc.SimpleRequest) error { time.Sleep(200 * time.Microsecond); return nil }
	addrs := []string{"10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"}
	for _, a := range addrs {
		w.serve(a, &backend{unary: slow})
	}
	victim := w.serve("10.0.0.4:1", &backend{unary: slow})
	w.set("users", append(addrs, "10.0.0.4:1")...)

	c := w.client("users")
	var calls atomic.Int64
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 16 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				_, err := call(t.Context(), c)
				if !assert.NoError(t, err) {
					return
				}
				calls.Add(1)
			}
		})
	}
	for i := range 4 {
		for before := calls.Load(); calls.Load() < before+300; {
			time.Sleep(time.Millisecond)
		}
		victim.server.Stop()
		if i < 3 {
			victim = w.serve("10.0.0.4:1", &backend{unary: slow})
		}
	}
	for before := calls.Load(); calls.Load() < before+300; {
		time.Sleep(time.Millisecond)
	}
	close(stop)
	wg.Wait()
	t.Logf("%d calls", calls.Load())
}

func TestClosedMesh(t *testing.T) {
	w := newWorld(t, meshgrpc.Options{})
	started := make(chan struct{})
	w.serve("10.0.0.1:1", &backend{unary: func(ctx context.Context, _ *testgrpc.SimpleRequest) error {
		close(started)
		<-ctx.Done()
		return ctx.Err()
	}})
	w.set("users", "10.0.0.1:1")
	c := w.client("users")
	failed := make(chan error)
	go func() {
		_, err := call(t.Context(), c)
		failed <- err
	}()
	<-started
	require.NoError(t, w.mesh.Close())
	assert.Equal(t, codes.Canceled, status.Code(<-failed), "what was under way")
	_, err := call(t.Context(), c)
	assert.Equal(t, codes.Canceled, status.Code(err))
	assert.ErrorIs(t, err, transport.ErrClosed)
}

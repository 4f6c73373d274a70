package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
)

// Pattern is what the calls of a gRPC load look like. The payload of a message is 12
// bytes, except that of Download's.
type Pattern string

// The patterns.
const (
	Unary    Pattern = "unary"
	PingPong Pattern = "pingpong" // one stream per caller; a message is answered by a message
	Download Pattern = "download" // calls that are answered by a stream of 500 messages of 1 KiB
)

const (
	downloads    = 500
	downloadSize = 1 << 10
)

// GRPC is a closed loop of gRPC calls, with grpc-go.
type GRPC struct {
	Addr           string
	Conns, Callers int // Callers on each connection
	Pattern        Pattern
	Time           time.Duration
}

// Run makes the load. Result counts calls of Unary, and messages of the others.
func (g GRPC) Run(ctx context.Context) (Result, error) {
	conns := make([]*grpc.ClientConn, g.Conns)
	for i := range conns {
		c, err := grpc.NewClient("passthrough:///"+g.Addr, grpc.WithAuthority(Authority),
			grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return Result{}, fmt.Errorf("load: grpc: %w", err)
		}
		defer func() { _ = c.Close() }()
		conns[i] = c
	}
	return g.run(ctx, conns)
}

func (g GRPC) run(ctx context.Context, conns []*grpc.ClientConn) (Result, error) {
	hard, cancel := context.WithTimeout(ctx, g.Time+5*time.Second)
	defer cancel()
	start := time.Now()
	callers := make([]caller, g.Conns*g.Callers)
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			callers[i].run(hard, start.Add(g.Time), testgrpc.NewTestServiceClient(conns[i%len(conns)]), g.Pattern)
		})
	}
	wg.Wait()
	r := Result{Elapsed: time.Since(start)}
	var all []time.Duration
	var first error
	for i := range callers {
		c := &callers[i]
		r.Requests += c.done
		if c.err != nil {
			r.Errors++
			first = errors.Join(first, c.err)
		}
		all = append(all, c.latencies...)
	}
	if r.Requests == 0 {
		return Result{}, fmt.Errorf("load: grpc: no call was answered: %w", first)
	}
	if len(all) > 0 {
		slices.Sort(all)
		r.Latency = Quantiles{all[len(all)/2], all[len(all)*99/100], all[len(all)*999/1000]}
	}
	return r, nil
}

// caller makes one call after the other, until the first that fails.
type caller struct {
	done      int64
	latencies []time.Duration
	err       error
}

func (c *caller) run(ctx context.Context, until time.Time, client testgrpc.TestServiceClient, p Pattern) {
	switch p {
	case Unary:
		c.unary(ctx, until, client)
	case PingPong:
		c.pingPong(ctx, until, client)
	case Download:
		c.download(ctx, until, client)
	default:
		c.err = fmt.Errorf("load: no pattern %q", p)
	}
}

func payload() *testgrpc.Payload { return &testgrpc.Payload{Body: []byte("Hello world\n")} }

func (c *caller) unary(ctx context.Context, until time.Time, client testgrpc.TestServiceClient) {
	in := &testgrpc.SimpleRequest{Payload: payload()}
	for now := time.Now(); now.Before(until); {
		if _, c.err = client.UnaryCall(ctx, in, grpc.WaitForReady(true)); c.err != nil {
			return
		}
		end := time.Now()
		c.latencies = append(c.latencies, end.Sub(now))
		c.done++
		now = end
	}
}

func (c *caller) pingPong(ctx context.Context, until time.Time, client testgrpc.TestServiceClient) {
	stream, err := client.FullDuplexCall(ctx, grpc.WaitForReady(true))
	if c.err = err; err != nil {
		return
	}
	in := &testgrpc.StreamingOutputCallRequest{Payload: payload()}
	for now := time.Now(); now.Before(until); {
		if c.err = stream.Send(in); c.err != nil {
			return
		}
		if _, c.err = stream.Recv(); c.err != nil {
			return
		}
		end := time.Now()
		c.latencies = append(c.latencies, end.Sub(now))
		c.done++
		now = end
	}
	c.err = stream.CloseSend()
}

func (c *caller) download(ctx context.Context, until time.Time, client testgrpc.TestServiceClient) {
	in := &testgrpc.StreamingOutputCallRequest{}
	for range downloads {
		in.ResponseParameters = append(in.ResponseParameters, &testgrpc.ResponseParameters{Size: downloadSize})
	}
	for time.Now().Before(until) {
		stream, err := client.StreamingOutputCall(ctx, in, grpc.WaitForReady(true))
		if c.err = err; err != nil {
			return
		}
		for range downloads {
			if _, c.err = stream.Recv(); c.err != nil {
				return
			}
			c.done++
		}
		if _, err := stream.Recv(); err == nil {
			c.err = errors.New("load: a stream has more messages than asked for")
			return
		}
	}
}

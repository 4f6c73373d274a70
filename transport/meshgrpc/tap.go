package meshgrpc

import (
	"context"
	"net/http"
	"time"

	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/tap"
	"github.com/weft-mesh/weft/telemetry"
)

// offer shows a call that has ended to those who watch. err is what its caller gets.
func (x *call) offer(t *tap.Hub, ctx context.Context, start time.Time, res weft.Result, err error) { //nolint:revive // the hub is what it is about
	e := x.event(ctx, start, res, err)
	if e.Endpoint = x.avoid; x.client != nil {
		e.Client = x.client.ID().String()
	}
	e.Attempts = x.attempts
	t.Offer(&e, fieldsOf(ctx))
}

// offer shows a stream that has ended to those who watch.
func (s *stream) offer(t *tap.Hub, res weft.Result, err error) {
	a := s.cur.Load()
	if a == nil { // it never got to be one
		s.call.offer(t, s.ctx, s.start, res, err)
		return
	}
	e := s.event(s.ctx, s.start, res, err)
	e.Endpoint, e.Client, e.Attempts = a.pick.Endpoint.Addr(), a.pick.Client.ID().String(), a.n+1
	t.Offer(&e, fieldsOf(s.ctx))
}

func (x *call) event(ctx context.Context, start time.Time, res weft.Result, err error) tap.Event {
	e := tap.Event{
		Time: start, Router: x.mesh.router.Options().Label, Protocol: "gRPC", Method: http.MethodPost, Host: x.conn.name, Path: x.method,
		GRPCStatus: tap.GRPCStatusName(int(status.Code(err))), Class: res.Class.String(), LatencyMs: time.Since(start).Seconds() * 1000,
		RequestBytes: -1, ResponseBytes: -1,
	}
	if x.dest != nil {
		e.Service = x.dest.Path().String()
	}
	if err != nil {
		e.Error = err.Error()
	}
	if res.Err == nil {
		e.Status = http.StatusOK
	}
	if trace, ok := telemetry.TraceFrom(ctx); ok {
		e.Trace = trace.TraceID()
	}
	return e
}

// fieldsOf returns the metadata that the caller sends.
func fieldsOf(ctx context.Context) tap.Fields {
	return func(yield func(string, string) bool) {
		md, _ := metadata.FromOutgoingContext(ctx)
		for name, values := range md {
			for _, v := range values {
				if !yield(name, v) {
					return
				}
			}
		}
	}
}

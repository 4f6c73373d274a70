package meshgrpc

import (
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"

	"google.golang.org/grpc/codes"

	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
)

// clientStats are the metrics of a client's connections and of what its endpoints answer;
// the endpoints share them. A nil clientStats records nothing.
type clientStats struct {
	*transport.ConnStats
	scope    *telemetry.Scope
	statuses [len(codeNames)]telemetry.LateCounter
	other    telemetry.LateCounter // codes that gRPC does not have
	none     telemetry.LateCounter
}

// codeNames are the statuses of gRPC as its specification writes them.
var codeNames = [...]string{ //nolint:gochecknoglobals // a table
	"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
	"RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
	"UNAUTHENTICATED",
}

func newClientStats(s *telemetry.Scope) *clientStats {
	if s == nil {
		return nil
	}
	return &clientStats{ConnStats: transport.NewConnStats(s), scope: s}
}

// answered counts an attempt by what the endpoint answered.
func (s *clientStats) answered(c codes.Code) {
	switch {
	case s == nil:
	case int(c) < len(codeNames):
		s.statuses[c].In(s.scope, "status", codeNames[c]).Inc()
	default:
		s.other.In(s.scope, "status", "other").Inc()
	}
}

// unanswered counts an attempt whose endpoint answered nothing.
func (s *clientStats) unanswered() {
	if s != nil {
		s.none.In(s.scope, "status", "error").Inc()
	}
}

// breakage is what broke a connection in one direction, nil until something does.
type breakage struct{ first atomic.Pointer[error] }

// note takes note of an error of the connection, unless it is how connections end.
func (b *breakage) note(err error) {
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) && !errors.Is(err, os.ErrClosed) && !errors.Is(err, io.ErrClosedPipe) {
		b.first.CompareAndSwap(nil, &err)
	}
}

func (b *breakage) err() error {
	if err := b.first.Load(); err != nil {
		return *err
	}
	return nil
}

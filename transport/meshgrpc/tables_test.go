package meshgrpc_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/balancer"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshgrpc"
)

func TestClassifiers(t *testing.T) {
	s, f, r := weft.Success, weft.Failure, weft.Retryable
	for _, tt := range []struct {
		id   string
		c    meshgrpc.Classifier
		want map[codes.Code]weft.Class
	}{
		{"V128", meshgrpc.Default{}, map[codes.Code]weft.Class{14: r, 0: s, 13: f, 4: f, 8: f}},
		{"V129", meshgrpc.Compliant{}, map[codes.Code]weft.Class{14: r, 0: s, 8: f, 16: f, 7: f, 2: f}},
		{"V130", meshgrpc.NeverRetryable{Success: []codes.Code{0, 1, 2, 3}}, map[codes.Code]weft.Class{0: s, 1: s, 2: s, 3: s, 4: f, 14: f}},
		{"always", meshgrpc.AlwaysRetryable{}, map[codes.Code]weft.Class{0: s, 1: r, 2: r, 14: r, 16: r}},
		{"always, success first", meshgrpc.AlwaysRetryable{Success: []codes.Code{5}}, map[codes.Code]weft.Class{0: r, 5: s}},
		{"never", meshgrpc.NeverRetryable{}, map[codes.Code]weft.Class{0: s, 14: f}},
		{"listed", meshgrpc.RetryableStatusCodes{Codes: []codes.Code{1, 2}}, map[codes.Code]weft.Class{0: s, 1: r, 2: r, 14: f}},
		{"default, success", meshgrpc.Default{Success: []codes.Code{0, 14}}, map[codes.Code]weft.Class{14: s}},
	} {
		for c, want := range tt.want {
			assert.Equal(t, want, tt.c.Classify("/s/m", status.Error(c, "")), "%s: %s", tt.id, c)
		}
	}
}

func TestIdentifiers(t *testing.T) {
	pfx := dtab.MustPath("/svc")
	for _, tt := range []struct {
		id             meshgrpc.Identifier
		target, method string
		want, err      string
	}{
		{meshgrpc.HostIdentifier{Prefix: pfx}, "users", "/a.B/C", "/svc/users", ""},
		{meshgrpc.HostIdentifier{Prefix: pfx}, "users.example:8080", "/a.B/C", "/svc/users.example:8080", ""},
		{meshgrpc.HostIdentifier{Prefix: pfx}, "prod/users", "/a.B/C", "/svc/prod/users", ""},
		{meshgrpc.HostIdentifier{Prefix: pfx}, "", "/a.B/C", "", "Missing destination path"},
		{meshgrpc.HostIdentifier{Prefix: pfx}, "a//b", "/a.B/C", "", "meshgrpc: the call has no name"},
		{meshgrpc.MethodPath{Prefix: pfx}, "users", "/a.B/C", "/svc/a.B/C", ""},
		{meshgrpc.MethodPath{Prefix: pfx, Segments: 1}, "users", "/a.B/C", "/svc/a.B", ""},
		{meshgrpc.MethodPath{Prefix: pfx, Segments: 3}, "users", "/a.B/C", "", "Path must have at least 3 segment(s)"},
	} {
		p, err := tt.id.Identify(t.Context(), tt.target, tt.method)
		if tt.err != "" {
			require.ErrorIs(t, err, meshgrpc.ErrUnidentified)
			assert.Contains(t, err.Error(), tt.err)
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, tt.want, p.String())
	}
}

func TestStatusOfErrors(t *testing.T) {
	_, syntax := dtab.Parse("no")
	path := dtab.MustPath("/svc/a")
	at := func(s weft.Stage, err error) error { return &weft.Error{Stage: s, Dst: path, Err: err} }
	for _, tt := range []struct {
		name string
		err  error
		code codes.Code
		text string
	}{
		{"unidentified", at(weft.StageIdentify, meshgrpc.ErrUnidentified), codes.InvalidArgument, "identify /svc/a: meshgrpc: the call has no name"},
		{"dtab", syntax, codes.InvalidArgument, syntax.Error()},
		{"no hosts", at(weft.StageBind, &transport.NoHostsError{Path: path}), codes.Unavailable, (&transport.NoHostsError{Path: path}).Error()},
		{"namer failed", at(weft.StageBind, errors.New("boom")), codes.Unavailable, "bind /svc/a: boom"},
		{"stored dtab does not parse", at(weft.StageBind, fmt.Errorf("stored: %w", syntax)), codes.Unavailable, "bind /svc/a: stored: " + syntax.Error()},
		{"binding timeout", at(weft.StageBind, &transport.BindingTimeoutError{Timeout: 10 * time.Second, Path: path}), codes.Unavailable, "Exceeded 10.seconds binding timeout while resolving name: /svc/a"},
		{"caller's deadline", at(weft.StageBind, context.DeadlineExceeded), codes.DeadlineExceeded, "bind /svc/a: context deadline exceeded"},
		{"caller gone", at(weft.StageBind, context.Canceled), codes.Canceled, "bind /svc/a: context canceled"},
		{"unhealthy", at(weft.StagePick, balancer.ErrUnhealthy), codes.Unavailable, "pick /svc/a: balancer: no healthy endpoint"},
		{"connect", at(weft.StageConnect, context.DeadlineExceeded), codes.Unavailable, "connect /svc/a: context deadline exceeded"},
		{"timeout", at(weft.StageReceive, &transport.TimeoutError{Limit: time.Second, To: "r"}), codes.DeadlineExceeded, "exceeded 1.seconds to r while waiting for a response for the request, including retries (if applicable). Remote Info: Not Available"},
		{"too late", at(weft.StageDeadline, transport.ErrTooLate), codes.DeadlineExceeded, "deadline /svc/a: " + transport.ErrTooLate.Error()},
		{"closed", at(weft.StageBind, transport.ErrClosed), codes.Canceled, "bind /svc/a: transport: the router is closed"},
		{"a status below", at(weft.StageReceive, status.Error(codes.ResourceExhausted, "calm")), codes.ResourceExhausted, "receive /svc/a: rpc error: code = ResourceExhausted desc = calm"},
		{"lost", at(weft.StageReceive, errors.New("EOF")), codes.Unavailable, "receive /svc/a: EOF"},
		{"not of the mesh", errors.New("boom"), codes.Unknown, "boom"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := meshgrpc.Status(tt.err)
			assert.Equal(t, tt.code, got.Code())
			assert.Equal(t, tt.text, got.Message())
		})
	}
	assert.Nil(t, meshgrpc.Status(nil))
}

package standard

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/weft-mesh/weft/proxy/accesslog"
)

// callLog writes a line for every call of a gRPC server when it has ended. In HTTP/2
// each is answered with 200, whatever became of it.
type callLog struct{ log *accesslog.Log }

func (l callLog) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	defer l.record(ctx, info.FullMethod)
	return next(ctx, req)
}

func (l callLog) stream(srv any, s grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	defer l.record(s.Context(), info.FullMethod)
	return next(srv, s)
}

func (l callLog) record(ctx context.Context, method string) {
	e := accesslog.Entry{Method: "POST", URI: method, Protocol: "HTTP/2", Status: 200}
	if p, ok := peer.FromContext(ctx); ok {
		e.Remote = p.Addr.String()
	}
	md, _ := metadata.FromIncomingContext(ctx)
	for key, field := range map[string]*string{":authority": &e.Host, "user-agent": &e.UserAgent, "referer": &e.Referer} {
		if v := md.Get(key); len(v) > 0 {
			*field = v[0]
		}
	}
	l.log.Record(e)
}

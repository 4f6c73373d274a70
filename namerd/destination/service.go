package destination

import (
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd/destination/destpb"
	"github.com/weft-mesh/weft/namerd/rpc"
	"github.com/weft-mesh/weft/naming"
)

// service is the service Destination.
type service struct {
	destpb.UnimplementedDestinationServer
	s *Server
}

// Get implements destpb.DestinationServer. The first message has all endpoints,
// those after it differences. Statuses and their texts are the original's.
func (x *service) Get(req *destpb.GetDestination, out grpc.ServerStreamingServer[destpb.Update]) error {
	name, err := x.name(req)
	if err != nil {
		return err
	}
	ctx, cancel := x.s.Within(out.Context())
	defer cancel()
	f := newFollower(ctx, x.s.namerd.Bind(ctx, x.s.opts.Namespace, nil, name))
	defer f.close()
	var d differ
	logged := ""
	for {
		endpoints, signals := f.read()
		switch err := endpoints.Err; {
		case err == nil:
			logged = ""
		case err.Error() != logged:
			logged = err.Error()
			x.s.opts.Logger.Warn("the endpoints of a name are not known", "name", name, "err", err)
		}
		for _, u := range d.updates(endpoints) {
			if err := out.Send(u); err != nil {
				return err
			}
		}
		if naming.Any(ctx, signals) != nil {
			if x.s.Ending() {
				return rpc.ErrEnding
			}
			return status.FromContextError(ctx.Err()).Err()
		}
	}
}

// name returns the name that a request is about.
func (x *service) name(req *destpb.GetDestination) (dtab.Path, error) {
	switch scheme := req.GetScheme(); scheme {
	case "k8s":
	case "":
		return dtab.Path{}, status.Error(codes.Unimplemented, "Unknown scheme: unknown")
	default:
		return dtab.Path{}, status.Error(codes.Unimplemented, "Unknown scheme: "+scheme)
	}
	label, _, _ := strings.Cut(req.GetPath(), ".")
	if label == "" {
		return dtab.Path{}, status.Error(codes.Unimplemented, "Empty request path")
	}
	name, err := x.s.opts.Prefix.Append(label)
	if err != nil {
		return name, status.Error(codes.InvalidArgument, err.Error())
	}
	return name, nil
}

package meshgrpc

import (
	"context"
	"slices"
	"time"

	"google.golang.org/grpc"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/transport"
)

// Conn is a grpc.ClientConnInterface for one name: what generated constructors
// take. It is safe for concurrent use.
//
// An error that the endpoint answered with is returned as it is. An error of the
// mesh has a gRPC status (see Status) and below it a *weft.Error for errors.As.
type Conn struct {
	mesh *Mesh
	name string

	fixed bool // path and err are the identifier's answer for every call
	path  dtab.Path
	err   error

	authority grpc.CallOption // for plaintext connections, nil if the name is empty
}

var _ grpc.ClientConnInterface = (*Conn)(nil)

// Invoke implements grpc.ClientConnInterface for unary calls. grpc.Header,
// grpc.Trailer and grpc.Peer tell of the last attempt; grpc.OnFinish is called
// once.
func (c *Conn) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	x, err := c.begin(ctx, method, opts)
	if err == nil {
		err = x.invoke(ctx, args, reply)
	}
	onFinish(opts, err)
	return err
}

// NewStream implements grpc.ClientConnInterface for streams. It returns when a
// connection to an endpoint has taken the stream. As with grpc.ClientConn, the
// caller must receive until there is an error, or end ctx.
func (c *Conn) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	x, err := c.begin(ctx, method, opts)
	if err != nil {
		onFinish(opts, err)
		return nil, err
	}
	s, err := x.stream(ctx, desc, opts)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// begin names a call and takes what is kept for the name.
func (c *Conn) begin(ctx context.Context, method string, opts []grpc.CallOption) (*call, error) {
	path, err := c.path, c.err
	if !c.fixed {
		path, err = c.mesh.opts.Identifier.Identify(ctx, c.name, method)
	}
	if err != nil {
		err = toCaller(&weft.Error{Stage: weft.StageIdentify, Unsent: true, Err: err})
		if t := c.mesh.opts.Tap; t.Watched() {
			x := call{mesh: c.mesh, conn: c, method: method}
			x.offer(t, ctx, time.Now(), weft.Result{Class: weft.Failure, Err: err}, err)
		}
		return nil, err
	}
	if c.mesh.closed.Load() {
		return nil, toCaller(&weft.Error{Stage: weft.StageBind, Dst: path, Unsent: true, Err: transport.ErrClosed})
	}
	x := &call{mesh: c.mesh, conn: c, method: method}
	x.dest = c.mesh.router.Dest(path, weft.LocalDtab(ctx))
	x.classifier, _ = x.dest.Options().Adapter.(Classifier) // set by New
	x.opts = withoutOnFinish(opts)
	x.beginTrace(ctx)
	return x, nil
}

// onFinish tells those among opts that want to know of the end of the call.
func onFinish(opts []grpc.CallOption, err error) {
	for _, o := range opts {
		if f, ok := o.(grpc.OnFinishCallOption); ok {
			f.OnFinish(err)
		}
	}
}

// withoutOnFinish returns opts without those that onFinish is for: the call ends
// once, its attempts do more often.
func withoutOnFinish(opts []grpc.CallOption) []grpc.CallOption {
	is := func(o grpc.CallOption) bool {
		_, ok := o.(grpc.OnFinishCallOption)
		return ok
	}
	if !slices.ContainsFunc(opts, is) {
		return opts
	}
	return slices.DeleteFunc(slices.Clone(opts), is)
}

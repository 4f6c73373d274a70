package mesh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/interpreter/mesh/meshpb"
	"github.com/weft-mesh/weft/naming/interpreter/remote"
)

// maxMessage is how large a message of namerd may be, which is the size of a set of
// some 500 000 endpoints.
const maxMessage = 64 << 20

// session is a gRPC connection to one endpoint. It ends with its connection: what
// comes after it is the link's decision, not gRPC's.
type session struct {
	remote.Life
	cc   *grpc.ClientConn
	peer string
	root *meshpb.Path
	seen *revisions
	wg   sync.WaitGroup
}

// opener returns how sessions are opened, which share what they have seen.
func opener(namespace string, windowKB int, seen *revisions) remote.Open {
	window := int32(min(windowKB, 2<<20)) << 10 //nolint:gosec // at most 2^31 - 1024
	return func(ctx context.Context, p remote.Peer) (remote.Session, error) {
		root, err := dtab.PathOf(namespace)
		if err != nil {
			return nil, err
		}
		conn, err := p.Dial(ctx, "h2")
		if err != nil {
			return nil, err
		}
		s := &session{Life: remote.NewLife(), peer: p.Endpoint.Addr, root: meshpb.NewPath(root), seen: seen}
		s.cc, err = grpc.NewClient("passthrough:///"+p.Authority(),
			grpc.WithAuthority(p.Authority()),
			grpc.WithTransportCredentials(insecure.NewCredentials()), // Dial has seen to TLS
			grpc.WithContextDialer(s.once(conn)),
			grpc.WithInitialWindowSize(window),
			grpc.WithInitialConnWindowSize(window),
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.WaitForReady(true)),
			grpc.WithDisableServiceConfig(),
			grpc.WithIdleTimeout(0),
		)
		if err != nil {
			_ = conn.Close()
			return nil, err
		}
		s.wg.Go(s.watch)
		// An answer to any call shows that somebody is there.
		within, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(s.Context(), cancel)()
		if err := s.Ping(within); err != nil {
			if s.Context().Err() != nil {
				err = context.Cause(s.Context())
			}
			_ = conn.Close()
			_ = s.Close()
			return nil, fmt.Errorf("gRPC: %w", err)
		}
		return s, nil
	}
}

// errLost is why a session ends whose connection gRPC has given up.
var errLost = errors.New("the connection was lost")

// once returns a dialer that gives conn to gRPC and ends the session when gRPC wants
// another one.
func (s *session) once(conn net.Conn) func(context.Context, string) (net.Conn, error) {
	var used sync.Once
	return func(context.Context, string) (net.Conn, error) {
		var c net.Conn
		used.Do(func() { c = conn })
		if c == nil {
			s.End(errLost)
			return nil, errLost
		}
		return &observed{Conn: c, end: s.End}, nil
	}
}

// observed is a connection that ends the session with it.
type observed struct {
	net.Conn
	end func(error)
}

// Read implements net.Conn.
func (c *observed) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err != nil {
		if errors.Is(err, io.EOF) {
			c.end(errors.New("namerd closed the connection"))
		} else {
			c.end(err)
		}
	}
	return n, err
}

// watch ends the session when gRPC leaves the connection, as it does when namerd
// asks it to.
func (s *session) watch() {
	for st := s.cc.GetState(); ; st = s.cc.GetState() {
		switch st {
		case connectivity.TransientFailure, connectivity.Shutdown:
			s.End(errLost)
			return
		case connectivity.Idle, connectivity.Connecting, connectivity.Ready:
		}
		if !s.cc.WaitForStateChange(s.Context(), st) {
			return
		}
		if st == connectivity.Ready {
			s.End(errLost)
			return
		}
	}
}

// Close implements remote.Session.
func (s *session) Close() error {
	s.End(naming.ErrClosed)
	err := s.cc.Close()
	s.wg.Wait()
	return err
}

// Ping implements remote.Session. It asks for the text of the empty path, since
// gRPC has no way to send a ping of HTTP/2 that is answered within a few seconds; a
// server that does not know the method is there all the same.
func (s *session) Ping(ctx context.Context) error {
	_, err := meshpb.NewCodecClient(s.cc).ShowPath(ctx, &meshpb.ShowPathReq{Path: &meshpb.Path{}})
	switch status.Code(err) {
	case codes.DeadlineExceeded, codes.Canceled, codes.Unavailable:
		return plain(err)
	default:
		return nil
	}
}

// revisionKey is the metadata key that asks a namerd to tell where in the writes to
// its store a tree belongs.
const revisionKey = "weft-revision"

// Tree implements remote.Session.
func (s *session) Tree(ctx context.Context, q remote.Question, set func(naming.State[dtab.Tree[*naming.Bound]])) error {
	rules, err := decodeDtab(q.Rules)
	if err != nil {
		return err
	}
	ctx = metadata.AppendToOutgoingContext(ctx, revisionKey, "1")
	stream, err := meshpb.NewInterpreterClient(s.cc).StreamBoundTree(ctx, &meshpb.BindReq{Root: s.root, Name: meshpb.NewPath(q.Path), Dtab: rules})
	return each(stream, err, func(rsp *meshpb.BoundTreeRsp) {
		t, err := rsp.GetTree().Value()
		st := result(t, err)
		if st.Known {
			st.Err = s.compare(rsp)
		}
		set(st)
	})
}

// compare notes the revision of an answer, and returns an error if a newer one was
// seen.
func (s *session) compare(rsp *meshpb.BoundTreeRsp) error {
	if rsp.GetRevision() == 0 {
		return nil // a namerd that does not tell, or does not know
	}
	if newest := s.seen.note(rsp.GetRevisionOf(), rsp.GetRevision()); newest > rsp.GetRevision() {
		s.Note(remote.Behind)
		return &remote.OlderError{Peer: s.peer, Revision: rsp.GetRevision(), Seen: newest}
	}
	s.Note(remote.Fresh)
	return nil
}

// Addrs implements remote.Session.
func (s *session) Addrs(ctx context.Context, id dtab.Path, set func(naming.State[weft.EndpointSet])) error {
	stream, err := meshpb.NewResolverClient(s.cc).StreamReplicas(ctx, &meshpb.ReplicasReq{Id: meshpb.NewPath(id)})
	return each(stream, err, func(r *meshpb.Replicas) { set(r.Value()) })
}

// Dtab implements remote.Session.
func (s *session) Dtab(ctx context.Context, set func(naming.State[dtab.Dtab])) error {
	stream, err := meshpb.NewDelegatorClient(s.cc).StreamDtab(ctx, &meshpb.DtabReq{Root: s.root})
	return each(stream, err, func(rsp *meshpb.DtabRsp) {
		d, err := rsp.GetDtab().GetDtab().Value()
		set(result(d, err).At(versionText(rsp.GetDtab().GetVersion().GetId())))
	})
}

// Explain implements remote.Session.
func (s *session) Explain(ctx context.Context, q remote.Question) (naming.Delegation, error) {
	rules, err := decodeDtab(q.Rules)
	if err != nil {
		return naming.Delegation{}, err
	}
	rsp, err := meshpb.NewDelegatorClient(s.cc).GetDelegateTree(ctx, &meshpb.DelegateTreeReq{
		Root: s.root, Tree: meshpb.NewPathTree(dtab.LeafOf(q.Path)), Dtab: rules,
	})
	if err != nil {
		return naming.Delegation{}, plain(err)
	}
	d, err := rsp.GetTree().Value()
	if err != nil {
		return d, fmt.Errorf("namerd's explanation makes no sense: %w", err)
	}
	return d, nil
}

// each hands the messages of a stream to use until it ends.
func each[M any](stream grpc.ServerStreamingClient[M], err error, use func(*M)) error {
	for err == nil {
		var m *M
		if m, err = stream.Recv(); err == nil {
			use(m)
		}
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return plain(err)
}

// result is an answer that was read, or why it could not be.
func result[T any](v T, err error) naming.State[T] {
	if err != nil {
		return naming.Failed[T](fmt.Errorf("namerd's answer makes no sense: %w", err))
	}
	return naming.Ok(v)
}

// plain is a gRPC error in the words of namerd.
func plain(err error) error {
	st := status.Convert(err)
	switch st.Code() {
	case codes.Unavailable:
		return &remote.CutError{Err: errors.New(st.Message())}
	default:
		return fmt.Errorf("%s (%s)", st.Message(), st.Code())
	}
}

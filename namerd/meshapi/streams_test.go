package meshapi_test

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/meshapi"
	"github.com/weft-mesh/weft/naming/interpreter/mesh/meshpb"
)

// messages collects what a stream brings.
func messages[M any](t *testing.T, s grpc.ServerStreamingClient[M], err error) (<-chan *M, <-chan error) {
	t.Helper()
	require.NoError(t, err)
	got, ended := make(chan *M, 100), make(chan error, 1)
	go func() {
		for {
			m, err := s.Recv()
			if err != nil {
				ended <- err
				return
			}
			got <- m
		}
	}()
	return got, ended
}

func next[M any](t *testing.T, c <-chan M) M {
	t.Helper()
	select {
	case m := <-c:
		return m
	case <-time.After(eventually):
		require.Fail(t, "nothing came")
		panic("unreachable")
	}
}

// nothing fails if there is a message. It is for after something that came later than
// one would have.
func nothing[M any](t *testing.T, c <-chan M) {
	t.Helper()
	select {
	case m := <-c:
		require.Fail(t, "a message that says nothing new", "%v", m)
	default:
	}
}

// TestTreeStream: the current tree first, then one whenever its shape changes.
func TestTreeStream(t *testing.T) {
	w := newWorld(t, nil)
	w.set("a", "1.2.3.4:1")
	w.set("b", "1.2.3.4:2")
	interpreter := meshpb.NewInterpreterClient(w.serve(meshapi.Options{}).conn(t))
	s, err := interpreter.StreamBoundTree(within(t), &meshpb.BindReq{Root: root("default"), Name: name("/svc/a/x"), Dtab: meshpb.NewDtab(dtab.MustParse("/x=>/y"))})
	trees, _ := messages(t, s, err)
	want := func(tree string) {
		t.Helper()
		m := next(t, trees)
		assert.Equal(t, tree, text(t, m.GetTree()))
		assert.Nil(t, m.RevisionOf, "nobody asked for it")
	}
	want("~") // no such namespace
	w.put("default", "/svc=>/#/io.l5d.static")
	want("/#/io.l5d.static/a+/x")
	w.set("a", "1.2.3.4:9")                             // endpoints do not show
	w.put("default", "/svc=>/#/io.l5d.static; /z=>/zz") // nor does what has no effect
	w.put("default", "/svc=>/#/io.l5d.static; /svc/a=>1*/#/io.l5d.static/a & 3*/#/io.l5d.static/b")
	want("/#/io.l5d.static/a+/x & 3.00*/#/io.l5d.static/b+/x")
	require.NoError(t, w.store.Delete(t.Context(), "default", "", namerd.Note{}))
	want("~")
	w.put("default", "/svc=>/#/io.l5d.static/b")
	want("/#/io.l5d.static/b+/a/x")
	nothing(t, trees)

	rsp, err := interpreter.GetBoundTree(within(t), &meshpb.BindReq{Root: root("default"), Name: name("/svc/a"), Dtab: meshpb.NewDtab(dtab.MustParse("/svc=>/#/io.l5d.static"))})
	require.NoError(t, err)
	assert.Equal(t, "/#/io.l5d.static/a", text(t, rsp.GetTree()), "the rules of the request win")
}

// TestRevisions: who asks for it is told where a tree belongs, also when that is all
// that changed.
func TestRevisions(t *testing.T) {
	w := newWorld(t, map[string]string{"default": "/svc=>/#/io.l5d.static"})
	w.set("a", "1.2.3.4:1")
	stored, err := w.store.Get(t.Context(), "default")
	require.NoError(t, err)
	interpreter := meshpb.NewInterpreterClient(w.serve(meshapi.Options{}).conn(t))
	ctx := metadata.AppendToOutgoingContext(within(t), "weft-revision", "")
	req := &meshpb.BindReq{Root: root("default"), Name: name("/svc/a")}
	s, err := interpreter.StreamBoundTree(ctx, req)
	trees, _ := messages(t, s, err)
	m := next(t, trees)
	assert.Equal(t, stored.Revision, namerd.Revision{Of: m.GetRevisionOf(), N: m.GetRevision()})
	w.put("default", "/svc=>/#/io.l5d.static;/x=>/y")
	m = next(t, trees)
	assert.Equal(t, namerd.Revision{Of: stored.Revision.Of, N: stored.Revision.N + 1}, namerd.Revision{Of: m.GetRevisionOf(), N: m.GetRevision()})
	assert.Equal(t, "/#/io.l5d.static/a", text(t, m.GetTree()))
	rsp, err := interpreter.GetBoundTree(ctx, req)
	require.NoError(t, err)
	assert.Equal(t, m.GetRevision(), rsp.GetRevision())
}

// TestDtabStream: a stream of a dtab ends when the namespace is no more.
func TestDtabStream(t *testing.T) {
	w := newWorld(t, map[string]string{"default": "/a=>/b"})
	delegator := meshpb.NewDelegatorClient(w.serve(meshapi.Options{}).conn(t))
	s, err := delegator.StreamDtab(within(t), &meshpb.DtabReq{Root: root("default")})
	dtabs, ended := messages(t, s, err)
	want := func(d string) {
		t.Helper()
		m := next(t, dtabs)
		got, err := m.GetDtab().GetDtab().Value()
		require.NoError(t, err)
		assert.Equal(t, d, got.String())
		stored, err := w.store.Get(t.Context(), "default")
		require.NoError(t, err)
		assert.Equal(t, []byte(stored.Version), m.GetDtab().GetVersion().GetId())
	}
	want("/a=>/b")
	w.put("default", "/a=>/c")
	want("/a=>/c")
	rsp, err := delegator.GetDtab(within(t), &meshpb.DtabReq{Root: root("default")})
	require.NoError(t, err)
	assert.Len(t, rsp.GetDtab().GetDtab().GetDentries(), 1)
	require.NoError(t, w.store.Delete(t.Context(), "default", "", namerd.Note{}))
	assert.Equal(t, "Root not found", status.Convert(next(t, ended)).Message())
}

// TestShutdown: streams end with a status that sends their clients elsewhere, also
// those that wait for something that never comes.
func TestShutdown(t *testing.T) {
	w := newWorld(t, nil)
	for _, stop := range []func(*running) error{
		func(r *running) error { return r.Shutdown(context.Background()) },
		func(r *running) error { return r.Close() },
		func(r *running) error {
			ctx, cancel := context.WithCancelCause(context.Background())
			cancel(nil)
			err := r.Shutdown(ctx)
			if err != nil {
				assert.ErrorIs(t, err, context.Canceled)
			}
			return nil
		},
	} {
		r := w.serve(meshapi.Options{})
		s, err := meshpb.NewInterpreterClient(r.conn(t)).StreamBoundTree(within(t), &meshpb.BindReq{Root: root("default"), Name: name("/svc/a")})
		trees, ended := messages(t, s, err)
		next(t, trees)
		require.NoError(t, stop(r))
		assert.Equal(t, codes.Unavailable, status.Code(next(t, ended)))
		require.NoError(t, r.Close(), "once more")
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		require.ErrorIs(t, r.Serve(ln), grpc.ErrServerStopped)
	}
}

// TestRegister: the services on somebody else's server.
func TestRegister(t *testing.T) {
	w := newWorld(t, nil)
	other := grpc.NewServer()
	s := meshapi.New(w.namerd, meshapi.Options{})
	s.Register(other)
	assert.Len(t, other.GetServiceInfo(), 4)
	for service, methods := range map[string]int{"Interpreter": 2, "Resolver": 2, "Delegator": 4, "Codec": 4} {
		assert.Len(t, other.GetServiceInfo()["io.linkerd.mesh."+service].Methods, methods, service)
	}
	require.NoError(t, s.Close())
}

// TestSlowReader: a reader that does not read skips values and holds up nobody, and
// sees the newest one when it reads again.
func TestSlowReader(t *testing.T) {
	w := newWorld(t, nil)
	r := w.serve(meshapi.Options{})
	slow := rawDial(t, r.addr)
	slow.window = 0 // nothing of a body may be sent
	slow.handshake()
	slow.call(1, "/io.linkerd.mesh.Interpreter/StreamBoundTree", &meshpb.BindReq{Root: root("default"), Name: name("/svc/a")})
	slow.headers(1)

	s, err := meshpb.NewInterpreterClient(r.conn(t)).StreamBoundTree(within(t), &meshpb.BindReq{Root: root("default"), Name: name("/svc/a")})
	trees, _ := messages(t, s, err)
	next(t, trees)
	const writes = 300
	wide := ""
	for i := range 100 {
		wide += fmt.Sprintf(" & /#/io.l5d.static/n%d", i)
		w.set(fmt.Sprintf("n%d", i), "1.2.3.4:1")
	}
	for i := range writes {
		w.set(fmt.Sprintf("last%d", i), "1.2.3.4:1")
		w.put("default", fmt.Sprintf("/svc/a=>/#/io.l5d.static/last%d%s", i, wide))
	}
	final := fmt.Sprintf("/#/io.l5d.static/last%d", writes-1)
	for {
		if got := text(t, next(t, trees).GetTree()); len(got) > len(final) && got[:len(final)] == final {
			break
		}
	}
	slow.open(1)
	seen := 0
	for {
		seen++
		var m meshpb.BoundTreeRsp
		slow.message(1, &m)
		if got := text(t, m.GetTree()); len(got) > len(final) && got[:len(final)] == final {
			break
		}
	}
	assert.Less(t, seen, writes/2, "it was spared most of them")
	t.Logf("the slow reader got %d messages of %d", seen, writes)
}

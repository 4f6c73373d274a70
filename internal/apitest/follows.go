package apitest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/interpreter/namerdhttp"
)

// follows is vector 52, with the interpreter io.l5d.namerd.http: what a name is bound
// to, and its endpoints, through changes of the dtab.
func follows(t *testing.T, s *site) {
	t.Helper()
	s.set(t, "foo", "127.0.0.1:1")
	s.set(t, "bar", "127.0.0.1:2")
	s.put(t, "default", "/svc=>/#/io.l5d.namer")
	in, err := namerdhttp.New(namerdhttp.Config{RetryBase: 10 * time.Millisecond}, namerdhttp.Options{
		Endpoints: func(context.Context) weft.Source[naming.State[weft.EndpointSet]] {
			return weft.Const[naming.State[weft.EndpointSet]]{V: naming.Ok(weft.EndpointSet{Endpoints: []weft.Endpoint{{Addr: s.addr}}})}
		},
	})
	require.NoError(t, err)
	defer func() { assert.NoError(t, in.Close()) }()
	ctx, cancel := context.WithTimeout(t.Context(), s.o.Limit)
	defer cancel()

	bound := in.Bind(ctx, nil, dtab.MustPath("/svc/foo"))
	first := awaitTree(ctx, t, bound, "/#/io.l5d.namer/foo")
	addrs := first.Value.Addrs(ctx)
	awaitAddr(ctx, t, addrs, "127.0.0.1:1")
	s.set(t, "foo", "127.0.0.1:3")
	awaitAddr(ctx, t, addrs, "127.0.0.1:3")

	require.NoError(t, s.namer.Remove("foo"))
	awaitTree(ctx, t, bound, "~")
	awaitAddr(ctx, t, addrs, "neg")

	s.put(t, "default", "/svc/foo=>/#/io.l5d.namer/bar")
	second := awaitTree(ctx, t, bound, "/#/io.l5d.namer/bar")
	awaitAddr(ctx, t, second.Value.Addrs(ctx), "127.0.0.1:2")
	awaitAddr(ctx, t, addrs, "neg")
	assert.Equal(t, "/svc/foo=>/#/io.l5d.namer/bar", in.Stored().String())

	local := in.Bind(ctx, dtab.MustParse("/svc/foo=>/#/io.l5d.namer/foo | /#/io.l5d.namer/bar"), dtab.MustPath("/svc/foo"))
	awaitTree(ctx, t, local, "/#/io.l5d.namer/bar")
	s.set(t, "foo", "127.0.0.1:1")
	awaitTree(ctx, t, local, "/#/io.l5d.namer/foo")
	awaitAddr(ctx, t, addrs, "127.0.0.1:1")

	d, err := in.Delegate(ctx, nil, dtab.MustPath("/svc/foo"))
	require.NoError(t, err)
	assert.Equal(t, naming.KindDelegate, d.Kind)
	require.Len(t, d.Kids, 1)
	assert.Equal(t, naming.KindLeaf, d.Kids[0].Kind)
}

func awaitTree(
	ctx context.Context, t *testing.T, src weft.Source[naming.State[dtab.Tree[*naming.Bound]]], want string,
) dtab.Tree[*naming.Bound] {
	t.Helper()
	show := func(s naming.State[dtab.Tree[*naming.Bound]]) string {
		return dtab.Show(s.Value, func(b *naming.Bound) string { return b.ID.String() })
	}
	s, err := weft.Until(ctx, src, func(s naming.State[dtab.Tree[*naming.Bound]]) bool { return s.Known && show(s) == want })
	require.NoError(t, err, "it is %s (%v) and not %s", show(s), s.Err, want)
	return s.Value
}

func awaitAddr(ctx context.Context, t *testing.T, src weft.Source[naming.State[weft.EndpointSet]], want string) {
	t.Helper()
	s, err := weft.Until(ctx, src, func(s naming.State[weft.EndpointSet]) bool {
		if want == "neg" {
			return s.Known && s.Value.Neg
		}
		return s.Known && len(s.Value.Endpoints) == 1 && s.Value.Endpoints[0].Addr == want
	})
	require.NoError(t, err, "it is %+v and not %s", s, want)
}

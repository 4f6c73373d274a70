package httpapi_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd/httpapi"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/fs"
	"github.com/weft-mesh/weft/naming/interpreter/namerdhttp"
)

// TestFiles: names in files, as they are enumerated and as a client follows them.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	write("web", "127.0.0.1 1\n")
	files, err := fs.New(fs.Config{RootDir: dir}, fs.Options{})
	require.NoError(t, err)
	defer func() { assert.NoError(t, files.Close()) }()
	s := serve(t, newFickle(t), httpapi.Options{}, naming.Under(files)...)
	s.send(t, "PUT", "/api/1/dtabs/default", "/svc=>/#/io.l5d.fs", "Content-Type", "application/dtab")

	assert.Equal(t, "[\"/#/io.l5d.fs/web\"]\n", s.get(t, "/api/1/bound-names").body)
	names := s.stream(t, "/api/1/bound-names?watch=true")
	assert.Equal(t, `["/#/io.l5d.fs/web"]`, line(t, names))

	in, err := namerdhttp.New(namerdhttp.Config{RetryBase: 10 * time.Millisecond}, namerdhttp.Options{
		Endpoints: func(context.Context) weft.Source[naming.State[weft.EndpointSet]] {
			set := weft.EndpointSet{Endpoints: []weft.Endpoint{{Addr: s.server.Listener.Addr().String()}}}
			return weft.Const[naming.State[weft.EndpointSet]]{V: naming.Ok(set)}
		},
	})
	require.NoError(t, err)
	defer func() { assert.NoError(t, in.Close()) }()
	ctx, cancel := contextWithin(t, limit)
	defer cancel()
	bound, err := weft.Until(ctx, in.Bind(ctx, nil, dtab.MustPath("/svc/web")), func(s naming.State[dtab.Tree[*naming.Bound]]) bool {
		return s.Known && s.Value.Op == dtab.Leaf
	})
	require.NoError(t, err)
	addrs := bound.Value.Value.Addrs(ctx)
	has := func(addr string) {
		_, err := weft.Until(ctx, addrs, func(s naming.State[weft.EndpointSet]) bool {
			return s.Known && len(s.Value.Endpoints) == 1 && s.Value.Endpoints[0].Addr == addr
		})
		require.NoError(t, err)
	}
	has("127.0.0.1:1")
	write("web", "127.0.0.1 2\n")
	has("127.0.0.1:2")
	write("api", "127.0.0.1 3\n")
	assert.Equal(t, `["/#/io.l5d.fs/api","/#/io.l5d.fs/web"]`, line(t, names))
}

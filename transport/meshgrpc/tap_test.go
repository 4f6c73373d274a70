package meshgrpc_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"

	"github.com/weft-mesh/weft/tap"
	"github.com/weft-mesh/weft/transport/meshgrpc"
)

// TestTap: who watches sees calls and streams when they have ended.
func TestTap(t *testing.T) {
	var hub tap.Hub
	w := newWorld(t, meshgrpc.Options{Tap: &hub})
	w.serve("10.0.0.1:80", &backend{})
	w.set("a", "10.0.0.1:80")
	watcher, err := hub.Watch(tap.WatchOptions{})
	require.NoError(t, err)
	defer watcher.Close()
	_, err = w.client("a").UnaryCall(t.Context(), &testgrpc.SimpleRequest{})
	require.NoError(t, err)
	e := <-watcher.Events()
	assert.Equal(t, "/grpc.testing.TestService/UnaryCall OK success 10.0.0.1:80", e.Path+" "+e.GRPCStatus+" "+e.Class+" "+e.Endpoint)
	assert.Equal(t, 1, e.Attempts)
	assert.NotEmpty(t, e.Service)
	assert.NotEmpty(t, e.Client)
}

// TestTapStream: a stream is shown when it has ended, with its status.
func TestTapStream(t *testing.T) {
	var hub tap.Hub
	w := newWorld(t, meshgrpc.Options{Tap: &hub})
	w.serve("10.0.0.1:80", &backend{})
	w.set("a", "10.0.0.1:80")
	watcher, err := hub.Watch(tap.WatchOptions{})
	require.NoError(t, err)
	defer watcher.Close()
	s, err := w.client("a").StreamingOutputCall(t.Context(), &testgrpc.StreamingOutputCallRequest{})
	require.NoError(t, err)
	_, err = s.Recv()
	require.NoError(t, err)
	assert.Empty(t, watcher.Events(), "it goes on")
	for err == nil {
		_, err = s.Recv()
	}
	e := <-watcher.Events()
	assert.Equal(t, "/grpc.testing.TestService/StreamingOutputCall OK success 10.0.0.1:80", e.Path+" "+e.GRPCStatus+" "+e.Class+" "+e.Endpoint)
	assert.Equal(t, 1, e.Attempts)
}

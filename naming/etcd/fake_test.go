package etcd_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/etcd"
)

// fakeEtcd is a member with one key that can lose its leader, which takes three
// members otherwise.
type fakeEtcd struct {
	etcdserverpb.UnimplementedKVServer
	etcdserverpb.UnimplementedWatchServer

	mu      sync.Mutex
	value   string
	lost    chan struct{} // closed while there is no leader
	lists   int           // of a service
	watches []int64       // the revisions that watches began with
	careful bool          // every request wanted a leader
}

func newFakeEtcd(t *testing.T, value string) (*fakeEtcd, string) {
	t.Helper()
	f := &fakeEtcd{value: value, lost: make(chan struct{}), careful: true}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := grpc.NewServer()
	etcdserverpb.RegisterKVServer(s, f)
	etcdserverpb.RegisterWatchServer(s, f)
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(l) }()
	t.Cleanup(func() { s.Stop(); <-done })
	return f, l.Addr().String()
}

// leader says whether there is one.
func (f *fakeEtcd) leader(yes bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if yes {
		f.lost = make(chan struct{})
	} else {
		close(f.lost)
	}
}

func (f *fakeEtcd) check(ctx context.Context) (lost chan struct{}, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	md, _ := metadata.FromIncomingContext(ctx)
	f.careful = f.careful && len(md.Get(rpctypes.MetadataRequireLeaderKey)) > 0
	select {
	case <-f.lost:
		return f.lost, rpctypes.ErrGRPCNoLeader
	default:
		return f.lost, nil
	}
}

func (f *fakeEtcd) Range(ctx context.Context, r *etcdserverpb.RangeRequest) (*etcdserverpb.RangeResponse, error) {
	if _, err := f.check(ctx); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	resp := &etcdserverpb.RangeResponse{Header: &etcdserverpb.ResponseHeader{ClusterId: 1, Revision: 7}}
	if r.Limit == 0 {
		f.lists++
		resp.Kvs = []*mvccpb.KeyValue{{Key: []byte("/weft/services/web/a"), Value: []byte(f.value), ModRevision: 7}}
	}
	return resp, nil
}

func (f *fakeEtcd) Watch(s etcdserverpb.Watch_WatchServer) error {
	lost, err := f.check(s.Context())
	if err != nil {
		return err
	}
	r, err := s.Recv()
	if err != nil {
		return err
	}
	f.mu.Lock()
	f.watches = append(f.watches, r.GetCreateRequest().GetStartRevision())
	f.mu.Unlock()
	if err := s.Send(&etcdserverpb.WatchResponse{Header: &etcdserverpb.ResponseHeader{ClusterId: 1, Revision: 7}, Created: true}); err != nil {
		return err
	}
	select {
	case <-lost:
		return rpctypes.ErrGRPCNoLeader
	case <-s.Context().Done():
		return s.Context().Err()
	}
}

func TestNoLeader(t *testing.T) {
	f, addr := newFakeEtcd(t, "10.0.0.1:80")
	log := &journal{}
	n := newNamer(t, etcd.Config{Endpoints: []string{addr}}, etcd.Options{Logger: log.logger(), Probe: 100 * time.Millisecond})
	w := watch(t, n, "/web")
	w.comes("/#/io.l5d.etcd/web: 10.0.0.1:80")
	release := w.guard("10.0.0.1:80")
	defer release()
	for i := range 3 {
		f.leader(false)
		w.comes("/#/io.l5d.etcd/web: 10.0.0.1:80 (stale)")
		pause(300 * time.Millisecond)
		s, _ := w.sets.Load()
		require.ErrorContains(t, s.Err, "no leader")
		assert.Equal(t, i+1, log.count("level=WARN"), "said once: %v", log)
		f.leader(true)
		w.comes("/#/io.l5d.etcd/web: 10.0.0.1:80")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	assert.True(t, f.careful, "a member without a leader must not be believed")
	assert.Equal(t, 1, f.lists, "watches go on where they stopped")
	for _, from := range f.watches {
		assert.Equal(t, int64(8), from)
	}
}

// TestResync lists a service again although its watch is well.
func TestResync(t *testing.T) {
	f, addr := newFakeEtcd(t, "10.0.0.1:80")
	n := newNamer(t, etcd.Config{Endpoints: []string{addr}}, etcd.Options{Resync: 50 * time.Millisecond})
	w := watch(t, n, "/web")
	w.comes("/#/io.l5d.etcd/web: 10.0.0.1:80")
	release := w.guard("10.0.0.1:80")
	defer release()
	require.Eventually(t, func() bool { f.mu.Lock(); defer f.mu.Unlock(); return f.lists > 3 }, 10*time.Second, time.Millisecond)
}

// TestHostNames follows the addresses of a host name in a value.
func TestHostNames(t *testing.T) {
	_, addr := newFakeEtcd(t, `{"addr": "users.internal:80", "weight": 0.5}`)
	var host weft.Var[setState]
	asked := ""
	n := newNamer(t, etcd.Config{Endpoints: []string{addr}}, etcd.Options{
		Resolve: func(_ context.Context, name, port string) weft.Source[setState] {
			asked = name + " " + port
			return &host
		},
	})
	w := watch(t, n, "/web")
	pause(100 * time.Millisecond)
	assert.Equal(t, "pending", w.text())
	host.Store(naming.Failed[weft.EndpointSet](assert.AnError))
	w.comes("failed")
	host.Store(naming.Ok(weft.EndpointSet{Endpoints: []weft.Endpoint{{Addr: "10.0.0.1:80"}, {Addr: "10.0.0.2:80"}}}))
	w.comes("/#/io.l5d.etcd/web: 10.0.0.1:80*0.5 10.0.0.2:80*0.5")
	assert.Equal(t, "users.internal 80", asked)
	host.Store(naming.State[weft.EndpointSet]{Known: true, Value: weft.EndpointSet{Endpoints: []weft.Endpoint{{Addr: "10.0.0.1:80"}}}, Err: assert.AnError})
	w.comes("/#/io.l5d.etcd/web: 10.0.0.1:80*0.5 (stale)")
	host.Store(naming.Ok(weft.EndpointSet{Neg: true}))
	w.comes("/#/io.l5d.etcd/web: 10.0.0.1:80*0.5 (stale)")
}

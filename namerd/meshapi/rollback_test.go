package meshapi_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/meshapi"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/interpreter/mesh"
	"github.com/weft-mesh/weft/naming/interpreter/remote"
)

// replica is a store that is one of several with the same writes, of which it knows
// those that it was told. It has one namespace.
type replica struct {
	namerd.Store // what is not used
	stored       weft.Var[naming.State[namerd.Stored]]
}

func newReplica() *replica { return &replica{} }

func (r *replica) Observe(context.Context, string) weft.Source[naming.State[namerd.Stored]] {
	return &r.stored
}

func (r *replica) Close() error { return nil }

// learn brings the replica to the nth write.
func (r *replica) learn(n uint64, d string) {
	r.stored.Store(naming.Ok(namerd.Stored{
		Exists: true, Dtab: dtab.MustParse(d), Version: namerd.Version(d), Revision: namerd.Revision{Of: "sequence", N: n},
	}))
}

// replicas are two namerds over such stores.
func replicas(t *testing.T) (fresh, lagging *replica, freshAt, laggingAt *running) {
	t.Helper()
	at := func(r *replica) *running {
		w := newWorldOver(t, r)
		for _, v := range []string{"v1", "v2", "v3", "v4"} {
			w.set(v, "1.2.3.4:1")
		}
		return w.serve(meshapi.Options{})
	}
	fresh, lagging = newReplica(), newReplica()
	return fresh, lagging, at(fresh), at(lagging)
}

func set(addrs ...string) naming.State[weft.EndpointSet] {
	var s weft.EndpointSet
	for _, a := range addrs {
		s.Endpoints = append(s.Endpoints, weft.Endpoint{Addr: a})
	}
	return naming.Ok(s)
}

const (
	v1 = "/svc/web=>/#/io.l5d.static/v1"
	v2 = "/svc/web=>/#/io.l5d.static/v2"
	v3 = "/svc/web=>/#/io.l5d.static/v3"
	v4 = "/svc/web=>/#/io.l5d.static/v4"
)

// record collects the trees that src has.
func record(t *testing.T, src weft.Source[tree]) func() []string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var had []string
	look := func() <-chan struct{} {
		st, stale := src.Load()
		if st.Known && (len(had) == 0 || had[len(had)-1] != show(st.Value)) {
			had = append(had, show(st.Value))
		}
		return stale
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			select {
			case <-look():
			case <-ctx.Done():
			}
		}
	})
	stop := func() []string {
		cancel()
		wg.Wait()
		look()
		return had
	}
	t.Cleanup(func() { stop() })
	return stop
}

// TestNoRollBack: a client that moves to a namerd which is behind keeps what it has,
// says why, and follows that namerd when it has caught up.
func TestNoRollBack(t *testing.T) {
	fresh, lagging, freshAt, laggingAt := replicas(t)
	fresh.learn(10, v2)
	lagging.learn(8, v1)
	endpoints := weft.NewVar(set(freshAt.addr))
	in := clientOf(t, mesh.Config{}, endpoints)
	src := in.Bind(t.Context(), nil, dtab.MustPath("/svc/web"))
	await(t, src, shows("/#/io.l5d.static/v2"))
	had := record(t, src)

	endpoints.Store(set(laggingAt.addr))
	require.NoError(t, freshAt.Close())
	why := "namerd " + laggingAt.addr + " answers from revision 8, older than 10 seen before"
	st := await(t, src, func(st tree) bool {
		return st.Err != nil && strings.HasPrefix(st.Err.Error(), "namerd "+laggingAt.addr)
	})
	require.EqualError(t, st.Err, why)
	assert.Equal(t, "/#/io.l5d.static/v2", show(st.Value))
	assert.True(t, slices.ContainsFunc(in.Watches(), func(w naming.WatchStatus) bool {
		return w.Watching == "bind /svc/web" && w.Err != nil && w.Err.Error() == why && w.Answer == "/#/io.l5d.static/v2"
	}), "%v", in.Watches())

	lagging.learn(9, v1)
	await(t, src, func(st tree) bool { return st.Err != nil && strings.Contains(st.Err.Error(), "revision 9") })
	lagging.learn(10, v2)
	await(t, src, shows("/#/io.l5d.static/v2"))
	lagging.learn(11, v3)
	await(t, src, shows("/#/io.l5d.static/v3"))
	lagging.learn(12, v2)
	await(t, src, shows("/#/io.l5d.static/v2")) // the operator's roll-back is followed
	assert.NotContains(t, had(), "/#/io.l5d.static/v1")
}

// TestAnotherSequence: a store that has nothing to do with the one before is followed.
func TestAnotherSequence(t *testing.T) {
	fresh, _, freshAt, _ := replicas(t)
	fresh.learn(10, v2)
	other := newWorld(t, map[string]string{"default": v1})
	other.set("v1", "1.2.3.4:1")
	endpoints := weft.NewVar(set(freshAt.addr))
	src := clientOf(t, mesh.Config{}, endpoints).Bind(t.Context(), nil, dtab.MustPath("/svc/web"))
	await(t, src, shows("/#/io.l5d.static/v2"))
	endpoints.Store(set(other.serve(meshapi.Options{}).addr))
	await(t, src, shows("/#/io.l5d.static/v1"))
}

// TestBehind: a name of which nothing is known waits a little for somebody who is up to
// date, and takes what there is if nobody is; with another endpoint the client does
// not stay where it is.
func TestBehind(t *testing.T) {
	fresh, lagging, freshAt, laggingAt := replicas(t)
	fresh.learn(10, v2)
	lagging.learn(8, v1)
	endpoints := weft.NewVar(set(freshAt.addr))
	in := clientOf(t, mesh.Config{}, endpoints)
	web := in.Bind(t.Context(), nil, dtab.MustPath("/svc/web"))
	await(t, web, shows("/#/io.l5d.static/v2"))

	endpoints.Store(set(laggingAt.addr))
	await(t, web, func(st tree) bool { return st.Err != nil })
	late := in.Bind(t.Context(), nil, dtab.MustPath("/svc/web/late"))
	st := await(t, late, func(st tree) bool { return st.Err != nil })
	_, unanswered := errors.AsType[*naming.UnansweredError](st.Err)
	assert.True(t, unanswered && !st.Known, "%v", st)
	st = await(t, late, func(st tree) bool { return st.Known })
	assert.Equal(t, "/#/io.l5d.static/v1+/late", show(st.Value))
	_, older := errors.AsType[*remote.OlderError](st.Err)
	assert.True(t, older, "and says so: %v", st.Err)
	lagging.learn(9, v4)
	await(t, late, func(st tree) bool { return show(st.Value) == "/#/io.l5d.static/v4+/late" })
	st, _ = web.Load()
	assert.Equal(t, "/#/io.l5d.static/v2", show(st.Value))

	endpoints.Store(set(laggingAt.addr, freshAt.addr))
	await(t, late, shows("/#/io.l5d.static/v2+/late"))
	await(t, web, shows("/#/io.l5d.static/v2"))
}

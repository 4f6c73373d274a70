package namerdhttp_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/internal/namerdtest"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/interpreter/namerdhttp"
	"github.com/weft-mesh/weft/telemetry"
)

// TestMetrics: answers count by the kind of question, and what is followed by gauges.
func TestMetrics(t *testing.T) {
	var bad atomic.Bool
	answer := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if bad.Load() {
				http.Error(w, "no", http.StatusInternalServerError)
				return
			}
			_, _ = fmt.Fprintln(w, text)
			if r.URL.Query().Get("watch") == "true" {
				_ = http.NewResponseController(w).Flush()
				<-r.Context().Done()
			}
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/1/bind/ns", answer(leafJSON))
	mux.HandleFunc("GET /api/1/addr/ns", answer(`{"type":"bound","addrs":[{"ip":"10.0.0.1","port":80}],"meta":{}}`))
	mux.HandleFunc("GET /api/1/delegate/ns", answer(`nonsense`))
	mux.HandleFunc("GET /api/1/dtabs/ns", answer(`[{"prefix":"/a","dst":"/b"}]`))
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	tree := telemetry.NewTree(telemetry.Options{})
	defer tree.Close()
	in, err := namerdhttp.New(namerdhttp.Config{Namespace: "ns", RetryBase: 10 * time.Millisecond}, namerdhttp.Options{
		Endpoints: func(context.Context) weft.Source[naming.State[weft.EndpointSet]] {
			return weft.Const[naming.State[weft.EndpointSet]]{V: namerdtest.Set(s.Listener.Addr().String())}
		},
		Linger: -1, Metrics: tree.Scope(),
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, in.Close()) })
	counts := func() map[string]float64 {
		all := map[string]float64{}
		for at, m := range tree.All() {
			all[strings.Join(at, "/")] = float64(m.Int) + m.Float
		}
		return all
	}
	assert.Equal(t, map[string]float64{"bindcache.size": 0, "addrcache.size": 0}, counts())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	b := await(t, in.Bind(ctx, nil, dtab.MustPath("/svc/web")), good).Value.Value
	addrs := b.Addrs(ctx)
	_, err = weft.Until(ctx, addrs, func(st naming.State[weft.EndpointSet]) bool { return st.Known })
	require.NoError(t, err)
	assert.Equal(t, map[string]float64{"bindcache.size": 1, "addrcache.size": 1, "bind/success": 1, "addr/success": 1}, counts())
	assert.Len(t, in.Stored(), 1)
	assert.EqualValues(t, 1, counts()["dtab/success"])
	_, err = in.Delegate(ctx, nil, dtab.MustPath("/svc/web"))
	require.Error(t, err)
	assert.EqualValues(t, 1, counts()["delegate/failure"])

	bad.Store(true)
	_, err = weft.Until(ctx, in.Bind(ctx, nil, dtab.MustPath("/svc/other")), func(st naming.State[dtab.Tree[*naming.Bound]]) bool { return st.Err != nil })
	require.NoError(t, err)
	assert.Positive(t, counts()["bind/failure"])
	assert.EqualValues(t, 2, counts()["bindcache.size"])
	cancel()
	require.Eventually(t, func() bool { return counts()["bindcache.size"] == 0 && counts()["addrcache.size"] == 0 }, 10*time.Second, time.Millisecond)
}

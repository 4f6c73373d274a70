package meshh2_test

import (
	"bytes"
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/circuit"
	"github.com/weft-mesh/weft/internal/memhttp"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshh2"
)

// Callers that leave, endpoints that die and come back, bodies of all sizes: what
// arrives is right or an error, and nothing is left over.
func TestChaos(t *testing.T) {
	s := setup{
		service: services(transport.ServiceOptions{TotalTimeout: 2 * time.Second}, meshh2.ServiceSettings{Classifier: meshh2.All}),
		client:  clients(transport.ClientOptions{Accrual: circuit.None{}, AttemptTimeout: time.Second}, meshh2.ClientSettings{}),
	}
	inWorld(t, s, func(w *world) {
		var addrs []string
		stops := make([]func(), 3)
		start := func(i int) {
			srv := &http.Server{Handler: http.HandlerFunc(mirror), Protocols: &http.Protocols{}}
			srv.Protocols.SetUnencryptedHTTP2(true)
			m, err := memhttp.Start(&w.net, addrs[i], srv)
			require.NoError(t, err)
			stops[i] = func() { _ = m.Close() }
		}
		for i := range stops {
			addrs = append(addrs, w.address())
			start(i)
		}
		w.put("dog", addrs...)
		ctx, stop := context.WithCancel(w.t.Context())
		var callers sync.WaitGroup
		var good, bad atomic.Int64
		for n := range 6 {
			callers.Go(func() {
				rng := rand.New(rand.NewPCG(uint64(n), 7))
				c := w.http()
				for ctx.Err() == nil {
					if chaosCall(w, c, rng) {
						good.Add(1)
					} else {
						bad.Add(1)
					}
				}
			})
		}
		rng := rand.New(rand.NewPCG(1, 2))
		for range 8 {
			time.Sleep(time.Duration(rng.IntN(60)) * time.Millisecond)
			i := rng.IntN(len(stops))
			stops[i]()
			time.Sleep(time.Duration(rng.IntN(20)) * time.Millisecond)
			start(i)
		}
		stop()
		callers.Wait()
		for _, f := range stops {
			f()
		}
		time.Sleep(time.Minute)
		t.Log(good.Load(), "good", bad.Load(), "bad")
		assert.Greater(t, good.Load(), bad.Load())
		for _, gauge := range []string{"pending", "open_streams"} {
			assert.Zero(t, w.server(gauge))
			assert.Zero(t, w.client("dog", gauge))
		}
		assert.Zero(t, w.service("dog", "pending"))
	})
}

// mirror answers with the body that it got, after some time, and its checksum in a
// trailer.
func mirror(rw http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	time.Sleep(time.Duration(len(b)%13) * time.Millisecond)
	rw.Header().Set("Trailer", "X-Sum")
	rw.Header().Set("X-Id", r.Header.Get("X-Id"))
	for len(b) > 0 {
		n := min(len(b), 10_000)
		_, _ = rw.Write(b[:n])
		b = b[n:]
	}
	rw.Header().Set("X-Sum", r.Header.Get("X-Sum"))
}

// chaosCall makes a call that is right, fails, or is given up. What is wrong fails
// the test.
func chaosCall(w *world, c *http.Client, rng *rand.Rand) bool {
	body := make([]byte, []int{0, 10, 5000, 40_000, 100_000}[rng.IntN(5)])
	for i, seed := 0, byte(rng.Uint32()); i < len(body); i++ {
		body[i] = seed + byte(i>>8) ^ byte(i)
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	if rng.IntN(5) == 0 {
		time.AfterFunc(time.Duration(rng.IntN(20))*time.Millisecond, cancel)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://dog/", bytes.NewReader(body))
	require.NoError(w.t, err)
	sum, id := fmt.Sprint(crc32.ChecksumIEEE(body)), fmt.Sprint(rng.Uint64())
	req.Header.Set("X-Sum", sum)
	req.Header.Set("X-Id", id)
	resp, err := c.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return false
	}
	assert.Equal(w.t, id, resp.Header.Get("X-Id"))
	assert.Equal(w.t, sum, resp.Trailer.Get("X-Sum"))
	return assert.True(w.t, bytes.Equal(body, got), "%d bytes became %d", len(body), len(got))
}

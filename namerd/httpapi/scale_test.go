package httpapi_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/httpapi"
)

// TestManyStreams: 1,000 watches of one namespace see a change within moments.
func TestManyStreams(t *testing.T) {
	const streams, changes = 1000, 3
	f := newFickle(t)
	s := serve(t, f, httpapi.Options{})
	before := dtab.MustParse("/first=>/value")
	_, err := f.Put(t.Context(), "many", before, namerd.Note{})
	require.NoError(t, err)

	var mu sync.Mutex
	seen := map[string][]time.Time{} // when each value came, on every stream
	var ready, done sync.WaitGroup
	ctx, cancel := context.WithTimeout(t.Context(), 2*limit)
	defer cancel()
	var dialer net.Dialer
	ready.Add(streams)
	for range streams {
		done.Go(func() {
			c, err := dialer.DialContext(ctx, "tcp", s.server.Listener.Addr().String())
			if !assert.NoError(t, err) {
				ready.Done()
				return
			}
			defer c.Close()
			defer context.AfterFunc(ctx, func() { c.Close() })()
			fmt.Fprintf(c, "GET /api/1/dtabs/many?watch=true HTTP/1.1\r\nHost: x\r\nAccept: text/plain\r\n\r\n")
			rsp, err := http.ReadResponse(bufio.NewReader(c), nil)
			if !assert.NoError(t, err) {
				ready.Done()
				return
			}
			lines := bufio.NewScanner(rsp.Body)
			for first := true; lines.Scan(); first = false {
				now := time.Now()
				if first {
					ready.Done()
				}
				mu.Lock()
				seen[lines.Text()] = append(seen[lines.Text()], now)
				mu.Unlock()
				if strings.HasPrefix(lines.Text(), "/last") {
					return
				}
			}
		})
	}
	ready.Wait()

	var took []time.Duration
	for i := range changes {
		text := fmt.Sprintf("/value%d=>/x", i)
		if i == changes-1 {
			text = "/last=>/x"
		}
		began := time.Now()
		a := s.send(t, http.MethodPut, "/api/1/dtabs/many", text, "Content-Type", "text/plain")
		require.Equal(t, http.StatusNoContent, a.status)
		require.Eventually(t, func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(seen[text]) == streams
		}, limit, time.Millisecond)
		mu.Lock()
		for _, at := range seen[text] {
			took = append(took, at.Sub(began))
		}
		mu.Unlock()
	}
	done.Wait()
	slices.Sort(took)
	p99, most := took[len(took)*99/100], took[len(took)-1]
	t.Logf("from before the PUT to %d streams: p50 %s, p99 %s, most %s", streams, took[len(took)/2], p99, most)
	assert.Less(t, p99, 5*time.Second) // 20 ms when the machine has time
}

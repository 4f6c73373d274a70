package consul_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/naming"
)

type dtabs = weft.Source[naming.State[namerd.Stored]]

// comes waits until what is observed is well and as wanted.
func comes(t *testing.T, src dtabs, want func(namerd.Stored) bool) namerd.Stored {
	t.Helper()
	return state(t, src, func(s naming.State[namerd.Stored]) bool { return s.Known && s.Err == nil && want(s.Value) }).Value
}

// state waits until a state is as wanted.
func state[T any](t *testing.T, src weft.Source[naming.State[T]], want func(naming.State[T]) bool) naming.State[T] {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	s, err := weft.Until(ctx, src, want)
	require.NoError(t, err, "%+v", s)
	return s
}

// pause waits for real servers, which fake clocks know nothing of.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// raw asks Consul itself and returns the answer.
func raw(t *testing.T, method, url, body string) string {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("X-Consul-Token", servers.ManagementToken)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	http.DefaultClient.CloseIdleConnections()
	return strings.TrimSpace(string(text))
}

// journal is a log that can be read while it is written.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *journal) logger() *slog.Logger { return slog.New(slog.NewTextHandler(j, nil)) }

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

// count returns how many lines have the text.
func (j *journal) count(text string) int { return strings.Count(j.String(), text) }

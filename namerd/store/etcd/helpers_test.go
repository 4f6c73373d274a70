package etcd_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/weft-mesh/weft"
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

// raw returns a client of etcd itself.
func raw(t *testing.T, url string, credentials ...string) *clientv3.Client {
	t.Helper()
	c := clientv3.Config{Endpoints: []string{url}, DialTimeout: 20 * time.Second, Logger: zap.NewNop()}
	if len(credentials) > 0 {
		c.Username, c.Password = credentials[0], credentials[1]
	}
	client, err := clientv3.New(c)
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	return client
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

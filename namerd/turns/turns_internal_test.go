package turns

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestTurns has what one writer has seen tell the next ones, unless they came later.
func TestTurns(t *testing.T) {
	t.Parallel()
	var all Turns[int]
	mine, end, err := all.Take(t.Context(), "web")
	require.NoError(t, err)
	_, known := mine.Since(time.Now())
	assert.False(t, known)
	before := time.Now()
	time.Sleep(time.Millisecond)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err = all.Take(ctx, "web")
	require.ErrorIs(t, err, context.Canceled)
	next := make(chan struct{})
	go func() {
		defer close(next)
		theirs, done, err := all.Take(t.Context(), "web")
		if assert.NoError(t, err) {
			v, known := theirs.Since(before)
			assert.True(t, known)
			assert.Equal(t, 7, v)
			_, known = theirs.Since(time.Now())
			assert.False(t, known)
			done()
		}
	}()
	require.Eventually(t, func() bool {
		all.mu.Lock()
		defer all.mu.Unlock()
		return all.all["web"].users == 2
	}, 20*time.Second, time.Millisecond)
	mine.Saw(7, time.Now())
	end()
	<-next
	assert.Empty(t, all.all)
}

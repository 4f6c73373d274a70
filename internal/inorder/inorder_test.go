package inorder_test

import (
	"errors"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/weft-mesh/weft/internal/inorder"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// with runs a test with one processor, and with several.
func with(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	for _, procs := range []int{1, 2, 8} {
		t.Run(strconv.Itoa(procs), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			test(t)
		})
	}
}

func TestPiecesComeInOrder(t *testing.T) {
	with(t, func(t *testing.T) {
		t.Helper()
		for _, n := range []int{0, 1, 2, 3, 17, 1000} {
			var (
				got, want []byte
				busy      = make([]atomic.Bool, inorder.New().Len())
			)
			for i := range n {
				want = append(strconv.AppendInt(want, int64(i), 10), ' ')
			}
			require.NoError(t, inorder.New().Do(n, func(worker, i int, buf []byte) []byte {
				assert.True(t, busy[worker].CompareAndSwap(false, true), "a worker does one thing at a time")
				defer busy[worker].Store(false)
				assert.Empty(t, buf)
				for range (i % 3) * 10 {
					runtime.Gosched() // some take longer
				}
				return append(strconv.AppendInt(buf, int64(i), 10), ' ')
			}, func(piece []byte) error {
				got = append(got, piece...)
				return nil
			}))
			assert.Equal(t, string(want), string(got))
		}
	})
}

// TestBuffersAreBounded: a reader that takes nothing holds up those who work.
func TestBuffersAreBounded(t *testing.T) {
	with(t, func(t *testing.T) {
		t.Helper()
		var made, taken atomic.Int64
		require.NoError(t, inorder.New().Do(300, func(_, _ int, buf []byte) []byte {
			assert.LessOrEqual(t, made.Add(1)-taken.Load(), int64(3*inorder.New().Len())+1)
			return append(buf, 'x')
		}, func([]byte) error {
			runtime.Gosched()
			taken.Add(1)
			return nil
		}))
		assert.EqualValues(t, 300, made.Load())
	})
}

func TestTheFirstErrorEndsIt(t *testing.T) {
	with(t, func(t *testing.T) {
		t.Helper()
		gone := errors.New("gone")
		var made atomic.Int64
		taken := 0
		err := inorder.New().Do(10_000, func(_, _ int, buf []byte) []byte {
			made.Add(1)
			return buf
		}, func([]byte) error {
			if taken++; taken == 5 {
				return gone
			}
			return nil
		})
		assert.Equal(t, gone, err)
		assert.Equal(t, 5, taken)
		assert.LessOrEqual(t, made.Load(), int64(5+3*8), "those who work hear of it")
	})
}

func TestPanicsReachTheCaller(t *testing.T) {
	with(t, func(t *testing.T) {
		t.Helper()
		assert.PanicsWithValue(t, "gauge", func() {
			_ = inorder.New().Do(100, func(_, i int, buf []byte) []byte {
				if i == 7 {
					panic("gauge")
				}
				return buf
			}, func([]byte) error { return nil })
		})
	})
}

// TestATeamOutlivesPanicsAndErrors: also those of who takes the pieces; nobody is left behind.
func TestATeamOutlivesPanicsAndErrors(t *testing.T) {
	with(t, func(t *testing.T) {
		t.Helper()
		team := inorder.New()
		piece := func(_, _ int, buf []byte) []byte { return append(buf, 'x') }
		for range 10 {
			assert.PanicsWithValue(t, "taken", func() {
				_ = team.Do(50, piece, func([]byte) error { panic("taken") })
			})
			assert.Panics(t, func() {
				_ = team.Do(50, func(int, int, []byte) []byte { panic("made") }, func([]byte) error { return nil })
			})
			require.Error(t, team.Do(50, piece, func([]byte) error { return errors.New("gone") }))
			n := 0
			require.NoError(t, team.Do(50, piece, func(p []byte) error {
				n += len(p)
				return nil
			}))
			assert.Equal(t, 50, n)
		}
	})
}

// TestBuffersServeAgain: a team whose pieces have their size makes no more memory for them.
func TestBuffersServeAgain(t *testing.T) {
	with(t, func(t *testing.T) {
		t.Helper()
		team := inorder.New()
		var made atomic.Int64
		do := func(n int) {
			require.NoError(t, team.Do(n, func(_, _ int, buf []byte) []byte {
				assert.Empty(t, buf)
				if cap(buf) < 1000 {
					made.Add(1)
					buf = make([]byte, 0, 1000)
				}
				return buf[:1000]
			}, func([]byte) error { return nil }))
		}
		for n := range 100 {
			do(n)
		}
		assert.LessOrEqual(t, made.Load(), int64(3*team.Len()))
	})
}

type writes struct {
	texts []string
	err   error
}

func (w *writes) Write(p []byte) (int, error) {
	w.texts = append(w.texts, string(p))
	return len(p), w.err
}

func TestOutput(t *testing.T) {
	var w writes
	o := inorder.Output{W: &w}
	require.NoError(t, o.Flush())
	assert.Empty(t, w.texts)
	require.NoError(t, o.Piece([]byte("a")))
	require.NoError(t, o.Piece([]byte("b")))
	assert.Empty(t, w.texts)
	require.NoError(t, o.Flush())
	large := strings.Repeat("x", 1<<17)
	require.NoError(t, o.Piece([]byte(large)))
	assert.Equal(t, []string{"ab", large}, w.texts)
	w.err = errors.New("gone")
	require.ErrorIs(t, o.Piece([]byte(large)), w.err)
	require.ErrorIs(t, o.Piece([]byte(large)), w.err)
	require.ErrorIs(t, o.Flush(), w.err)
	assert.Len(t, w.texts, 3, "nobody is there any more")
}

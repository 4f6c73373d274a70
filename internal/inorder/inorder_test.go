package inorder_test

import (
	"errors"
	"runtime"
	"strconv"
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
				busy      = make([]atomic.Bool, inorder.New(n).Len())
			)
			for i := range n {
				want = append(strconv.AppendInt(want, int64(i), 10), ' ')
			}
			require.NoError(t, inorder.New(n).Do(n, func(worker, i int, buf []byte) []byte {
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
		require.NoError(t, inorder.New(300).Do(300, func(_, _ int, buf []byte) []byte {
			assert.LessOrEqual(t, made.Add(1)-taken.Load(), int64(3*inorder.New(300).Len())+1)
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
		err := inorder.New(10_000).Do(10_000, func(_, _ int, buf []byte) []byte {
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
		assert.Less(t, made.Load(), int64(100))
	})
}

func TestPanicsReachTheCaller(t *testing.T) {
	with(t, func(t *testing.T) {
		t.Helper()
		assert.PanicsWithValue(t, "gauge", func() {
			_ = inorder.New(100).Do(100, func(_, i int, buf []byte) []byte {
				if i == 7 {
					panic("gauge")
				}
				return buf
			}, func([]byte) error { return nil })
		})
	})
}

// TestBuffersServeAgain: a team whose pieces have their size makes no more memory for them.
func TestBuffersServeAgain(t *testing.T) {
	with(t, func(t *testing.T) {
		t.Helper()
		team := inorder.New(100)
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

package weft_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
)

func TestZeroVarHoldsZero(t *testing.T) {
	var v weft.Var[string]
	got, stale := v.Load()
	assert.Empty(t, got)
	require.NotNil(t, stale)
	again, same := v.Load()
	assert.Empty(t, again)
	assert.Equal(t, stale, same, "two readers of one version wait for one channel")
}

func TestStoreWakesReadersOfTheOldVersion(t *testing.T) {
	v := weft.NewVar(1)
	_, first := v.Load()
	v.Store(2)
	select {
	case <-first:
	default:
		t.Fatal("the old version's channel must be closed")
	}
	got, second := v.Load()
	assert.Equal(t, 2, got)
	select {
	case <-second:
		t.Fatal("the current version's channel must be open")
	default:
	}
}

func TestConcurrentReadersSeeTheLastVersion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var v weft.Var[int]
		const last = 1000
		var readers sync.WaitGroup
		for range 8 {
			readers.Go(func() {
				seen := -1
				for {
					n, stale := v.Load()
					assert.GreaterOrEqual(t, n, seen, "versions never go back")
					if seen = n; n == last {
						return
					}
					<-stale
				}
			})
		}
		for i := range last {
			v.Store(i + 1)
		}
		readers.Wait()
	})
}

func TestUntil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := weft.NewVar(0)
		go func() {
			for i := range 5 {
				time.Sleep(time.Second)
				v.Store(i + 1)
			}
		}()
		got, err := weft.Until(t.Context(), v, func(n int) bool { return n >= 3 })
		require.NoError(t, err)
		assert.Equal(t, 3, got)

		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second/2, errTooLate)
		defer cancel()
		got, err = weft.Until(ctx, v, func(n int) bool { return n > 3 })
		require.ErrorIs(t, err, errTooLate)
		assert.Equal(t, 3, got)
		time.Sleep(time.Minute)
	})
	_, err := weft.Until(t.Context(), weft.Const[int]{V: 7}, func(n int) bool { return n == 8 })
	require.ErrorIs(t, err, weft.ErrNeverChanges)
	got, err := weft.Until(t.Context(), weft.Const[int]{V: 7}, func(n int) bool { return n == 7 })
	require.NoError(t, err)
	assert.Equal(t, 7, got)
}

var errTooLate = errors.New("too late")

func BenchmarkVarLoad(b *testing.B) {
	v := weft.NewVar(1)
	b.ReportAllocs()
	for b.Loop() {
		v.Load()
	}
}

func TestVarLoadAllocatesNothing(t *testing.T) {
	v := weft.NewVar(1)
	assert.Zero(t, testing.AllocsPerRun(100, func() { v.Load() }))
}

func ExampleVar() {
	var users weft.Var[int]
	users.Store(1)
	n, stale := users.Load()
	fmt.Println(n)
	users.Store(2)
	<-stale // there is a newer value
	n, _ = users.Load()
	fmt.Println(n)
	// Output:
	// 1
	// 2
}

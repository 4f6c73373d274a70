package naming_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

func set(addrs ...string) weft.EndpointSet {
	s := weft.EndpointSet{}
	for _, a := range addrs {
		s.Endpoints = append(s.Endpoints, weft.Endpoint{Addr: a})
	}
	return s
}

// TestWatchesSayWhatTheyBelieve goes through the life of a watch: no answer, an
// answer, one that confirms it, a failure, recovery.
func TestWatchesSayWhatTheyBelieve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reports := make(chan naming.State[weft.EndpointSet])
		s := naming.NewShared(naming.WatchFunc[string, weft.EndpointSet](func(ctx context.Context, _ string, set func(naming.State[weft.EndpointSet])) error {
			for {
				select {
				case r := <-reports:
					set(r)
				case <-ctx.Done():
					return nil
				}
			}
		}), naming.SharedOptions{})
		defer s.Close()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		src := s.Observe(ctx, "web")
		status := func() naming.WatchStatus {
			synctest.Wait()
			all := s.Watches()
			require.Len(t, all, 1)
			return all[0]
		}
		time.Sleep(3 * time.Second)
		assert.Equal(t, "web: no answer yet, for 3s", status().String())
		assert.True(t, status().Pending())

		reports <- naming.Ok(set("10.0.0.1:80", "10.0.0.2:80")).At("7")
		synctest.Wait()
		_, stale := src.Load()
		time.Sleep(2 * time.Second)
		assert.Equal(t, "web: 2 endpoints, version 7, 2s old", status().String())

		reports <- naming.Ok(set("10.0.0.1:80", "10.0.0.2:80")).At("8")
		assert.Equal(t, "web: 2 endpoints, version 8, just now", status().String())
		select {
		case <-stale:
			assert.Fail(t, "the same value again woke up its readers")
		default:
		}

		reports <- naming.Failed[weft.EndpointSet](errors.New("no route to host"))
		time.Sleep(time.Second)
		reports <- naming.Failed[weft.EndpointSet](errors.New("no route to host"))
		time.Sleep(time.Second)
		assert.Equal(t, "web: 2 endpoints, version 8, 2s old; failing for 2s: no route to host", status().String())
		v, _ := src.Load()
		assert.True(t, v.Known && v.Err != nil, "the last good answer holds, marked")
		assert.EqualValues(t, 2, status().Failures)
		assert.EqualValues(t, 2, status().Updates)

		reports <- naming.Ok(set("10.0.0.1:80", "10.0.0.2:80")).At("9")
		synctest.Wait()
		v, _ = src.Load()
		assert.NoError(t, v.Err, "what is confirmed is not stale any more")
		require.NoError(t, status().Err)
	})
}

func TestAWatchThatNeverAnsweredSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := naming.NewShared(naming.WatchFunc[string, weft.EndpointSet](func(ctx context.Context, _ string, set func(naming.State[weft.EndpointSet])) error {
			set(naming.Failed[weft.EndpointSet](errors.New("403 Forbidden")))
			<-ctx.Done()
			return nil
		}), naming.SharedOptions{})
		defer s.Close()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s.Observe(ctx, "web")
		time.Sleep(time.Second)
		require.Len(t, s.Watches(), 1)
		assert.Equal(t, "web: never answered; failing for 1s: 403 Forbidden", s.Watches()[0].String())
	})
}

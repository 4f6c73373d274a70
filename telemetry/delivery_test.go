package telemetry_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/telemetry"
)

// collector is the far end of a Delivery.
type collector struct {
	mu    sync.Mutex
	fails func(call int) error
	calls []time.Time
	sizes []int
	spans []string
}

func (c *collector) send(_ context.Context, spans []telemetry.Span) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = append(c.calls, time.Now())
	if c.fails != nil {
		if err := c.fails(len(c.calls)); err != nil {
			return err
		}
	}
	c.sizes = append(c.sizes, len(spans))
	for _, s := range spans {
		c.spans = append(c.spans, s.Name)
	}
	return nil
}

// batches returns the sizes of what was sent so far.
func (c *collector) batches() []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.sizes)
}

// times returns when something was sent so far.
func (c *collector) times() []time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.calls)
}

func span(name string) telemetry.Span { return telemetry.Span{Name: name} }

func TestDeliveryGathersBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &collector{}
		tree := telemetry.NewTree(telemetry.Options{Window: -1})
		d := telemetry.NewDelivery(telemetry.DeliveryOptions{Send: c.send, Batch: 3, Scope: tree.Scope("telemeter", "x")})
		start := time.Now()
		for i := range 7 {
			d.Record(span(fmt.Sprint(i)))
		}
		synctest.Wait()
		assert.Equal(t, []int{3, 3}, c.batches(), "whole batches do not wait")
		time.Sleep(telemetry.DefaultSpanInterval)
		synctest.Wait()
		assert.Equal(t, []int{3, 3, 1}, c.batches())
		assert.Equal(t, telemetry.DefaultSpanInterval, c.times()[2].Sub(start))
		d.Record(span("7"))
		require.NoError(t, d.Close())
		require.NoError(t, d.Close())
		assert.Equal(t, telemetry.DefaultSpanInterval, time.Since(start), "what is left is sent at once")
		assert.Equal(t, strings.Fields("0 1 2 3 4 5 6 7"), c.spans)
		d.Record(span("8"))
		assert.Equal(t, int64(8), tree.Scope("telemeter", "x").Counter("spans", "sent").Value())
		assert.Equal(t, int64(1), tree.Scope("telemeter", "x").Counter("spans", "dropped").Value())
	})
}

func TestDeliveryTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		c := &collector{fails: func(call int) error {
			if call <= 3 {
				return errors.New("connection refused")
			}
			return nil
		}}
		d := telemetry.NewDelivery(telemetry.DeliveryOptions{Send: c.send, Batch: 1, Queue: 2, Logger: slog.New(slog.NewTextHandler(&logged, nil))})
		start := time.Now()
		d.Record(span("first"))
		synctest.Wait()
		for _, name := range []string{"second", "third", "too many"} {
			d.Record(span(name))
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		assert.Equal(t, []string{"first", "second", "third"}, c.spans)
		assert.Equal(t, int64(1), d.Dropped())
		var waits []time.Duration
		for _, at := range c.times()[:4] {
			waits = append(waits, at.Sub(start))
		}
		ms := time.Millisecond
		assert.Equal(t, []time.Duration{0, 250 * ms, 750 * ms, 1750 * ms}, waits)
		assert.Equal(t, 1, strings.Count(logged.String(), "level=WARN"), "one line for an outage: %s", &logged)
		assert.Contains(t, logged.String(), "connection refused")
		assert.Contains(t, logged.String(), `msg="the collector takes spans again" dropped=1`)
		require.NoError(t, d.Close())
	})
}

func TestDeliveryGivesUp(t *testing.T) {
	for _, v := range []struct {
		name     string
		err      error
		attempts int
		after    time.Duration
	}{
		{"undeliverable", fmt.Errorf("400: %w", telemetry.ErrUndeliverable), 1, 0},
		{"for too long", errors.New("refused"), 9, 27750 * time.Millisecond}, // 0.25+0.5+1+2+4+5+5+5+5
	} {
		t.Run(v.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &collector{fails: func(int) error { return v.err }}
				d := telemetry.NewDelivery(telemetry.DeliveryOptions{Send: c.send, Batch: 1})
				start := time.Now()
				d.Record(span("x"))
				time.Sleep(time.Hour)
				synctest.Wait()
				assert.Equal(t, int64(1), d.Dropped())
				assert.Equal(t, int64(0), d.Sent())
				assert.Len(t, c.times(), v.attempts+v.attempts/9)
				assert.LessOrEqual(t, c.times()[len(c.times())-1].Sub(start), v.after)
				require.NoError(t, d.Close())
			})
		})
	}
}

func TestDeliveryCountsWhatWasRejected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		d := telemetry.NewDelivery(telemetry.DeliveryOptions{Batch: 3, Send: func(context.Context, []telemetry.Span) error {
			calls++
			return fmt.Errorf("partly: %w", &telemetry.RejectedError{Spans: 2, Reason: errors.New("too old")})
		}})
		for range 3 {
			d.Record(span("x"))
		}
		require.NoError(t, d.Close())
		assert.Equal(t, []int64{1, 2, 1}, []int64{d.Sent(), d.Dropped(), int64(calls)})
	})
}

func TestDeliveryOfACollectorThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ended []time.Time
		start := time.Now()
		d := telemetry.NewDelivery(telemetry.DeliveryOptions{Batch: 1, Queue: 100, Send: func(ctx context.Context, _ []telemetry.Span) error {
			<-ctx.Done()
			ended = append(ended, time.Now())
			return ctx.Err()
		}})
		for range 201 {
			d.Record(span("x"))
		}
		time.Sleep(6 * time.Second)
		synctest.Wait()
		require.Len(t, ended, 1)
		assert.Equal(t, telemetry.DefaultSendTimeout, ended[0].Sub(start))
		closing := time.Now()
		require.NoError(t, d.Close())
		assert.Equal(t, telemetry.DefaultSpanLinger, time.Since(closing))
		assert.Equal(t, int64(201), d.Dropped(), "every span is counted")
		assert.Len(t, ended, 2, "what is left is not tried when time is up")
	})
}

func TestDeliveryEndsSoonWithACollectorThatRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &collector{fails: func(int) error { return errors.New("refused") }}
		d := telemetry.NewDelivery(telemetry.DeliveryOptions{Send: c.send, Batch: 1})
		for range 5 {
			d.Record(span("x"))
		}
		time.Sleep(2 * time.Second) // it waits before the next attempt
		closing := time.Now()
		require.NoError(t, d.Close())
		assert.Zero(t, time.Since(closing))
		assert.Equal(t, int64(5), d.Dropped())
	})
}

func TestDeliverySaysThatItDrops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		d := telemetry.NewDelivery(telemetry.DeliveryOptions{
			Batch: 1, Queue: 1, Logger: slog.New(slog.NewTextHandler(&logged, nil)),
			Send: func(context.Context, []telemetry.Span) error { time.Sleep(time.Second); return nil },
		})
		for range 3 * 60 * 4 {
			d.Record(span("x"))
			time.Sleep(250 * time.Millisecond)
		}
		require.NoError(t, d.Close())
		n := strings.Count(logged.String(), "a lower sampleRate may help")
		assert.True(t, n >= 3 && n <= 4, "a line a minute: %s", &logged)
	})
}

func TestDeliveryCostsLittleMemory(t *testing.T) {
	release := make(chan struct{})
	d := telemetry.NewDelivery(telemetry.DeliveryOptions{Send: func(context.Context, []telemetry.Span) error { <-release; return nil }})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range 100_000 {
		s := span("x")
		s.Tags = make([]telemetry.Tag, 12)
		d.Record(s)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	assert.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(8<<20))
	close(release)
	require.NoError(t, d.Close())
	assert.Equal(t, int64(100_000), d.Sent()+d.Dropped())
	assert.Positive(t, d.Dropped())
}

func BenchmarkDeliveryRecord(b *testing.B) {
	d := telemetry.NewDelivery(telemetry.DeliveryOptions{Send: func(context.Context, []telemetry.Span) error { return nil }})
	defer d.Close()
	s := span("x")
	b.ReportAllocs()
	for b.Loop() {
		d.Record(s)
	}
}

package telemetry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// ErrUndeliverable is wrapped by errors of DeliveryOptions.Send that say that another
// attempt would fare no better: the collector does not want these spans.
var ErrUndeliverable = errors.New("the collector does not take these spans")

// RejectedError is returned by a DeliveryOptions.Send whose collector took a batch but for
// some of its spans, which are not to be sent again.
type RejectedError struct {
	Spans  int
	Reason error
}

// Error implements error.
func (e *RejectedError) Error() string {
	return fmt.Sprintf("%d spans were rejected: %v", e.Spans, e.Reason)
}

// Unwrap returns the reason.
func (e *RejectedError) Unwrap() error { return e.Reason }

// The defaults of DeliveryOptions.
const (
	DefaultSpanQueue    = 8192
	DefaultSpanBatch    = 512
	DefaultSpanInterval = time.Second
	DefaultSendTimeout  = 5 * time.Second
	DefaultSendPatience = 30 * time.Second
	DefaultSpanLinger   = 2 * time.Second
)

const (
	firstRetry  = 250 * time.Millisecond // doubled each time
	slowRetry   = 5 * time.Second
	dropsReport = time.Minute // between two log lines about spans that found no room
)

// DeliveryOptions configure a Delivery. The zero values are the defaults.
type DeliveryOptions struct {
	// Send delivers spans, which it must not keep or write to, before ctx ends. One call
	// is made at a time. A batch whose Send returns an error is sent again, unless the
	// error wraps ErrUndeliverable.
	Send func(ctx context.Context, spans []Span) error

	Queue    int           // spans that wait at most; those beyond are dropped and counted
	Batch    int           // spans of one Send at most
	Interval time.Duration // how long a span waits for others at most
	Timeout  time.Duration // of one Send
	Patience time.Duration // how long a batch is sent again before it is dropped
	Linger   time.Duration // how long Close delivers what is left

	// Scope gets the metrics: spans/sent, spans/dropped, sends/failures and the gauge
	// spans/queued. Nil counts nothing that can be seen.
	Scope *Scope

	// Logger hears when the collector begins to fail and when it is well again. Nil is
	// silent.
	Logger *slog.Logger
}

// Delivery is a Tracer that delivers spans in batches, from a queue of limited length
// and by one goroutine: whatever becomes of the collector, Record takes a fraction of a
// microsecond and the memory stays the same. It is safe for concurrent use.
type Delivery struct {
	o      DeliveryOptions
	spans  chan Span
	closed atomic.Bool

	sent, dropped, failures *Counter

	stop     chan struct{}
	stopOnce sync.Once
	ctx      context.Context //nolint:containedctx // ends when Close has lingered
	cancel   context.CancelFunc
	stopped  sync.WaitGroup

	// Of the goroutine alone.
	failing  bool      // the last Send failed
	lost     int64     // of dropped, what was told of
	reported time.Time // when that was
}

// NewDelivery returns a Delivery that runs. Close it.
func NewDelivery(o DeliveryOptions) *Delivery {
	o.Queue, o.Batch = cmp.Or(max(o.Queue, 0), DefaultSpanQueue), cmp.Or(max(o.Batch, 0), DefaultSpanBatch)
	o.Interval, o.Timeout = cmp.Or(o.Interval, DefaultSpanInterval), cmp.Or(o.Timeout, DefaultSendTimeout)
	o.Patience, o.Linger = cmp.Or(o.Patience, DefaultSendPatience), cmp.Or(o.Linger, DefaultSpanLinger)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	d := &Delivery{
		o: o, spans: make(chan Span, o.Queue), stop: make(chan struct{}),
		sent: counterAt(o.Scope, "spans", "sent"), dropped: counterAt(o.Scope, "spans", "dropped"),
		failures: counterAt(o.Scope, "sends", "failures"),
	}
	o.Scope.Scope("spans").Gauge("queued", func() float64 { return float64(len(d.spans)) })
	d.ctx, d.cancel = context.WithCancel(context.Background())
	d.stopped.Go(d.run)
	return d
}

// counterAt returns a counter that counts even if nobody can see it.
func counterAt(s *Scope, path ...string) *Counter {
	if s == nil {
		return new(Counter)
	}
	return s.Counter(path...)
}

// Record implements Tracer. It never waits: a span that finds the queue full, or the
// Delivery closed, is dropped and counted.
func (d *Delivery) Record(s Span) {
	if d.closed.Load() {
		d.dropped.Inc()
		return
	}
	select {
	case d.spans <- s:
	default:
		d.dropped.Inc()
	}
}

// Sent and Dropped are how many spans the collector took, and how many nobody will see.
// Deliveries that share a scope count together.
func (d *Delivery) Sent() int64 { return d.sent.Value() }

// Dropped is described at Sent.
func (d *Delivery) Dropped() int64 { return d.dropped.Value() }

// Close delivers what is in the queue as far as Linger allows, drops and counts the
// rest, and waits for the end of all that. It returns nil.
func (d *Delivery) Close() error {
	d.stopOnce.Do(func() {
		d.closed.Store(true)
		late := time.AfterFunc(d.o.Linger, d.cancel)
		defer late.Stop()
		close(d.stop)
		d.stopped.Wait()
		d.cancel()
	}) // who comes second waits for the first
	return nil
}

func (d *Delivery) run() {
	batch := make([]Span, 0, d.o.Batch)
	for {
		if batch = d.gather(batch); len(batch) == 0 {
			return
		}
		d.deliver(batch)
		clear(batch) // their texts are not to live on
		d.reportDrops()
	}
}

// gather waits for spans and returns them in the memory of batch. There are none only
// when the Delivery is closed and the queue empty.
func (d *Delivery) gather(batch []Span) []Span {
	batch = batch[:0]
	stop := d.stop
	select {
	case s := <-d.spans:
		batch = append(batch, s)
	case <-stop:
	}
	full := time.NewTimer(d.o.Interval)
	defer full.Stop()
	for len(batch) < cap(batch) {
		select {
		case s := <-d.spans:
			batch = append(batch, s)
			continue
		default:
		}
		select {
		case s := <-d.spans:
			batch = append(batch, s)
		case <-full.C:
			return batch
		case <-stop:
			return batch
		}
	}
	return batch
}

// deliver sends a batch until it arrives, or drops it.
func (d *Delivery) deliver(batch []Span) {
	began, wait := time.Now(), firstRetry
	for {
		err := d.ctx.Err()
		if err == nil {
			ctx, cancel := context.WithTimeout(d.ctx, d.o.Timeout)
			err = d.o.Send(ctx, batch)
			cancel()
			var some *RejectedError
			if err == nil || errors.As(err, &some) {
				d.delivered(len(batch), some)
				return
			}
			d.failed(err)
		}
		hopeless := errors.Is(err, ErrUndeliverable) || d.closed.Load() || time.Since(began)+wait > d.o.Patience
		if hopeless || d.ctx.Err() != nil {
			d.dropped.Add(int64(len(batch)))
			return
		}
		again := time.NewTimer(wait)
		select {
		case <-again.C:
		case <-d.stop: // once more, at once
		}
		again.Stop()
		wait = min(2*wait, slowRetry)
	}
}

func (d *Delivery) delivered(n int, but *RejectedError) {
	if but != nil {
		rejected := min(max(but.Spans, 0), n)
		n -= rejected
		d.dropped.Add(int64(rejected))
	}
	d.sent.Add(int64(n))
	if d.failing {
		d.failing = false
		d.o.Logger.Info("the collector takes spans again", "dropped", d.Dropped()-d.lost)
		d.lost, d.reported = d.Dropped(), time.Now()
	}
}

func (d *Delivery) failed(err error) {
	d.failures.Inc()
	if !d.failing {
		d.failing = true
		d.o.Logger.Warn("spans are not delivered: they wait, and are dropped when there are too many", "error", err)
	}
}

// reportDrops tells now and then of spans that are lost though the collector answers.
func (d *Delivery) reportDrops() {
	if lost := d.Dropped(); !d.failing && lost > d.lost && time.Since(d.reported) >= dropsReport {
		d.o.Logger.Warn("spans are dropped: the collector is slower than they are recorded, or does not take all; a lower sampleRate may help", "dropped", lost-d.lost)
		d.lost, d.reported = lost, time.Now()
	}
}

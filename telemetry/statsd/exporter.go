package statsd

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weft-mesh/weft/telemetry"
)

// The defaults of Options, which are the original's.
const (
	DefaultPrefix     = "linkerd"
	DefaultHost       = "127.0.0.1"
	DefaultPort       = 8125
	DefaultInterval   = 10 * time.Second
	DefaultSampleRate = 0.01
	DefaultQueue      = 10_000
)

// Options configure an Exporter. The zero Options are the defaults, but for SampleRate.
type Options struct {
	// Tree has the metrics.
	Tree *telemetry.Tree

	Prefix string // of every name, without its dot
	Host   string // of the statsd, a name or an address
	Port   int

	// Interval is the time between two values of a gauge, and of what a counter has grown
	// by.
	Interval time.Duration

	// SampleRate is the share of the values of stats that are sent, 0 for none.
	SampleRate float64

	// Queue is how many lines wait at most; those beyond are dropped and counted.
	Queue int

	// Scope gets the metrics of the exporter itself: lines/sent, lines/dropped,
	// sends/failures and the gauge lines/queued.
	Scope *telemetry.Scope

	// Logger hears when the host cannot be resolved and when it can. Nil is silent.
	Logger *slog.Logger
}

// Exporter sends the metrics of a tree to a statsd until it is closed.
type Exporter struct {
	o      Options
	dest   string
	prefix string // with its dot
	suffix string // of sampled values
	lines  chan line
	found  atomic.Bool   // the host's address is known
	looked chan struct{} // closed when it is, or will not be

	sent, dropped, failures *telemetry.Counter

	stop    context.CancelFunc
	ended   <-chan struct{} // the tree is not read any more
	stopped sync.WaitGroup
	unhook  func()
	once    sync.Once
}

// line is a line in the making, so that nobody on the path of a request allocates.
type line struct {
	name   string // with prefix and colon
	text   string // what follows, if it is not the value
	value  int64
	suffix string
}

// New returns an Exporter that runs. Close it. It does not wait for the host's name to be
// resolved; what is not known at first waits in the queue.
func New(o Options) *Exporter {
	o.Prefix, o.Host = cmp.Or(o.Prefix, DefaultPrefix), cmp.Or(o.Host, DefaultHost)
	o.Port, o.Interval, o.Queue = cmp.Or(o.Port, DefaultPort), cmp.Or(o.Interval, DefaultInterval), cmp.Or(o.Queue, DefaultQueue)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	e := &Exporter{
		o: o, dest: net.JoinHostPort(o.Host, strconv.Itoa(o.Port)), prefix: o.Prefix + ".", suffix: "|ms",
		lines: make(chan line, o.Queue), looked: make(chan struct{}),
		sent: counter(o.Scope, "lines", "sent"), dropped: counter(o.Scope, "lines", "dropped"), failures: counter(o.Scope, "sends", "failures"),
	}
	if o.SampleRate < 1 {
		e.suffix += "|@" + strconv.FormatFloat(o.SampleRate, 'f', 6, 64)
	}
	o.Scope.Scope("lines").Gauge("queued", func() float64 { return float64(len(e.lines)) })
	e.unhook = o.Tree.SampleStats(o.SampleRate, e.stat)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	e.stop, e.ended = stop, ended
	e.stopped.Go(func() {
		defer close(ended)
		e.flushAll(ctx)
	})
	e.stopped.Go(func() { e.sendAll(ctx) })
	return e
}

func counter(s *telemetry.Scope, path ...string) *telemetry.Counter {
	if s == nil {
		return new(telemetry.Counter)
	}
	return s.Counter(path...)
}

// stat returns what is told of the sampled values of a stat.
func (e *Exporter) stat(path []string) func(int64) {
	name := e.name(path)
	return func(v int64) { e.offer(line{name: name, value: v, suffix: e.suffix}) }
}

func (e *Exporter) name(path []string) string { return e.prefix + Name(path) + ":" }

// offer queues a line if there is room.
func (e *Exporter) offer(l line) {
	select {
	case e.lines <- l:
	default:
		e.dropped.Inc()
	}
}

// Sent and Dropped are how many lines left, and how many found no room.
func (e *Exporter) Sent() int64 { return e.sent.Value() }

// Dropped is described at Sent.
func (e *Exporter) Dropped() int64 { return e.dropped.Value() }

// Close sends what counters have grown by and what is in the queue, if the host is known,
// and waits for the end of all that. It returns nil.
func (e *Exporter) Close() error {
	e.once.Do(func() {
		e.unhook()
		e.stop()
	})
	e.stopped.Wait()
	return nil
}

// gauge is a value with up to six decimals.
func gauge(v float64) string {
	text := strconv.FormatFloat(v, 'f', 6, 64)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

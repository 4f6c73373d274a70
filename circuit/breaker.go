package circuit

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/weft-mesh/weft"
)

// Options configures a Breaker. The zero value trips at five failures in a row.
type Options struct {
	// Policy judges the endpoint. Nil is ConsecutiveFailures{}.
	Policy Policy

	// ProbeTimeout is how long a probe may keep other requests from probing. A probe
	// that has not ended by then stops blocking but still counts when it ends, so
	// that slow answers and long streams are neither failures nor lost. Zero is
	// 10 s.
	ProbeTimeout time.Duration

	// OnStatus is told every change of Status but that of Close, in order, if set.
	// It is called with the Breaker's lock held: it must not block nor call the
	// Breaker.
	OnStatus func(weft.Status)

	// Group limits how much of a cluster is out at once. Nil is no limit.
	Group *Group

	// Stats is added to. Breakers may share it. Nil is the Breaker's own.
	Stats *Stats
}

// Stats counts what breakers do. It is safe for concurrent use.
type Stats struct {
	Removals      atomic.Int64 // endpoints taken out that were in
	Revivals      atomic.Int64 // endpoints back after a successful probe
	Probes        atomic.Int64 // requests let through as a probe
	RemovedForMs  atomic.Int64 // sum of the times that endpoints were to be out for
	ProbeTimeouts atomic.Int64 // probes that did not end within ProbeTimeout
	Capped        atomic.Int64 // removals that the Group refused
}

// State is where a Breaker is in its cycle.
type State uint8

// The states of a Breaker. A request that arrives in ProbeOpen becomes the probe.
const (
	Alive       State = iota // judged by the policy
	Dead                     // out until a timer fires
	ProbeOpen                // waiting for a request to probe with
	ProbeClosed              // waiting for the probe to end
	closed
)

// String returns the state's name in lower case.
func (s State) String() string {
	names := [...]string{"alive", "dead", "probe open", "probe closed", "closed"}
	if int(s) < len(names) {
		return names[s]
	}
	return "unknown"
}

// status is what the balancer is told of a state.
func (s State) status() weft.Status {
	switch s {
	case Alive, ProbeOpen:
		return weft.Open
	case closed:
		return weft.Closed
	default:
		return weft.Busy
	}
}

// Token ties an outcome to the time at which its request was sent.
type Token uint64

// A word is a State and, above it, the generation: the number of changes so far.
// A Token is the word as its request found it or, if it became the probe, made it.
const (
	stateBits = 3
	stateMask = 1<<stateBits - 1
)

func (t Token) state() State { return State(t & stateMask) }
func (t Token) gen() uint64  { return uint64(t >> stateBits) }

// beside returns the token of a request that is sent while another one probes: the
// word itself is the probe's.
func (t Token) beside() Token {
	if t.state() == ProbeClosed {
		return t&^stateMask | Token(Dead)
	}
	return t
}

// Breaker takes one endpoint out while it fails. It only advises: its Status is
// for the balancer, and requests that are sent to a busy endpoint all the same
// pass. Use New to make one; it is safe for concurrent use.
//
// Differing from Finagle, an outcome counts only for what its request can tell: a
// probe alone decides about the outage in which it was sent, and a failure counts
// only if the endpoint has not been out since its request was sent.
type Breaker struct {
	word    atomic.Uint64
	accrual Accrual
	options Options

	mu     sync.Mutex // held for every change
	outage uint64     // generation in which the endpoint was last taken out
	timer  *time.Timer
	out    time.Time // since when it is not Alive; zero while it is
	until  time.Time // when the timer fires
}

const defaultProbeTimeout = 10 * time.Second

// New returns a Breaker that is Alive. The owner calls Close when the endpoint is
// gone.
func New(o Options) *Breaker {
	if o.Policy == nil {
		o.Policy = ConsecutiveFailures{}
	}
	if o.ProbeTimeout == 0 {
		o.ProbeTimeout = defaultProbeTimeout
	}
	if o.Stats == nil {
		o.Stats = &Stats{}
	}
	o.Group.join()
	return &Breaker{accrual: o.Policy.New(), options: o}
}

// Begin is called when a request is about to be sent. Its Token goes to End.
func (b *Breaker) Begin() Token {
	t := b.now()
	switch t.state() {
	case ProbeOpen:
		return b.probe()
	case ProbeClosed:
		return t.beside()
	default:
		return t
	}
}

// End is called with the outcome of a request, once. Failing to connect is an
// outcome like any other. An outcome that is weft.Ignored counts neither way; if it
// is the probe's, the next request probes.
func (b *Breaker) End(t Token, res weft.Result) {
	switch {
	case res.Class == weft.Success:
		b.accrual.Success()
		if t.state() == ProbeClosed {
			b.succeeded(t)
		}
	case res.Class.Failed():
		b.failed(t)
	case t.state() == ProbeClosed:
		b.ignored(t)
	}
}

// Status returns Open, Busy while the endpoint is out or being probed, and Closed
// after Close.
func (b *Breaker) Status() weft.Status { return b.State().status() }

// State returns the state.
func (b *Breaker) State() State { return Token(b.word.Load()).state() }

// Stats returns the counters that the Breaker adds to.
func (b *Breaker) Stats() *Stats { return b.options.Stats }

// Close stops the Breaker and gives back its part of the Group. It is idempotent.
// OnStatus is not called any more after it.
func (b *Breaker) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.now()
	if t.state() == closed {
		return nil
	}
	if t.state() != Alive {
		b.options.Group.leave()
	}
	b.options.Group.part()
	b.stop()
	b.word.Store(uint64(next(t, closed)))
	return nil
}

func (b *Breaker) now() Token { return Token(b.word.Load()) }

// probe makes the calling request the probe, unless another one was faster.
func (b *Breaker) probe() Token {
	b.mu.Lock()
	defer b.mu.Unlock()
	if t := b.now(); t.state() != ProbeOpen {
		return t.beside()
	}
	b.options.Stats.Probes.Add(1)
	return b.enter(ProbeClosed, b.options.ProbeTimeout)
}

func (b *Breaker) succeeded(t Token) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.decides(t) {
		return
	}
	b.options.Stats.Revivals.Add(1)
	b.accrual.Revived()
	b.options.Group.leave()
	b.enter(Alive, 0)
}

func (b *Breaker) failed(t Token) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.decides(t):
		if dead, trip := b.accrual.Failure(); trip {
			b.kill(dead)
		} else {
			b.enter(ProbeOpen, 0)
		}
	case t.state() == Alive && t == b.now():
		dead, trip := b.accrual.Failure()
		switch {
		case !trip:
		case !b.options.Group.enter():
			// The policy starts over, so that its backoff does not grow while the
			// endpoint stays in.
			b.options.Stats.Capped.Add(1)
			b.accrual.Revived()
		default:
			b.options.Stats.Removals.Add(1)
			b.kill(dead)
		}
	}
}

func (b *Breaker) ignored(t Token) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if t == b.now() {
		b.enter(ProbeOpen, 0)
	}
}

// decides reports whether t is of a probe of the present outage, be it one that
// has run out of time.
func (b *Breaker) decides(t Token) bool {
	state := b.now().state()
	return t.state() == ProbeClosed && t.gen() > b.outage && (state == ProbeOpen || state == ProbeClosed)
}

func (b *Breaker) kill(dead time.Duration) {
	b.options.Stats.RemovedForMs.Add(dead.Milliseconds())
	b.outage = b.enter(Dead, dead).gen()
}

// enter changes the state; timeout is how long Dead and ProbeClosed last.
func (b *Breaker) enter(s State, timeout time.Duration) Token {
	b.stop()
	old := b.now()
	t := next(old, s)
	b.word.Store(uint64(t))
	now := time.Now()
	if s == Dead || s == ProbeClosed {
		b.until = now.Add(timeout)
		b.timer = time.AfterFunc(timeout, func() { b.expire(t) })
	}
	switch {
	case s == Alive:
		b.out = time.Time{}
	case old.state() == Alive:
		b.out = now
	}
	if b.options.OnStatus != nil && s.status() != old.state().status() {
		b.options.OnStatus(s.status())
	}
	return t
}

// expire ends the state that t is of, if it is still the present one.
func (b *Breaker) expire(t Token) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if t != b.now() {
		return
	}
	if t.state() == ProbeClosed {
		b.options.Stats.ProbeTimeouts.Add(1)
	}
	b.enter(ProbeOpen, 0)
}

func (b *Breaker) stop() {
	if b.timer != nil {
		b.timer.Stop()
		b.timer = nil
	}
}

func next(t Token, s State) Token { return Token((t.gen()+1)<<stateBits | uint64(s)) }

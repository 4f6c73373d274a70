package circuit

import (
	"fmt"
	"time"
)

// View is what a Breaker has come to, at one moment, for people to look at.
type View struct {
	State State

	// Policy says in words when the endpoint is taken out: "consecutiveFailures: 5".
	Policy string

	// Standing says in words what the policy has seen: "2 consecutive failures". It
	// is empty if there is nothing to say.
	Standing string

	// Failures are those that the policy has counted: in a row, or since the endpoint
	// was last well, as the policy has it.
	Failures int

	// Out is for how long the endpoint has not been Alive.
	Out time.Duration

	// Retry is how long a state that ends by itself lasts yet: when a Dead endpoint
	// is probed next, and until when the probe of a ProbeClosed one is waited for.
	Retry time.Duration
}

// View returns what the Breaker has come to. It holds up changes of the state for a
// moment, and no requests.
func (b *Breaker) View() View {
	v := View{Policy: "none"}
	d, ok := b.accrual.(Describer)
	if !ok {
		d = unknown{b.accrual}
	}
	v.Policy, v.Standing, v.Failures = d.Describe()

	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	v.State = b.now().state()
	if v.State == closed || v.State == Alive {
		return v
	}
	v.Out = now.Sub(b.out)
	if v.State != ProbeOpen {
		v.Retry = max(b.until.Sub(now), 0)
	}
	return v
}

// Describer is implemented by an Accrual that can tell people about itself.
type Describer interface {
	// Describe returns the fields of View of the same names. It is safe for concurrent
	// use and quick.
	Describe() (policy, standing string, failures int)
}

// unknown describes an Accrual that does not describe itself.
type unknown struct{ a Accrual }

func (u unknown) Describe() (policy, standing string, failures int) {
	return fmt.Sprintf("%T", u.a), "", 0
}

// Describe implements Describer.
func (never) Describe() (policy, standing string, failures int) { return "none", "", 0 }

// Describe implements Describer.
func (h hybrid) Describe() (policy, standing string, failures int) {
	for _, a := range [...]Accrual{h.a, h.b} {
		d, ok := a.(Describer)
		if !ok {
			d = unknown{a}
		}
		p, s, n := d.Describe()
		policy, standing, failures = join(policy, " or ", p), join(standing, ", ", s), max(failures, n)
	}
	return policy, standing, failures
}

func join(a, between, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + between + b
}

// Describe implements Describer.
func (c *consecutive) Describe() (policy, standing string, failures int) {
	n := int(c.failures.Load())
	return fmt.Sprintf("consecutiveFailures: %d", c.limit), plural(n, "consecutive failure"), n
}

// Describe implements Describer.
func (r *rate) Describe() (policy, standing string, failures int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return fmt.Sprintf("successRate: %g in %d requests", r.required, r.requests), standingOf(r.value, r.seen), r.failures
}

// Describe implements Describer.
func (w *windowedRate) Describe() (policy, standing string, failures int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	o := w.options
	return fmt.Sprintf("successRateWindowed: %g in %s", o.Rate, o.Window), standingOf(w.average.value, w.seen), w.failures
}

// standingOf is the standing of a policy of success rates.
func standingOf(value float64, seen int64) string {
	if seen == 0 {
		return ""
	}
	return fmt.Sprintf("success rate %.2f", value)
}

func plural(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// FailFastView is what a FailFast has come to, at one moment. The zero view is that
// of an endpoint that is up.
type FailFastView struct {
	// Err is that of FailFast.Err: not nil while the endpoint is down.
	Err error
	// Down is for how long, Failed how many probes have failed since.
	Down   time.Duration
	Failed int
	// Retry is how long it is to the next probe, 0 while one is made.
	Retry time.Duration
}

// View returns what the FailFast has come to.
func (f *FailFast) View() FailFastView {
	f.mu.Lock()
	defer f.mu.Unlock()
	d := f.down.Load()
	if d == nil || f.closed.Load() {
		return FailFastView{}
	}
	now := time.Now()
	return FailFastView{Err: d.err, Down: now.Sub(d.since), Failed: int(d.tries.Load()), Retry: max(f.next.Sub(now), 0)}
}

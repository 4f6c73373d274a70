package balancer

import "time"

// Fallback is what to do with a request when no healthy endpoint was found.
type Fallback uint8

// The fallbacks.
const (
	// PickAnyway sends the request to an unhealthy endpoint after MaxEffort draws
	// found nothing better: health information may be wrong, and with a large
	// part of the set unhealthy the rest is not made to carry everything.
	PickAnyway Fallback = iota
	// FailFast returns ErrUnhealthy. An unhealthy endpoint is never picked; when
	// MaxEffort draws missed the healthy ones they are searched for.
	FailFast
	// WaitHealthy is like FailFast, but waits until an endpoint becomes healthy,
	// the context ends or MaxWait has passed.
	WaitHealthy
)

// Defaults of Options.
const (
	DefaultMaxEffort = 5
	DefaultMaxWait   = 3 * time.Second
)

// Options configure a Balancer. The zero Options are the documented defaults.
type Options struct {
	// Policy chooses; nil means P2C{}.
	Policy Policy

	// MaxEffort is how many draws may come back unhealthy before OnAllUnhealthy
	// applies; 0 means 5. For P2C over a set of which the share u is unhealthy,
	// that happens to a request with the probability u^(2·MaxEffort).
	MaxEffort int

	// OnAllUnhealthy is what happens then.
	OnAllUnhealthy Fallback

	// MaxWait bounds the waiting of WaitHealthy; 0 means 3 s.
	MaxWait time.Duration

	// Probation keeps endpoints that vanish from the set for as long as they are
	// Open, so that a failing discovery service does not take working endpoints
	// away.
	Probation bool

	// Attach makes the Endpoint.Attachment of a new handle, before the handle can
	// be picked. It must not call the balancer, but may call the endpoint. An
	// earlier handle of the same address may still have work, if that was detached
	// from the set and its last pick ended while the address was coming back.
	Attach func(*Endpoint) any

	// Detach is called once per handle, after the endpoint has left the set (or the
	// balancer was closed) and the last pick of it is done. It runs on whichever
	// goroutine ended it: in Update, Close or Pick.Done.
	Detach func(*Endpoint)

	// Rand is the source of random numbers; the zero value is the right one but
	// in tests.
	Rand Rand
}

func (o Options) withDefaults() Options {
	if o.Policy == nil {
		o.Policy = P2C{}
	}
	if o.MaxEffort <= 0 {
		o.MaxEffort = DefaultMaxEffort
	}
	if o.MaxWait <= 0 {
		o.MaxWait = DefaultMaxWait
	}
	return o
}

package retry

import (
	"math"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
)

// Policy is how the requests of one service are retried. The zero Policy makes
// one attempt, plus the requeues that the attempt's Client allows.
type Policy struct {
	// Dst is the logical name of the service, for the errors that Do makes.
	Dst dtab.Path

	// Budget pays for retries of weft.Retryable outcomes; Do deposits into it at the
	// start of every request. Nil is no such retries and no deposits.
	Budget Budget

	// Backoff spaces these retries. Nil is none: retry at once.
	Backoff Backoff

	// MaxRetryAfter is the longest weft.Result.RetryAfter that is waited for; an
	// endpoint that asks for more gets no retry. Zero is 10 s.
	MaxRetryAfter time.Duration

	// Observe is told what happens, if set. It must not block and is called
	// concurrently.
	Observe func(e Event, n int)
}

// Client is what Do must know of the cluster that an attempt was placed on. There
// is one for each cluster, shared by all requests; it must not be changed once in
// use.
type Client struct {
	// Budget pays for requeues of requests that were given to an endpoint and came
	// back unsent. Nil is Empty. Do only withdraws: the owner deposits once for each
	// attempt that succeeded, because only it knows when the response has ended.
	Budget Budget

	// Status is whether another pick from this cluster makes sense. Nil is always
	// weft.Open.
	Status func() weft.Status

	// Backoff spaces requeues. Nil is none: requeue at once.
	Backoff Backoff

	// Share of the budget's balance, rounded up, that one request may spend on
	// requeues. Zero is 0.2; None is none.
	Share float64

	// ConnectTries is how many times a failure to connect is requeued without
	// charge before it counts as the attempt's outcome. Zero is 25; None is none.
	ConnectTries int

	// Observe is told what happens, if set. It must not block and is called
	// concurrently.
	Observe func(e Event, n int)
}

// Event is something that Do reports for metrics.
type Event uint8

// The events that Policy.Observe is told.
const (
	Retried              Event = iota + 1 // a retry is about to start or to wait; n is 1
	RetriesPerRequest                     // the request ended after n retries
	RetryBudgetExhausted                  // no token for a retry; n is 1
	BackoffExhausted                      // no delay left for a retry; n is 1
	OutOfTime                             // the deadline or MaxRetryAfter forbids a retry; n is 1
)

// The events that Client.Observe is told.
const (
	Requeued               Event = iota + 32 // a requeue is about to start or to wait; n is 1
	RequeuesPerRequest                       // n charged requeues led to an outcome
	RequeueBudgetExhausted                   // no token, or no delay left, for a requeue; n is 1
	RequestLimit                             // the request has spent its share; n is 1
	CannotRetry                              // not requeued because the client is not open; n is 1
	NotOpen                                  // not reconnected because the client is not open; n is 1
)

const (
	defaultMaxRetryAfter = 10 * time.Second
	defaultShare         = 0.2
	defaultConnectTries  = 25
)

func (p *Policy) observe(e Event, n int) {
	if p.Observe != nil {
		p.Observe(e, n)
	}
}

func (p *Policy) maxRetryAfter() time.Duration {
	if p.MaxRetryAfter == 0 {
		return defaultMaxRetryAfter
	}
	return p.MaxRetryAfter
}

func (c *Client) observe(e Event, n int) {
	if c != nil && c.Observe != nil {
		c.Observe(e, n)
	}
}

func (c *Client) open() bool { return c.Status == nil || c.Status() == weft.Open }

func (c *Client) connectTries() int {
	if c.ConnectTries == 0 {
		return defaultConnectTries
	}
	return c.ConnectTries
}

// allowance returns how many charged requeues a request may make that finds the
// budget as it is now.
func (c *Client) allowance() int {
	share := c.Share
	if share == 0 {
		share = defaultShare
	}
	if c.Budget == nil || share < 0 {
		return 0
	}
	// Less a little, so that rounding errors do not add one.
	return int(math.Ceil(share*float64(c.Budget.Balance()) - 1e-9))
}

package transport

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/balancer"
	"github.com/weft-mesh/weft/circuit"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/retry"
	"github.com/weft-mesh/weft/telemetry"
)

// Options configure a Router.
type Options struct {
	// Interpreter binds names. It is required.
	Interpreter naming.Interpreter

	// Label names the router in errors and metrics.
	Label string

	// Base is the router's own dtab, for error texts only: the interpreter already
	// has it. Nil is the interpreter's, if that has a method Base.
	Base dtab.Dtab

	// BindingTimeout limits the wait for a name to bind and its endpoints to become
	// known. Zero means 10 seconds.
	BindingTimeout time.Duration

	// Cache bounds what the router remembers.
	Cache CacheOptions

	// Service returns the settings of a logical name. It is called once per cached
	// name, must not block, and may be nil for the defaults.
	Service func(path dtab.Path) ServiceOptions

	// Client returns the settings of a bound name. It is called once per cached
	// client, must not block, and may be nil for the defaults.
	Client func(id dtab.Path) ClientOptions

	// Metrics is the scope rt/<label>; nil records nothing.
	Metrics *telemetry.Scope

	// Logger gets what operators want to know of changes; nil is silent.
	Logger *slog.Logger
}

// CacheOptions are the keys of Linkerd's bindingCache. Every cache that is keyed
// by what a caller sends is bounded by them.
type CacheOptions struct {
	// Paths bounds the cached (logical name, per-request dtab) pairs. Zero means
	// 1000.
	Paths int
	// Trees and Bounds are accepted for compatibility: bound trees live in their
	// path's entry and are bounded with it.
	Trees, Bounds int
	// Clients bounds the cached clients. Zero means 1000.
	Clients int
	// IdleTTL is how long an idle entry is kept at least; it is gone after twice
	// that. Zero means 10 minutes.
	IdleTTL time.Duration
}

// ServiceOptions are the settings of a logical name.
type ServiceOptions struct {
	// TotalTimeout limits a request with all its attempts and backoffs; zero is no
	// limit.
	TotalTimeout time.Duration
	// Budget is the retry budget, one per logical name.
	Budget retry.BudgetOptions
	// Backoff is the delay between retries; nil retries at once.
	Backoff retry.Backoff
	// Adapter is for the protocol adapter to keep what it has per logical name.
	Adapter any
}

// ClientOptions are the settings of a bound name.
type ClientOptions struct {
	// Balancer picks endpoints. Attach and Detach are set by the router.
	Balancer balancer.Options
	// Accrual makes the breaker policy of an endpoint; nil means five consecutive
	// failures, circuit.None{} no breaker.
	Accrual circuit.Policy
	// FailFast marks an endpoint busy after connection failures, which the adapter
	// reports (see Pick.ConnectFailed and circuit.FailFast), unless it is the only
	// one.
	FailFast bool
	// Probe tries to connect to an endpoint that FailFast has marked busy, and closes
	// what it got. It must end when its context does. Nil is none: the endpoint is
	// tried again by requests after a second or so.
	Probe func(ctx context.Context, ep weft.Endpoint) error
	// AttemptTimeout limits one attempt; zero is no limit.
	AttemptTimeout time.Duration
	// RequeueBudget bounds sending again what was provably not processed, one
	// budget per client.
	RequeueBudget retry.BudgetOptions
	// Connect makes what the adapter needs to reach an endpoint, such as a
	// connection pool. It is called once per endpoint, must not block, and what it
	// returns is closed when the endpoint is gone and its last request is over.
	// metrics is the client's scope.
	Connect func(ep weft.Endpoint, metrics *telemetry.Scope) io.Closer
	// Adapter is for the protocol adapter to keep what it has per client.
	Adapter any
}

func (o Options) withDefaults() Options {
	if in, ok := o.Interpreter.(interface{ Base() dtab.Dtab }); ok && o.Base == nil {
		o.Base = in.Base()
	}
	if o.BindingTimeout <= 0 {
		o.BindingTimeout = 10 * time.Second
	}
	if o.Cache.Paths <= 0 {
		o.Cache.Paths = 1000
	}
	if o.Cache.Clients <= 0 {
		o.Cache.Clients = 1000
	}
	if o.Cache.IdleTTL <= 0 {
		o.Cache.IdleTTL = 10 * time.Minute
	}
	if o.Service == nil {
		o.Service = func(dtab.Path) ServiceOptions { return ServiceOptions{} }
	}
	if o.Client == nil {
		o.Client = func(dtab.Path) ClientOptions { return ClientOptions{} }
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

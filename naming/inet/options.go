package inet

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"time"
)

// Lookup finds the addresses of a host; *net.Resolver is one. network is "ip",
// for addresses of both families. An error that is a *net.DNSError with IsNotFound
// says that there is no such host; any other says that it is not known at the
// moment.
type Lookup interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Options are the settings of a Resolver. The zero value is the default.
type Options struct {
	// Lookup answers for host names. Nil is net.DefaultResolver.
	Lookup Lookup

	// Every is how long an answer is held to be true: a name is looked up again
	// after it while somebody observes it. Zero is 5 s. After a failed look-up the
	// next one follows in a fifth of that.
	Every time.Duration

	// Timeout bounds one look-up. Zero is 10 s.
	Timeout time.Duration

	// MaxLookups is the number of look-ups that may be under way at once; others
	// wait for their turn. Zero is 100.
	MaxLookups int

	// Linger is how long a name that nobody observes any more stays fresh. Zero is
	// 5 s, a negative value no time at all.
	Linger time.Duration

	// InterfaceAddrs tells the machine's own addresses. IPv6 answers of DNS are
	// dropped while none of them is an IPv6 address that reaches beyond the link.
	// Nil is net.InterfaceAddrs.
	InterfaceAddrs func() ([]net.Addr, error)

	// Logger is told of names that cannot be looked up. Nil is silent.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Lookup == nil {
		o.Lookup = net.DefaultResolver
	}
	if o.Every <= 0 {
		o.Every = 5 * time.Second
	}
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	if o.MaxLookups <= 0 {
		o.MaxLookups = 100
	}
	if o.InterfaceAddrs == nil {
		o.InterfaceAddrs = net.InterfaceAddrs
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

package dns

import (
	"log/slog"
	"net"
	"time"

	"github.com/weft-mesh/weft/telemetry"
)

// Options are the settings of a Namer and of an SRVNamer. The zero value is the
// default.
type Options struct {
	// ResolvConf is the file with search domains and, unless the configuration has
	// some, servers. Empty is /etc/resolv.conf. A file that cannot be read is one
	// without search domains whose server is 127.0.0.1.
	ResolvConf string

	// Timeout bounds one question to one server. Zero is 2 s, or what the file says if
	// that is less.
	Timeout time.Duration

	// Attempts is how often all servers are asked before the answer is that none of
	// them answers. Zero is 2, or what the file says.
	Attempts int

	// MaxLookups is the number of questions that may be under way at once; others wait
	// for their turn. Zero is 100.
	MaxLookups int

	// MinBackoff and MaxBackoff bound the delay before a name that could not be asked
	// for is asked for again. The delay doubles from the one to the other, and each is
	// shortened by a random part of up to a half. Zero is 250 ms and 1 s.
	MinBackoff, MaxBackoff time.Duration

	// Linger is how long a name that nobody observes any more stays fresh. Zero is
	// 5 s, a negative value no time at all.
	Linger time.Duration

	// InterfaceAddrs tells the machine's own addresses. AAAA records are not asked for
	// while none of them is an IPv6 address that reaches beyond the link. Nil is
	// net.InterfaceAddrs.
	InterfaceAddrs func() ([]net.Addr, error)

	// Metrics is the scope that gets what the lookups of an SRVNamer come to; nil records
	// nothing.
	Metrics *telemetry.Scope

	// Logger is told, at level Warn, of names that cannot be asked for, once until
	// they can. Nil is silent.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.ResolvConf == "" {
		o.ResolvConf = "/etc/resolv.conf"
	}
	if o.MaxLookups <= 0 {
		o.MaxLookups = 100
	}
	if o.MinBackoff <= 0 {
		o.MinBackoff = 250 * time.Millisecond
	}
	if o.MaxBackoff <= 0 {
		o.MaxBackoff = time.Second
	}
	o.MaxBackoff = max(o.MaxBackoff, o.MinBackoff)
	if o.InterfaceAddrs == nil {
		o.InterfaceAddrs = net.InterfaceAddrs
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

package dns

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// ErrBadPort is in the chain of the answer to a name whose port is none.
var ErrBadPort = errors.New("must be a number from 1 to 65535")

// Namer answers for the addresses of hosts. It is safe for concurrent use. Close it.
type Namer struct {
	c    Config
	ask  *asker
	sets *naming.Shared[hostPort, weft.EndpointSet]
}

// hostPort is what a watch is about.
type hostPort struct {
	host string
	port uint16
}

// String returns host:port.
func (h hostPort) String() string { return h.host + ":" + strconv.Itoa(int(h.port)) }

// New returns a Namer. It asks for nothing before the first Lookup. An error says
// what is wrong with the configuration.
func New(c Config, o Options) (*Namer, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	o = o.withDefaults()
	ask, err := newAsker(c.Hosts, o)
	if err != nil {
		return nil, err
	}
	n := &Namer{c: c, ask: ask}
	n.sets = naming.NewShared(naming.WatchFunc[hostPort, weft.EndpointSet](n.watch), naming.SharedOptions{
		Linger: o.Linger, MinBackoff: o.MinBackoff, MaxBackoff: o.MaxBackoff, Logger: o.Logger,
	})
	return n, nil
}

// Prefix returns the whole prefix of the namer's names.
func (n *Namer) Prefix() dtab.Path { return n.c.Prefix }

// Lookup implements naming.Namer.
func (n *Namer) Lookup(ctx context.Context, p dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
	if p.Len() < 2 {
		return naming.NoSuchName()
	}
	host, port := p.Elem(0), p.Elem(1)
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || number == 0 {
		return naming.AnswerErr(fmt.Errorf("dns: port %q of host %q: %w", port, host, ErrBadPort))
	}
	id, residual := n.c.Prefix.Concat(p.Take(2)), p.Drop(2)
	if a, ok := literal(host); ok {
		set := weft.EndpointSet{Endpoints: []weft.Endpoint{{Addr: netip.AddrPortFrom(a, uint16(number)).String()}}}
		return naming.Answer(dtab.LeafOf(naming.Fixed(id, residual, set)))
	}
	key := hostPort{host: strings.ToLower(host), port: uint16(number)} // names of DNS have no case
	return naming.LeafWhilePresent(ctx, id, residual,
		func(ctx context.Context) weft.Source[naming.State[weft.EndpointSet]] { return n.sets.Observe(ctx, key) })
}

// Close ends all questions and waits for them. What has been handed out stands
// still.
func (n *Namer) Close() error { return n.sets.Close() }

// Watches implements naming.Reporter: one watch for each host and port in use.
func (n *Namer) Watches() []naming.WatchStatus { return n.sets.Watches() }

// literal returns the address of a host that needs no DNS.
func literal(host string) (netip.Addr, bool) {
	if strings.EqualFold(host, "localhost") {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), true
	}
	if in, ok := strings.CutPrefix(host, "["); ok {
		if host, ok = strings.CutSuffix(in, "]"); !ok || !strings.Contains(host, ":") {
			return netip.Addr{}, false
		}
	}
	a, err := netip.ParseAddr(host)
	return a.Unmap(), err == nil
}

package consul

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

const (
	// checkTTL is how long an instance is passing after it was last said to be.
	checkTTL = 10 * time.Second

	// forgetAfter is when Consul removes an instance whose announcer has died. It is
	// the least that Consul takes.
	forgetAfter = time.Minute

	// withdrawWithin bounds how long Close of an announcement takes.
	withdrawWithin = 5 * time.Second
)

// AnnouncerConfig is the configuration of an announcer. The zero value announces to
// the agent on this machine, without tags.
type AnnouncerConfig struct {
	Agent `yaml:",inline"`

	// Prefix is the whole prefix of the names that are announced. The empty path is
	// /#/io.l5d.consul.
	Prefix dtab.Path `yaml:"-"`

	// Tags are those of the instances.
	Tags []string `yaml:"tags"`
}

// Announcer registers addresses as instances of services with an agent. It is safe
// for concurrent use. Close it.
type Announcer struct {
	cfg   AnnouncerConfig
	opts  Options
	agent *client

	mu     sync.Mutex
	closed bool
	all    map[*announcement]bool // those that are not withdrawn
}

// NewAnnouncer returns an Announcer. It does nothing before the first Announce.
func NewAnnouncer(c AnnouncerConfig, o Options) (*Announcer, error) {
	if c.Prefix.IsEmpty() {
		c.Prefix = dtab.MustPath("/#/io.l5d.consul")
	}
	c.Tags = slices.Clone(c.Tags)
	o = o.withDefaults(c.TLS != nil)
	agent, err := newClient(c.Agent, o, false)
	if err != nil {
		return nil, err
	}
	return &Announcer{cfg: c, opts: o, agent: agent, all: map[*announcement]bool{}}, nil
}

// Prefix returns the whole prefix of the names that are announced.
func (a *Announcer) Prefix() dtab.Path { return a.cfg.Prefix }

// Announce registers addrs as instances of the service name, a path of one element
// without the announcer's prefix, and keeps them registered and passing until what
// it returns is closed. It does not wait for the agent: what fails is tried again,
// and what the agent has lost is registered again. Close of what it returns
// withdraws the addresses and waits for it, five seconds at the most; then, or if
// the process dies, Consul finds the instances critical after ten seconds and
// removes them a minute later.
func (a *Announcer) Announce(name dtab.Path, addrs []netip.AddrPort) (io.Closer, error) {
	if name.Len() != 1 {
		return nil, fmt.Errorf("consul: announce %v: want the name of a service, a path of one element", name)
	}
	if len(addrs) == 0 {
		return nil, fmt.Errorf("consul: announce %v: want an address", name)
	}
	for _, addr := range addrs {
		if !addr.IsValid() || addr.Addr().IsUnspecified() || addr.Port() == 0 {
			return nil, fmt.Errorf("consul: announce %v: %v: want an address that can be connected to", name, addr)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil, naming.ErrClosed
	}
	x := &announcement{a: a}
	for _, addr := range slices.Compact(slices.SortedFunc(slices.Values(addrs), netip.AddrPort.Compare)) {
		x.instances = append(x.instances, newRegistration(name.Elem(0), addr, a.cfg.Tags))
	}
	x.start()
	a.all[x] = true
	return x, nil
}

// Close withdraws what is still announced and waits for it, five seconds at the
// most.
func (a *Announcer) Close() error {
	a.mu.Lock()
	a.closed = true
	left := make([]*announcement, 0, len(a.all))
	for x := range a.all {
		left = append(left, x)
	}
	a.mu.Unlock()
	errs := make([]error, len(left))
	var wg sync.WaitGroup
	for i, x := range left {
		wg.Go(func() { errs[i] = x.Close() })
	}
	wg.Wait()
	a.agent.close()
	return errors.Join(errs...)
}

// announcement is what Announce returns.
type announcement struct {
	a         *Announcer
	instances []registration
	cancel    context.CancelFunc
	wg        sync.WaitGroup
	once      sync.Once
	err       error
}

func (x *announcement) start() {
	ctx, cancel := context.WithCancel(context.Background())
	x.cancel = cancel
	for _, r := range x.instances {
		x.wg.Go(func() { r.keep(ctx, x.a.agent) })
	}
}

// Close withdraws the instances. It may be called more than once.
func (x *announcement) Close() error {
	x.once.Do(func() {
		x.cancel()
		x.wg.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), withdrawWithin)
		defer cancel()
		errs := make([]error, len(x.instances))
		var wg sync.WaitGroup
		for i, r := range x.instances {
			wg.Go(func() { errs[i] = r.withdraw(ctx, x.a.agent) })
		}
		wg.Wait()
		x.err = errors.Join(errs...)
		x.a.mu.Lock()
		delete(x.a.all, x)
		x.a.mu.Unlock()
	})
	return x.err
}

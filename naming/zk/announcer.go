package zk

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// Announcer is the announcer io.l5d.serversets: it makes this process a member of
// serversets, as long as it lives. It has a session of its own, whose end withdraws
// whatever it has announced. It is safe for concurrent use. Close it.
type Announcer struct {
	prefix   dtab.Path
	path     string // below which names are announced
	auth     bool
	sessions *Sessions
	ensemble sessionKey
	faults   *faults

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu     sync.Mutex
	closed bool
}

// withdrawal is how long Close of an announcement waits for the servers.
const withdrawal = 2 * time.Second

// NewAnnouncer returns the announcer io.l5d.serversets, by default under
// /#/io.l5d.serversets. It asks nothing before the first Announce.
func NewAnnouncer(c AnnouncerConfig, o Options) (*Announcer, error) {
	ensemble, err := c.session()
	if err != nil {
		return nil, err
	}
	pathPrefix := withPrefix(c.PathPrefix, "/discovery")
	path, ok := znode(pathPrefix.Strings())
	if !ok {
		return nil, fmt.Errorf("zk: pathPrefix: %s is not the path of a znode", pathPrefix)
	}
	o = o.withDefaults()
	a := &Announcer{
		prefix: withPrefix(c.Prefix, "/#/io.l5d.serversets"), path: path, auth: ensemble.auth != "",
		sessions: NewSessions(SessionsOptions{Logger: o.Logger}), ensemble: ensemble, faults: newFaults(o.Logger),
	}
	a.ctx, a.cancel = context.WithCancel(context.Background())
	return a, nil
}

// Prefix returns the whole prefix of the names that can be announced.
func (a *Announcer) Prefix() dtab.Path { return a.prefix }

// Announce makes each address a member of the serverset with that name, which is the
// announced name without the announcer's prefix. It does not block: the servers are
// asked in the background, again and again if need be, also after sessions that
// expire and members that somebody deletes. Close of what it returns withdraws the
// members, and waits for that for up to 2 s; if it takes longer, it goes on in the
// background. The error is about what was asked for.
func (a *Announcer) Announce(name dtab.Path, addrs []netip.AddrPort) (io.Closer, error) {
	names := name.Strings()
	if _, ok := znode(names); !ok || len(names) == 0 || strings.ContainsAny(names[len(names)-1], ":#") {
		return nil, fmt.Errorf("zk: cannot announce %s: it is not the path of a serverset, such as /prod/web", name)
	}
	if len(addrs) == 0 {
		return nil, fmt.Errorf("zk: cannot announce %s without addresses", name)
	}
	n := &announcement{a: a, path: below(a.path, strings.Join(names, "/")), done: make(chan struct{})}
	for _, addr := range addrs {
		if !addr.IsValid() || addr.Port() == 0 || addr.Addr().IsUnspecified() {
			return nil, fmt.Errorf("zk: cannot announce %s at %s: want an address that can be connected to", name, addr)
		}
		data, err := json.Marshal(announced{
			Service:    hostPort{addr.Addr().Unmap().String(), int(addr.Port())},
			Additional: map[string]hostPort{},
			Status:     alive,
		})
		if err != nil {
			return nil, fmt.Errorf("zk: cannot announce %s: %w", name, err)
		}
		n.members = append(n.members, &ownMember{data: data})
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil, naming.ErrClosed
	}
	ctx, cancel := context.WithCancel(a.ctx)
	n.withdraw = cancel
	a.wg.Go(func() { n.run(ctx) })
	return n, nil
}

// Close withdraws everything by ending the session, and waits for it as long as it
// takes to tell the servers, at most some seconds.
func (a *Announcer) Close() error {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.cancel()
	err := a.sessions.Close()
	a.wg.Wait()
	return err
}

// announced is the JSON of a member, as Finagle writes it.
type announced struct {
	Service    hostPort            `json:"serviceEndpoint"`
	Additional map[string]hostPort `json:"additionalEndpoints"`
	Status     string              `json:"status"`
	Shard      int                 `json:"shard"`
}

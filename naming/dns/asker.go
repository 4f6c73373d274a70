package dns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	wire "github.com/miekg/dns"
)

// udpSize is the size of the answers that servers may send by UDP.
const udpSize = 2048

// asker asks DNS servers.
type asker struct {
	hosts []string // host:port of the servers; empty for those of the file
	o     Options
	conf  *resolvConf
	turn  chan struct{} // holds one token per question under way
}

func newAsker(hosts []string, o Options) (*asker, error) {
	addrs, err := serverAddrs(hosts)
	if err != nil {
		return nil, err
	}
	return &asker{hosts: addrs, o: o, conf: &resolvConf{path: o.ResolvConf}, turn: make(chan struct{}, o.MaxLookups)}, nil
}

// lookup finds the records of a name, which ends with a dot, and follows CNAME
// records. An error says that nobody could tell.
func (a *asker) lookup(ctx context.Context, name string, qtype uint16) (answer, error) {
	ttl := forever
	for at, n := name, 0; n < maxAliases; n++ {
		m, err := a.ask(ctx, at, qtype)
		if err != nil {
			return answer{}, err
		}
		found, next, err := readReply(m, at, qtype)
		if err != nil {
			return answer{}, fmt.Errorf("%s %s: %w", wire.TypeToString[qtype], at, err)
		}
		ttl = min(ttl, found.ttl)
		if next == "" {
			found.ttl = ttl
			return found, nil
		}
		at = next
	}
	return answer{}, fmt.Errorf("%s %s: %w", wire.TypeToString[qtype], name, errAliasLoop)
}

// ask asks the servers in turn until one of them answers.
func (a *asker) ask(ctx context.Context, name string, qtype uint16) (*wire.Msg, error) {
	select {
	case a.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-a.turn }()
	c := a.conf.load()
	servers, timeout, attempts := a.hosts, a.o.Timeout, a.o.Attempts
	if len(servers) == 0 {
		servers = c.servers()
	}
	if timeout <= 0 {
		timeout = min(2*time.Second, time.Duration(c.Timeout)*time.Second)
	}
	if attempts <= 0 {
		attempts = c.Attempts
	}
	var last error
	for range attempts {
		for _, s := range servers {
			m, err := exchange(ctx, s, name, qtype, timeout)
			if err == nil {
				return m, nil
			}
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			last = fmt.Errorf("%s %s: server %s: %w", wire.TypeToString[qtype], name, s, err)
		}
	}
	return nil, last
}

// exchange asks one server.
func exchange(ctx context.Context, server, name string, qtype uint16, timeout time.Duration) (*wire.Msg, error) {
	q := new(wire.Msg)
	q.SetQuestion(name, qtype)
	q.SetEdns0(udpSize, false)
	m, err := send(ctx, "udp", server, q, timeout)
	if err == nil && m.Rcode == wire.RcodeFormatError && m.IsEdns0() == nil {
		q.Extra = nil // it does not know of EDNS
		m, err = send(ctx, "udp", server, q, timeout)
	}
	if err == nil && m.Truncated {
		m, err = send(ctx, "tcp", server, q, timeout)
	}
	if err != nil {
		return nil, err
	}
	return m, checkReply(m, name, qtype)
}

// send sends a question and waits for the reply to it.
func send(ctx context.Context, network, server string, q *wire.Msg, timeout time.Duration) (*wire.Msg, error) {
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	c := wire.Client{Net: network, Timeout: timeout, UDPSize: udpSize}
	conn, err := c.DialContext(bounded, server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()                                                          //nolint:errcheck // everything was read
	defer context.AfterFunc(bounded, func() { _ = conn.SetDeadline(past()) })() // ends a read when ctx ends
	m, _, err := c.ExchangeWithConnContext(bounded, q, conn)
	switch {
	case err == nil:
		return m, nil
	case m != nil && m.Truncated && network == "udp":
		return m, nil // cut off in the middle of a record: it is asked for again anyway
	case errors.Is(bounded.Err(), context.DeadlineExceeded) || isTimeout(err):
		return nil, fmt.Errorf("no answer in %v by %s", timeout, network)
	default:
		return nil, err
	}
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// past is a deadline that has passed.
func past() time.Time { return time.Unix(1, 0) }

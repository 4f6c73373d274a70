package inet_test

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"
)

// fakeDNS answers look-ups from a table and counts them.
type fakeDNS struct {
	mu      sync.Mutex
	answers map[string][]string // nil value: no such host
	err     error               // every look-up fails with it
	takes   time.Duration
	asked   map[string]int
	running int
	most    int
}

func newFakeDNS() *fakeDNS {
	return &fakeDNS{answers: map[string][]string{}, asked: map[string]int{}}
}

func (f *fakeDNS) LookupNetIP(ctx context.Context, _, host string) ([]netip.Addr, error) {
	f.mu.Lock()
	f.asked[host]++
	f.running++
	f.most = max(f.most, f.running)
	takes := f.takes
	f.mu.Unlock()
	if takes > 0 {
		select {
		case <-time.After(takes):
		case <-ctx.Done():
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running--
	if ctx.Err() != nil {
		return nil, &net.DNSError{Err: ctx.Err().Error(), Name: host, IsTimeout: true}
	}
	if f.err != nil {
		return nil, f.err
	}
	texts, ok := f.answers[host]
	if !ok {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	var addrs []netip.Addr
	for _, t := range texts {
		addrs = append(addrs, netip.MustParseAddr(t))
	}
	return addrs, nil
}

func (f *fakeDNS) set(host string, addrs ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers[host] = append([]string{}, addrs...)
}

func (f *fakeDNS) remove(host string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.answers, host)
}

func (f *fakeDNS) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func (f *fakeDNS) count(host string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked[host]
}

func (f *fakeDNS) peak() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.most
}

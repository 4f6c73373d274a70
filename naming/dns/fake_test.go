package dns_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	wire "github.com/miekg/dns"
	"github.com/stretchr/testify/require"
)

// fakeDNS is a DNS server that says what a test wants.
type fakeDNS struct {
	t    *testing.T
	addr string

	mu    sync.Mutex
	says  map[string]reply // by "TYPE name"
	other reply            // to everything else
	asked map[string]int
}

// reply is what the server says: an rcode, records in the form of a zone file, or
// nothing at all.
type reply struct {
	rcode                    int
	answer, authority, extra []string
	drop, truncate, lame     bool
	noEDNS                   bool // FORMERR if the question has EDNS
	other                    bool // to another question
}

func newFakeDNS(t *testing.T) *fakeDNS {
	t.Helper()
	f := &fakeDNS{t: t, says: map[string]reply{}, asked: map[string]int{}, other: reply{rcode: wire.RcodeNameError}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p, err := net.ListenPacket("udp", l.Addr().String())
	if err != nil {
		_ = l.Close()
		t.Skip("the port of a TCP listener is taken for UDP")
	}
	f.addr = l.Addr().String()
	for network, s := range map[string]*wire.Server{"udp": {PacketConn: p}, "tcp": {Listener: l}} {
		s.Handler = wire.HandlerFunc(func(w wire.ResponseWriter, q *wire.Msg) { f.serve(network, w, q) })
		started := make(chan struct{})
		s.NotifyStartedFunc = func() { close(started) }
		done := make(chan struct{})
		go func() { defer close(done); _ = s.ActivateAndServe() }()
		<-started
		t.Cleanup(func() { _ = s.Shutdown(); <-done })
	}
	return f
}

func (f *fakeDNS) serve(network string, w wire.ResponseWriter, q *wire.Msg) {
	key := wire.TypeToString[q.Question[0].Qtype] + " " + q.Question[0].Name
	f.mu.Lock()
	r, ok := f.says[strings.ToLower(key)]
	if !ok {
		r = f.other
	}
	f.asked[key+" "+network]++
	f.mu.Unlock()
	if r.drop {
		return
	}
	m := new(wire.Msg)
	m.SetReply(q)
	m.Authoritative, m.Rcode = !r.lame, r.rcode
	if opt := q.IsEdns0(); opt != nil {
		if r.noEDNS {
			m.Rcode, r.answer = wire.RcodeFormatError, nil
		} else if opt.UDPSize() != 2048 {
			f.t.Errorf("EDNS0 size %d", opt.UDPSize())
		}
	}
	if r.other {
		m.Question[0].Name = "other."
	}
	for to, from := range map[*[]wire.RR][]string{&m.Answer: r.answer, &m.Ns: r.authority, &m.Extra: r.extra} {
		for _, text := range from {
			rr, err := wire.NewRR(text)
			if err != nil {
				f.t.Errorf("%s: %v", text, err)
				continue
			}
			*to = append(*to, rr)
		}
	}
	if r.truncate && network == "udp" {
		m.Answer, m.Truncated = m.Answer[:1], true
	}
	_ = w.WriteMsg(m)
}

// say sets what is answered from now on to "TYPE name".
func (f *fakeDNS) say(question string, r reply) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.says[strings.ToLower(question)] = r
}

// otherwise sets what is answered from now on to everything else.
func (f *fakeDNS) otherwise(r reply) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.other = r
}

// count returns how often was asked "TYPE name network".
func (f *fakeDNS) count(question string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked[question]
}

// resolvConf writes a file like /etc/resolv.conf.
func resolvConf(t *testing.T, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "resolv.conf")
	require.NoError(t, os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
	return path
}

// v6 is a machine with IPv6, v4 one without.
func v6() ([]net.Addr, error) {
	return []net.Addr{&net.IPNet{IP: net.ParseIP("10.9.9.9")}, &net.IPNet{IP: net.ParseIP("2001:db8::9")}}, nil
}

func v4() ([]net.Addr, error) { return []net.Addr{&net.IPNet{IP: net.ParseIP("10.9.9.9")}}, nil }

func records(name, kind string, ttl int, data ...string) []string {
	var all []string
	for _, d := range data {
		all = append(all, fmt.Sprintf("%s %d IN %s %s", name, ttl, kind, d))
	}
	return all
}

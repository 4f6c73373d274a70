package dns_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	wire "github.com/miekg/dns"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming/dns"
)

func soa(ttl, minimum int) []string {
	return []string{fmt.Sprintf("test. %d IN SOA ns.test. root.test. 1 2 3 4 %d", ttl, minimum)}
}

func TestAddresses(t *testing.T) {
	f := newFakeDNS(t)
	nodata := reply{authority: soa(9, 9)}
	for q, r := range map[string]reply{
		"A both.test.":        {answer: records("both.test.", "A", 9, "10.0.0.2", "10.0.0.1", "10.0.0.2")},
		"AAAA both.test.":     {answer: records("BOTH.test.", "AAAA", 9, "2001:db8::1", "::ffff:10.0.0.1")},
		"A four.test.":        {answer: records("four.test.", "A", 9, "10.0.0.4")},
		"AAAA four.test.":     nodata,
		"A six.test.":         nodata,
		"AAAA six.test.":      {answer: records("six.test.", "AAAA", 9, "2001:db8::6")},
		"A nodata.test.":      nodata,
		"AAAA nodata.test.":   nodata,
		"A alias.test.":       {answer: append(records("alias.test.", "CNAME", 9, "alias2.test."), append(records("alias2.test.", "CNAME", 9, "four.test."), records("four.test.", "A", 9, "10.0.0.4")...)...)},
		"AAAA alias.test.":    {answer: records("alias.test.", "CNAME", 9, "four.test."), authority: soa(9, 9)},
		"A across.test.":      {answer: records("across.test.", "CNAME", 9, "alias.test.")},
		"AAAA across.test.":   {answer: records("across.test.", "CNAME", 9, "six.test.")},
		"A dangling.test.":    {answer: records("dangling.test.", "CNAME", 9, "gone.test."), rcode: wire.RcodeNameError},
		"AAAA dangling.test.": {answer: records("dangling.test.", "CNAME", 9, "gone.test."), rcode: wire.RcodeNameError},
		"A loop.test.":        {answer: records("loop.test.", "CNAME", 9, "loop.test.")},
		"AAAA loop.test.":     {answer: records("loop.test.", "CNAME", 9, "loop.test.")},
		"A other.test.":       {answer: records("four.test.", "A", 9, "10.6.6.6")},
		"AAAA other.test.":    {answer: records("six.test.", "AAAA", 9, "2001:db8::666")},
		"A servfail.test.":    {rcode: wire.RcodeServerFailure},
		"AAAA servfail.test.": {rcode: wire.RcodeServerFailure},
		"A lame.test.":        {lame: true},
		"AAAA lame.test.":     {lame: true},
		"A forged.test.":      {answer: records("forged.test.", "A", 9, "10.6.6.6"), other: true},
		"AAAA forged.test.":   {other: true},
		"A old.test.":         {answer: records("old.test.", "A", 9, "10.0.0.7"), noEDNS: true},
		"AAAA old.test.":      {noEDNS: true},
		"A big.test.":         {answer: records("big.test.", "A", 9, "10.0.0.1", "10.0.0.2", "10.0.0.3"), truncate: true},
		"AAAA big.test.":      nodata,
	} {
		f.say(q, r)
	}
	for path, want := range map[string]string{
		"/both.test/80/r/s":    "/#/dns/both.test/80+/r/s: 10.0.0.1:80 10.0.0.2:80 [2001:db8::1]:80",
		"/Both.Test./80":       "/#/dns/Both.Test./80: 10.0.0.1:80 10.0.0.2:80 [2001:db8::1]:80",
		"/four.test/65535":     "/#/dns/four.test/65535: 10.0.0.4:65535",
		"/six.test/80":         "/#/dns/six.test/80: [2001:db8::6]:80",
		"/alias.test/80":       "/#/dns/alias.test/80: 10.0.0.4:80",
		"/across.test/80":      "/#/dns/across.test/80: 10.0.0.4:80 [2001:db8::6]:80",
		"/old.test/80":         "/#/dns/old.test/80: 10.0.0.7:80",
		"/big.test/80":         "/#/dns/big.test/80: 10.0.0.1:80 10.0.0.2:80 10.0.0.3:80",
		"/nodata.test/80":      "Neg",
		"/nothing.test/80":     "Neg",
		"/dangling.test/80":    "Neg",
		"/other.test/80":       "Neg",
		"/a..b/80":             "Neg",
		"/both.test":           "Neg",
		"/":                    "Neg",
		"/loop.test/80":        "failed",
		"/servfail.test/80":    "failed",
		"/lame.test/80":        "failed",
		"/forged.test/80":      "failed",
		"/both.test/http":      "failed",
		"/both.test/0":         "failed",
		"/10.0.0.9/80/r":       "/#/dns/10.0.0.9/80+/r: 10.0.0.9:80",
		"/::1/80":              "/#/dns/::1/80: [::1]:80",
		"/\\x5b::1\\x5d/80":    "/#/dns/\\x5b\\x3a\\x3a\\x31\\x5d/80: [::1]:80",
		"/LocalHost/80":        "/#/dns/LocalHost/80: 127.0.0.1:80",
		"/\\x5b10.0.0.1/80":    "Neg",
		"/four\\x5c.test/80":   "Neg",
		"/four.test\\x00.x/80": "Neg",
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			n := newNamer(t, dns.Config{Hosts: []string{f.addr}}, quick(t))
			watch(t, n, path).comes(want)
		})
	}
}

func TestIPv6IsLeftOutWithoutIt(t *testing.T) {
	f := newFakeDNS(t)
	f.say("A both.test.", reply{answer: records("both.test.", "A", 9, "10.0.0.1")})
	f.say("AAAA both.test.", reply{answer: records("both.test.", "AAAA", 9, "2001:db8::1")})
	o := quick(t)
	o.InterfaceAddrs = v4
	watch(t, newNamer(t, dns.Config{Hosts: []string{f.addr}}, o), "/both.test/80").comes("/#/dns/both.test/80: 10.0.0.1:80")
	assert.Zero(t, f.count("AAAA both.test. udp"))
}

// TestSearchRules looks names up as the system does.
func TestSearchRules(t *testing.T) {
	f := newFakeDNS(t)
	f.say("A web.one.test.", reply{answer: records("web.one.test.", "A", 0, "10.0.0.1")})
	f.say("A web.two.test.", reply{answer: records("web.two.test.", "A", 0, "10.0.0.2")})
	f.say("A only.two.test.", reply{answer: records("only.two.test.", "A", 0, "10.0.0.3")})
	f.say("A a.b.", reply{answer: records("a.b.", "A", 0, "10.0.0.4")})
	f.say("A a.b.one.test.", reply{answer: records("a.b.one.test.", "A", 0, "10.0.0.5")})
	o := quick(t)
	o.InterfaceAddrs = v4
	o.ResolvConf = resolvConf(t, "nameserver 192.0.2.1", "search one.test two.test", "options ndots:1")
	n := newNamer(t, dns.Config{Hosts: []string{f.addr}, MinTTL: 20 * time.Millisecond}, o)
	web := watch(t, n, "/web/80")
	web.comes("/#/dns/web/80: 10.0.0.1:80")
	watch(t, n, "/only/80").comes("/#/dns/only/80: 10.0.0.3:80")
	watch(t, n, "/web./80").comes("Neg")
	watch(t, n, "/a.b/80").comes("/#/dns/a.b/80: 10.0.0.4:80")

	// A domain that cannot be asked does not make another service of the same name the
	// answer; one that says no does.
	release := web.guard("10.0.0.1:80")
	f.say("A web.one.test.", reply{rcode: wire.RcodeServerFailure})
	web.comes("/#/dns/web/80: 10.0.0.1:80 (stale)")
	release()
	f.say("A web.one.test.", reply{rcode: wire.RcodeNameError})
	web.comes("/#/dns/web/80: 10.0.0.2:80")

	// The file is read again.
	require.NoError(t, os.WriteFile(o.ResolvConf, []byte("search one.test\noptions ndots:5\n"), 0o600))
	web.comes("Neg")
	watch(t, n, "/a.b/81").comes("/#/dns/a.b/81: 10.0.0.5:81")
}

// TestServersAreAskedInTurn has servers that are no good before the one that is.
func TestServersAreAskedInTurn(t *testing.T) {
	good, bad, silent := newFakeDNS(t), newFakeDNS(t), newFakeDNS(t)
	good.say("A web.test.", reply{answer: records("web.test.", "A", 9, "10.0.0.1")})
	bad.otherwise(reply{rcode: wire.RcodeRefused})
	silent.otherwise(reply{drop: true})
	o := quick(t)
	o.InterfaceAddrs = v4
	n := newNamer(t, dns.Config{Hosts: []string{"127.0.0.1:1", bad.addr, silent.addr, good.addr}}, o)
	watch(t, n, "/web.test/80").comes("/#/dns/web.test/80: 10.0.0.1:80")
	assert.Equal(t, 1, bad.count("A web.test. udp"))
	assert.Equal(t, 1, silent.count("A web.test. udp"))
}

// TestTTL counts questions.
func TestTTL(t *testing.T) {
	f := newFakeDNS(t)
	o := quick(t)
	o.InterfaceAddrs = v4
	n := newNamer(t, dns.Config{Hosts: []string{f.addr}, MinTTL: 100 * time.Millisecond}, o)
	short := newNamer(t, dns.Config{Hosts: []string{f.addr}, MaxTTL: 1200 * time.Millisecond}, o)
	f.say("A long.", reply{answer: records("long.", "A", 86400, "10.0.0.1")})
	watch(t, short, "/long/80").text()
	for host, r := range map[string]reply{
		"zero": {answer: records("zero.", "A", 0, "10.0.0.1")},
		"one":  {answer: records("one.", "A", 1, "10.0.0.1")},
		// The smallest TTL of the chain counts.
		"chain": {answer: append(records("chain.", "CNAME", 1, "x."), records("x.", "A", 900, "10.0.0.1")...)},
		"day":   {answer: records("day.", "A", 86400, "10.0.0.1")},
		"no":    {rcode: wire.RcodeNameError, authority: soa(900, 1)},
		"noday": {rcode: wire.RcodeNameError, authority: soa(900, 900)},
	} {
		f.say("A "+host+".", r)
		watch(t, n, "/"+host+"/80").text()
	}
	pause(2400 * time.Millisecond)
	for host, want := range map[string][2]int{
		"zero": {5, 25}, "one": {2, 3}, "chain": {2, 3}, "day": {1, 1}, "no": {2, 3}, "noday": {1, 1}, "long": {2, 3},
	} {
		got := f.count("A " + host + ". udp")
		assert.True(t, got >= want[0] && got <= want[1], "%s was asked for %d times", host, got)
	}
}

// TestTTLOfOneFamily: that a host has no IPv6 addresses holds for a second only, its
// IPv4 addresses hold for a day.
func TestTTLOfOneFamily(t *testing.T) {
	f := newFakeDNS(t)
	o := quick(t)
	o.InterfaceAddrs = v6
	n := newNamer(t, dns.Config{Hosts: []string{f.addr}, MinTTL: 100 * time.Millisecond}, o)
	f.say("A day.", reply{answer: records("day.", "A", 86400, "10.0.0.1")})
	f.say("AAAA day.", reply{authority: soa(1, 1)})
	watch(t, n, "/day/80").comes("/#/dns/day/80: 10.0.0.1:80")
	pause(1500 * time.Millisecond)
	assert.Equal(t, 1, f.count("A day. udp"))
	assert.Equal(t, 1, f.count("AAAA day. udp"))
}

// TestLastGood breaks DNS in every way that says nothing about a name.
func TestLastGood(t *testing.T) {
	f := newFakeDNS(t)
	log := &journal{}
	o := quick(t)
	o.Logger = log.logger()
	n := newNamer(t, dns.Config{Hosts: []string{f.addr}, MinTTL: 20 * time.Millisecond}, o)
	good := reply{answer: records("web.test.", "A", 0, "10.0.0.1")}
	good6 := reply{answer: records("web.test.", "AAAA", 0, "2001:db8::1")}
	f.say("A web.test.", good)
	f.say("AAAA web.test.", good6)
	w := watch(t, n, "/web.test/80")
	w.comes("/#/dns/web.test/80: 10.0.0.1:80 [2001:db8::1]:80")
	release := w.guard("10.0.0.1:80")
	for i, r := range []reply{{rcode: wire.RcodeServerFailure}, {rcode: wire.RcodeRefused}, {drop: true}, {lame: true}, {other: true}} {
		f.say("A web.test.", r)
		f.say("AAAA web.test.", r)
		w.comes("/#/dns/web.test/80: 10.0.0.1:80 [2001:db8::1]:80 (stale)")
		w.stays("/#/dns/web.test/80: 10.0.0.1:80 [2001:db8::1]:80 (stale)", 100*time.Millisecond)
		assert.Equal(t, i+1, log.count("cannot be asked for"), "said once")
		require.Error(t, n.Watches()[0].Err)
		f.say("A web.test.", good)
		f.say("AAAA web.test.", good6)
		w.comes("/#/dns/web.test/80: 10.0.0.1:80 [2001:db8::1]:80")
	}
	// One family at a time.
	f.say("AAAA web.test.", reply{drop: true})
	w.comes("/#/dns/web.test/80: 10.0.0.1:80 [2001:db8::1]:80 (stale)")
	f.say("A web.test.", reply{answer: records("web.test.", "A", 0, "10.0.0.1", "10.0.0.2")})
	w.comes("/#/dns/web.test/80: 10.0.0.1:80 10.0.0.2:80 [2001:db8::1]:80 (stale)")
	release()
	f.say("AAAA web.test.", reply{rcode: wire.RcodeNameError})
	f.say("A web.test.", reply{rcode: wire.RcodeNameError})
	w.comes("Neg")
}

func TestConfig(t *testing.T) {
	for _, tt := range []struct {
		c    dns.Config
		want string
	}{
		{dns.Config{Hosts: []string{"a:b:c"}}, `dns: dnsHosts: "a:b:c": must be host or host:port`},
		{dns.Config{Hosts: []string{"a:0"}}, `dns: dnsHosts: "a:0": must be host or host:port, with a port from 1 to 65535`},
		{dns.Config{Hosts: []string{""}}, `dns: dnsHosts: "": must be host or host:port, with a port from 1 to 65535`},
		{dns.Config{MinTTL: -1}, "dns: minTtl and maxTtl: must not be negative"},
		{dns.Config{MinTTL: 2, MaxTTL: 1}, "dns: maxTtl: is 1ns, must not be less than minTtl, which is 2ns"},
	} {
		_, err := dns.New(tt.c, dns.Options{})
		require.EqualError(t, err, tt.want)
	}
	_, err := dns.NewSRV(dns.SRVConfig{RefreshInterval: -1}, dns.Options{})
	require.EqualError(t, err, "dns: refreshInterval: must not be negative")
	for _, h := range []string{"10.0.0.1", "::1", "[::1]", "[::1]:5353", "ns.internal", "ns.internal:5353"} {
		n, err := dns.NewSRV(dns.SRVConfig{Hosts: []string{h}, Prefix: dtab.MustPath("/#/x")}, dns.Options{})
		require.NoError(t, err, h)
		assert.Equal(t, "/#/x", n.Prefix().String())
		require.NoError(t, n.Close())
	}
}

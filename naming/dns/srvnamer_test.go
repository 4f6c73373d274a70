package dns_test

import (
	"testing"
	"time"

	wire "github.com/miekg/dns"
	"github.com/stretchr/testify/assert"

	"github.com/weft-mesh/weft/naming/dns"
)

func TestSRV(t *testing.T) {
	f := newFakeDNS(t)
	for host, ip := range map[string]string{"a": "10.0.0.1", "b": "10.0.0.2", "c": "10.0.0.3", "d": "10.0.0.4"} {
		f.say("A "+host+".test.", reply{answer: records(host+".test.", "A", 9, ip)})
	}
	f.say("A twin.test.", reply{answer: records("twin.test.", "A", 9, "10.0.1.1", "10.0.1.2")})
	f.say("A broken.test.", reply{rcode: wire.RcodeServerFailure})
	for name, r := range map[string]reply{
		"even":     {answer: records("even.test.", "SRV", 9, "1 5 80 b.test.", "1 5 80 a.test.", "1 5 81 a.test.", "1 5 80 A.test.")},
		"zeros":    {answer: records("zeros.test.", "SRV", 9, "1 0 80 a.test.", "1 0 80 b.test.")},
		"weights":  {answer: records("weights.test.", "SRV", 9, "1 10 80 a.test.", "1 30 80 b.test.", "1 0 80 c.test.", "1 10 80 twin.test.")},
		"priority": {answer: records("priority.test.", "SRV", 9, "20 0 80 c.test.", "10 0 80 a.test.", "10 0 80 b.test.")},
		"backup":   {answer: records("backup.test.", "SRV", 9, "1 0 80 gone.test.", "2 0 80 gone2.test.", "3 0 80 c.test.")},
		"partly":   {answer: records("partly.test.", "SRV", 9, "1 0 80 broken.test.", "1 0 80 a.test.", "1 0 80 gone.test.")},
		"broken":   {answer: records("broken.test.", "SRV", 9, "1 0 80 broken.test.")},
		"gone":     {answer: records("gone.test.", "SRV", 9, "1 0 80 gone.test.")},
		"none":     {answer: records("none.test.", "SRV", 9, "0 0 0 .")},
		"given":    {answer: records("given.test.", "SRV", 9, "1 0 80 a.test.", "1 0 80 b.test."), extra: records("a.test.", "A", 9, "10.0.9.1")},
		"alias":    {answer: append(records("alias.test.", "CNAME", 9, "even.test."), records("even.test.", "SRV", 9, "1 0 80 a.test.")...)},
		"nodata":   {authority: soa(9, 9)},
		"fails":    {rcode: wire.RcodeServerFailure},
		"big":      {answer: records("big.test.", "SRV", 9, "1 0 80 a.test.", "1 0 80 b.test."), truncate: true},
	} {
		f.say("SRV "+name+".test.", r)
	}
	for path, want := range map[string]string{
		"/even.test/r/s": "/#/io.l5d.dnssrv/even.test+/r/s: 10.0.0.1:80 10.0.0.1:81 10.0.0.2:80",
		"/EVEN.test":     "/#/io.l5d.dnssrv/EVEN.test: 10.0.0.1:80 10.0.0.1:81 10.0.0.2:80",
		"/zeros.test":    "/#/io.l5d.dnssrv/zeros.test: 10.0.0.1:80 10.0.0.2:80",
		"/weights.test":  "/#/io.l5d.dnssrv/weights.test: 10.0.0.1:80*10 10.0.0.2:80*30 10.0.0.3:80*0.1 10.0.1.1:80*5 10.0.1.2:80*5",
		"/priority.test": "/#/io.l5d.dnssrv/priority.test: 10.0.0.1:80 10.0.0.2:80",
		"/backup.test":   "/#/io.l5d.dnssrv/backup.test: 10.0.0.3:80",
		"/partly.test":   "/#/io.l5d.dnssrv/partly.test: 10.0.0.1:80 (stale)",
		"/given.test":    "/#/io.l5d.dnssrv/given.test: 10.0.0.2:80 10.0.9.1:80",
		"/alias.test":    "/#/io.l5d.dnssrv/alias.test: 10.0.0.1:80",
		"/big.test":      "/#/io.l5d.dnssrv/big.test: 10.0.0.1:80 10.0.0.2:80",
		"/gone.test":     "Neg",
		"/none.test":     "Neg",
		"/nodata.test":   "Neg",
		"/nothing.test":  "Neg",
		"/":              "Neg",
		"/broken.test":   "failed",
		"/fails.test":    "failed",
		"/even":          "/#/io.l5d.dnssrv/even: 10.0.0.1:80 10.0.0.1:81 10.0.0.2:80", // by the search domain
		"/even.":         "Neg",
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			o := quick(t)
			o.InterfaceAddrs = v4
			o.ResolvConf = resolvConf(t, "search test")
			watch(t, newSRV(t, dns.SRVConfig{Hosts: []string{f.addr}}, o), path).comes(want)
		})
	}
	t.Run("as Linkerd did", func(t *testing.T) {
		t.Parallel()
		o := quick(t)
		o.InterfaceAddrs = v4
		n := newSRV(t, dns.SRVConfig{Hosts: []string{f.addr}, IgnoreWeights: true}, o)
		watch(t, n, "/priority.test").comes("/#/io.l5d.dnssrv/priority.test: 10.0.0.1:80 10.0.0.2:80 10.0.0.3:80")
		watch(t, n, "/weights.test").comes("/#/io.l5d.dnssrv/weights.test: 10.0.0.1:80 10.0.0.2:80 10.0.0.3:80 10.0.1.1:80 10.0.1.2:80")
	})
}

func TestSRVLastGood(t *testing.T) {
	f := newFakeDNS(t)
	o := quick(t)
	o.InterfaceAddrs = v4
	n := newSRV(t, dns.SRVConfig{Hosts: []string{f.addr}, RefreshInterval: 20 * time.Millisecond}, o)
	good := reply{answer: records("web.test.", "SRV", 900, "1 0 80 a.test.", "1 0 80 b.test.", "2 0 80 c.test.")}
	f.say("SRV web.test.", good)
	f.say("A a.test.", reply{answer: records("a.test.", "A", 0, "10.0.0.1")})
	f.say("A b.test.", reply{answer: records("b.test.", "A", 900, "10.0.0.2")})
	f.say("A c.test.", reply{answer: records("c.test.", "A", 900, "10.0.0.3")})
	w := watch(t, n, "/web.test")
	w.comes("/#/io.l5d.dnssrv/web.test: 10.0.0.1:80 10.0.0.2:80")
	release := w.guard("10.0.0.1:80")

	f.say("SRV web.test.", reply{rcode: wire.RcodeServerFailure})
	w.comes("/#/io.l5d.dnssrv/web.test: 10.0.0.1:80 10.0.0.2:80 (stale)")
	f.say("SRV web.test.", good)
	w.comes("/#/io.l5d.dnssrv/web.test: 10.0.0.1:80 10.0.0.2:80")

	// A target that cannot be asked for keeps its address while others change.
	f.say("A a.test.", reply{drop: true})
	w.comes("/#/io.l5d.dnssrv/web.test: 10.0.0.1:80 10.0.0.2:80 (stale)")
	f.say("SRV web.test.", reply{answer: records("web.test.", "SRV", 900, "1 0 80 a.test.", "2 0 80 c.test.")})
	w.comes("/#/io.l5d.dnssrv/web.test: 10.0.0.1:80 (stale)")
	release()

	// The TTL of the SRV record is not looked at, that of an address is.
	assert.Greater(t, f.count("SRV web.test. udp"), 3)
	assert.Equal(t, 1, f.count("A c.test. udp"))
	f.say("A a.test.", reply{rcode: wire.RcodeNameError})
	w.comes("/#/io.l5d.dnssrv/web.test: 10.0.0.3:80")
	f.say("SRV web.test.", reply{rcode: wire.RcodeNameError})
	w.comes("Neg")
	f.say("SRV web.test.", good)
	w.comes("/#/io.l5d.dnssrv/web.test: 10.0.0.2:80")
}

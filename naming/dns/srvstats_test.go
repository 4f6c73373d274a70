package dns_test

import (
	"strings"
	"testing"
	"time"

	wire "github.com/miekg/dns"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/naming/dns"
	"github.com/weft-mesh/weft/telemetry"
)

// TestSRVMetrics: lookups count by what they came to, and what has not happened has no
// metric.
func TestSRVMetrics(t *testing.T) {
	f := newFakeDNS(t)
	f.say("SRV web.test.", reply{answer: records("web.test.", "SRV", 900, "1 0 80 a.test.")})
	f.say("A a.test.", reply{answer: records("a.test.", "A", 900, "10.0.0.1")})
	f.say("SRV none.test.", reply{authority: soa(900, 900)})
	tree := telemetry.NewTree(telemetry.Options{})
	defer tree.Close()
	scope := tree.Scope("namer", "io.l5d.dnssrv")
	o := quick(t)
	o.InterfaceAddrs, o.Metrics = v4, scope
	n := newSRV(t, dns.SRVConfig{Hosts: []string{f.addr}, RefreshInterval: 5 * time.Millisecond}, o)
	lookups := func() map[string]int64 {
		all := map[string]int64{}
		for at, m := range scope.All() {
			all[strings.Join(at, "/")] = m.Int
		}
		return all
	}
	assert.Empty(t, lookups())
	watch(t, n, "/web.test").comes("/#/io.l5d.dnssrv/web.test: 10.0.0.1:80")
	require.Eventually(t, func() bool { return lookups()["lookup_successes_total"] >= 3 }, 10*time.Second, time.Millisecond)
	assert.NotContains(t, lookups(), "lookup_failures_total")
	assert.NotContains(t, lookups(), "lookup_zero_results_total")
	watch(t, n, "/none.test").comes("Neg")
	require.Eventually(t, func() bool { return lookups()["lookup_zero_results_total"] >= 3 }, 10*time.Second, time.Millisecond)
	assert.NotContains(t, lookups(), "lookup_failures_total")
	f.say("SRV web.test.", reply{rcode: wire.RcodeServerFailure})
	require.Eventually(t, func() bool { return lookups()["lookup_failures_total"] >= 3 }, 10*time.Second, time.Millisecond)
	require.NoError(t, n.Close())
	var sum int64
	for _, v := range lookups() {
		sum += v
	}
	assert.Equal(t, sum, scope.Stat("request_duration_ms").Live().Count, "every lookup has its duration")
}

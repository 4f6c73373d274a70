package dns_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/naming/dns"
)

// outage is how long things are broken.
func outage() time.Duration {
	if os.Getenv("WEFT_SOAK") != "" {
		return time.Minute
	}
	return 2 * time.Second
}

// zone is what CoreDNS serves: the addresses of web are last.
func zone(web ...string) string {
	lines := []string{
		"a IN A 10.0.0.1", "b IN A 10.0.0.2", "c IN A 10.0.0.3", "c IN AAAA 2001:db8::3",
		"_http._tcp.web IN SRV 10 3 8080 a", "_http._tcp.web IN SRV 10 1 8081 b", "_http._tcp.web IN SRV 20 0 8082 c",
		"www 1 IN CNAME alias", "alias 1 IN CNAME web",
		"slow 30 IN A 10.0.0.9",
	}
	for i := range 120 {
		lines = append(lines, fmt.Sprintf("node%03d-with-a-name-that-is-not-short IN A 10.1.0.%d", i, i), fmt.Sprintf("_http._tcp.big IN SRV 1 1 8000 node%03d-with-a-name-that-is-not-short", i))
	}
	for _, ip := range web {
		kind := "A"
		if strings.Contains(ip, ":") {
			kind = "AAAA"
		}
		lines = append(lines, "web 1 IN "+kind+" "+ip)
	}
	return strings.Join(lines, "\n")
}

// TestAgainstCoreDNS goes through what happens to zones and to servers.
func TestAgainstCoreDNS(t *testing.T) {
	server := servers.StartCoreDNS(t, zone("10.0.1.1", "2001:db8::1"), "", `
flaky.test:PORT {
 bind 127.0.0.1
 erratic {
  drop 2
 }
}
gone.test:PORT {
 bind 127.0.0.1
 erratic {
  drop 1
 }
}`)
	log := &journal{}
	o := dns.Options{ResolvConf: resolvConf(t, "search weft.test"), InterfaceAddrs: v6, Timeout: 500 * time.Millisecond, Logger: log.logger()}
	n := newNamer(t, dns.Config{Hosts: []string{server.Addr}}, o)
	srv := newSRV(t, dns.SRVConfig{Hosts: []string{server.Addr}, RefreshInterval: time.Second}, o)

	promptly := func(t *testing.T, w *watched, since time.Time, what, want string) {
		t.Helper()
		w.comes(want)
		took := time.Since(since)
		t.Logf("%s: %v", what, took.Round(time.Millisecond))
		assert.Less(t, took, prompt(), what)
	}
	web, www := watch(t, n, "/web.weft.test/80"), watch(t, n, "/www.weft.test./80")
	web.comes("/#/dns/web.weft.test/80: 10.0.1.1:80 [2001:db8::1]:80")
	www.comes("/#/dns/www.weft.test./80: 10.0.1.1:80 [2001:db8::1]:80")
	slow := watch(t, n, "/slow/80")
	slow.comes("/#/dns/slow/80: 10.0.0.9:80")
	const even = "/#/io.l5d.dnssrv/_http._tcp.web.weft.test: 10.0.0.1:8080*3 10.0.0.2:8081*1"
	service := watch(t, srv, "/_http._tcp.web.weft.test")
	service.comes(even)

	t.Run("a large answer comes by TCP", func(t *testing.T) {
		big := watch(t, srv, "/_http._tcp.big.weft.test")
		require.Eventually(t, func() bool {
			big.text()
			if big.sets == nil {
				return false
			}
			s, _ := big.sets.Load()
			return len(s.Value.Endpoints) == 120 && s.Err == nil
		}, 20*time.Second, 10*time.Millisecond)
	})

	t.Run("the zone changes", func(t *testing.T) {
		release := web.guard("10.0.1.1:80")
		server.Set(zone("10.0.1.1", "10.0.1.2"))
		at := server.Await()
		promptly(t, web, at, "web", "/#/dns/web.weft.test/80: 10.0.1.1:80 10.0.1.2:80")
		promptly(t, www, at, "www", "/#/dns/www.weft.test./80: 10.0.1.1:80 10.0.1.2:80")
		release()
		server.Set(strings.ReplaceAll(strings.ReplaceAll(zone(), "_http._tcp.web IN SRV 10", "; "), "10.0.0.9", "10.0.0.8"))
		at = server.Await()
		promptly(t, web, at, "web without records", "Neg")
		promptly(t, service, at, "the next priority", "/#/io.l5d.dnssrv/_http._tcp.web.weft.test: 10.0.0.3:8082 [2001:db8::3]:8082")
		server.Set(zone("10.0.1.3"))
		at = server.Await()
		promptly(t, web, at, "web again", "/#/dns/web.weft.test/80: 10.0.1.3:80")
		promptly(t, service, at, "the first priority", even)
		assert.Equal(t, "/#/dns/slow/80: 10.0.0.9:80", slow.text(), "its TTL is 30 s")
	})

	t.Run("the server is killed and comes back", func(t *testing.T) {
		releaseWeb, releaseService := web.guard("10.0.1.3:80"), service.guard("10.0.0.1:8080", "10.0.0.2:8081")
		server.Kill()
		web.comes("/#/dns/web.weft.test/80: 10.0.1.3:80 (stale)")
		service.comes(even + " (stale)")
		pause(outage())
		server.Set(zone("10.0.1.3", "10.0.1.4"))
		server.Start()
		at := time.Now()
		promptly(t, web, at, "web", "/#/dns/web.weft.test/80: 10.0.1.3:80 10.0.1.4:80")
		promptly(t, service, at, "the service", even)
		releaseWeb()
		releaseService()
	})

	t.Run("the server is silent for a while", func(t *testing.T) {
		release := web.guard("10.0.1.3:80")
		server.Pause()
		web.comes("/#/dns/web.weft.test/80: 10.0.1.3:80 10.0.1.4:80 (stale)")
		pause(outage())
		server.Resume()
		promptly(t, web, time.Now(), "web", "/#/dns/web.weft.test/80: 10.0.1.3:80 10.0.1.4:80")
		release()
	})

	t.Run("answers get lost", func(t *testing.T) {
		flaky := watch(t, n, "/a.flaky.test./80")
		flaky.comes("/#/dns/a.flaky.test./80: 192.0.2.53:80 [2001:db8::53]:80") // every other one does; the TTL is 0
		release := flaky.guard("192.0.2.53:80", "[2001:db8::53]:80")
		pause(3 * time.Second)
		release()
		lost := watch(t, n, "/a.gone.test./80")
		lost.comes("failed")
		s, _ := lost.tree.Load()
		require.ErrorContains(t, s.Err, server.Addr)
		require.ErrorContains(t, s.Err, "no answer in 500ms")
		assert.Equal(t, 1, log.count("a.gone.test."), "said once")
	})
}

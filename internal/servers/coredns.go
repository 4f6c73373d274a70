package servers

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/weft-mesh/weft/internal/testtool"
)

// Zone is the zone that CoreDNS serves.
const Zone = "weft.test."

// CoreDNS is a running CoreDNS with the zone weft.test, by UDP and TCP.
type CoreDNS struct {
	*Server
	// Addr is host:port.
	Addr string

	tb     testing.TB
	file   string
	serial uint32
}

// StartCoreDNS starts a CoreDNS whose zone has the records, in the form of a zone
// file with names relative to the zone. Plugins are lines for the zone beside those
// that serve it, such as "erratic {…}". Blocks are whole server blocks, in which PORT
// stands for the port.
func StartCoreDNS(tb testing.TB, records, plugins, blocks string) *CoreDNS {
	tb.Helper()
	bin, dir, port := testtool.Get(tb, testtool.CoreDNS), tb.TempDir(), ports(tb, 1)[0]
	c := &CoreDNS{Addr: loopback(port), tb: tb, file: filepath.Join(dir, "zone")}
	c.write(records)
	corefile := fmt.Sprintf("%s:%d {\n bind 127.0.0.1\n file %s {\n  reload 1s\n }\n %s\n}\n%s\n", Zone, port, c.file, plugins,
		strings.ReplaceAll(blocks, "PORT", strconv.Itoa(port)))
	conf := filepath.Join(dir, "Corefile")
	if err := os.WriteFile(conf, []byte(corefile), 0o600); err != nil {
		tb.Fatalf("servers: %v", err)
	}
	c.Server = start(tb, "coredns", func() *exec.Cmd {
		return exec.Command(bin, "-conf", conf) //nolint:noctx // it ends with the test
	}, c.serves)
	return c
}

// Set replaces the records of the zone. CoreDNS looks every second whether the file
// has a higher serial number; Set does not wait for that.
func (c *CoreDNS) Set(records string) {
	c.tb.Helper()
	c.write(records)
}

// Await waits until the records of the last Set are served, and returns that moment.
func (c *CoreDNS) Await() time.Time {
	c.tb.Helper()
	c.AwaitReady()
	return time.Now()
}

func (c *CoreDNS) write(records string) {
	c.tb.Helper()
	c.serial++
	// The negative TTL is the last number. A new file is put in place by renaming, as half
	// a zone would be served otherwise.
	zone := fmt.Sprintf("$ORIGIN %s\n$TTL 1\n@ 1 IN SOA ns.%s root.%s %d 3600 600 86400 1\n@ 1 IN NS ns.%s\nns 1 IN A 127.0.0.1\n%s\n",
		Zone, Zone, Zone, c.serial, Zone, records)
	if err := os.WriteFile(c.file+".new", []byte(zone), 0o600); err != nil {
		c.tb.Fatalf("servers: %v", err)
	}
	if err := os.Rename(c.file+".new", c.file); err != nil {
		c.tb.Fatalf("servers: %v", err)
	}
}

// serves returns nil if the server has the last zone.
func (c *CoreDNS) serves(ctx context.Context) error {
	q := new(dns.Msg)
	q.SetQuestion(Zone, dns.TypeSOA)
	m, err := dns.ExchangeContext(ctx, q, c.Addr)
	if err != nil {
		return err
	}
	for _, rr := range m.Answer {
		if soa, ok := rr.(*dns.SOA); ok && soa.Serial == c.serial {
			return nil
		}
	}
	return fmt.Errorf("serial %d is not served yet", c.serial)
}

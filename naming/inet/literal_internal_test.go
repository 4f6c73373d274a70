package inet

import (
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestLiteral(t *testing.T) {
	for host, want := range map[string]string{
		"":                "127.0.0.1",
		"localhost":       "127.0.0.1",
		"LocalHost":       "127.0.0.1",
		"10.1.2.3":        "10.1.2.3",
		"127.1":           "127.0.0.1",
		"10.1.515":        "10.1.2.3",
		"8080":            "0.0.31.144",
		"0":               "0.0.0.0",
		"4294967295":      "255.255.255.255",
		"::1":             "::1",
		"[2001:db8::1]":   "2001:db8::1",
		"::ffff:10.0.0.1": "10.0.0.1",
		"fe80::1%eth0":    "fe80::1%eth0",
		"4294967296":      "-",
		"1.2.3.4.5":       "-",
		"1.2.3.256":       "-",
		"010.0.0.1":       "-",
		"0x7f.1":          "-",
		"+1.1":            "-",
		"1..1":            "-",
		"127.1.":          "-",
		"[10.0.0.1]":      "-",
		"[::1":            "-",
		"[]":              "-",
		"example.com":     "-",
	} {
		a, ok := literal(host)
		if want == "-" {
			assert.False(t, ok, "%q gives %s", host, a)
			continue
		}
		assert.True(t, ok, host)
		assert.Equal(t, want, a.String(), host)
	}
}

func TestReachesIPv6(t *testing.T) {
	for addr, want := range map[string]bool{
		"2001:db8::1": true,
		"fd00::1":     true,
		"::1":         false,
		"fe80::1":     false,
		"::":          false,
		"10.0.0.1":    false,
	} {
		assert.Equal(t, want, reachesIPv6([]net.Addr{&net.IPNet{IP: net.ParseIP(addr)}}), addr)
	}
	assert.False(t, reachesIPv6([]net.Addr{&net.UnixAddr{}}))
}

// FuzzLiteral checks that what is taken for an address is one, whatever its
// spelling.
func FuzzLiteral(f *testing.F) {
	for _, s := range []string{"127.1", "::1", "[::1]", "1.2.3.4", "host", "4294967295", "1.65536"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, host string) {
		a, ok := literal(host)
		if !ok {
			return
		}
		again, ok := literal(a.String())
		assert.True(t, ok && a == again, "%q gives %s", host, a)
		if b, err := netip.ParseAddr(host); err == nil {
			assert.Equal(t, b.Unmap(), a)
		}
	})
}

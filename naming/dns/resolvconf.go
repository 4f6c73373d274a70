package dns

import (
	"net"
	"os"
	"strings"
	"sync"
	"time"

	wire "github.com/miekg/dns"
)

// resolvConf is a file like /etc/resolv.conf, read again whenever it has changed.
type resolvConf struct {
	path string

	mu       sync.Mutex
	modified time.Time
	size     int64
	content  *wire.ClientConfig
}

// settings are the content of the file.
type settings struct{ *wire.ClientConfig }

// load returns what the file says at the moment.
func (r *resolvConf) load() settings {
	r.mu.Lock()
	defer r.mu.Unlock()
	var modified time.Time
	var size int64
	if info, err := os.Stat(r.path); err == nil {
		modified, size = info.ModTime(), info.Size()
	}
	if r.content != nil && modified.Equal(r.modified) && size == r.size {
		return settings{r.content}
	}
	c, err := wire.ClientConfigFromFile(r.path)
	if err != nil {
		c = &wire.ClientConfig{Port: "53", Ndots: 1, Timeout: 5, Attempts: 2}
	}
	r.modified, r.size, r.content = modified, size, c
	return settings{c}
}

// servers returns host:port of the servers, by default that of the machine itself.
func (s settings) servers() []string {
	addrs := make([]string, 0, len(s.Servers))
	for _, a := range s.Servers {
		addrs = append(addrs, net.JoinHostPort(a, s.Port))
	}
	if len(addrs) == 0 {
		addrs = append(addrs, net.JoinHostPort("127.0.0.1", s.Port))
	}
	return addrs
}

// candidates returns the full names that a name may stand for, in the order in which
// they are to be tried. It is empty if the name is none of DNS.
func (s settings) candidates(name string) []string {
	// What has to be escaped in a zone file is not in the names of hosts and services.
	if _, ok := wire.IsDomainName(name); !ok || name == "" || strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune(`"'();@\`, r)
	}) {
		return nil
	}
	var names []string
	for _, n := range s.NameList(name) {
		if _, ok := wire.IsDomainName(n); ok {
			names = append(names, n)
		}
	}
	return names
}

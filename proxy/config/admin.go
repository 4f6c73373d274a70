package config

import (
	"net/netip"
	"regexp"
	"time"
)

// Admin is the admin server. The zero Admin listens on 127.0.0.1:9990.
type Admin struct {
	IP                 *netip.Addr    `yaml:"ip"`
	Port               *int           `yaml:"port" weft:"port"`
	SocketOptions      SocketOptions  `yaml:"socketOptions"`
	ShutdownGrace      *time.Duration `yaml:"shutdownGraceMs" weft:"unit=ms"` // 10 s
	TLS                *ServerTLS     `yaml:"tls"`
	WorkerThreads      *int           `yaml:"workerThreads" weft:"min=1"` // 2
	HTTPIdentifierPort *int           `yaml:"httpIdentifierPort" weft:"port"`
	Security           Security       `yaml:"security"`
}

// Security says which admin pages are served. A page whose path the blacklist
// matches is not; another one is if its category is enabled or the whitelist
// matches its path. The zero Security serves everything.
type Security struct {
	UIEnabled          *bool        `yaml:"uiEnabled"`
	ControlEnabled     *bool        `yaml:"controlEnabled"`
	DiagnosticsEnabled *bool        `yaml:"diagnosticsEnabled"`
	PathWhitelist      []PathRegexp `yaml:"pathWhitelist"`
	PathBlacklist      []PathRegexp `yaml:"pathBlacklist"`
}

// Addr returns the address that the admin server listens on.
func (a *Admin) Addr() netip.AddrPort {
	ip, port := netip.AddrFrom4([4]byte{127, 0, 0, 1}), 9990
	if a.IP != nil {
		ip = *a.IP
	}
	if a.Port != nil {
		port = *a.Port
	}
	return netip.AddrPortFrom(ip, uint16(port)) //nolint:gosec // the decoder checks the range
}

// PathRegexp is a regular expression (RE2 syntax) that must match all of a path.
type PathRegexp struct{ expr *regexp.Regexp }

// MatchString reports whether the expression matches all of path. The zero
// PathRegexp matches nothing.
func (p *PathRegexp) MatchString(path string) bool { return p.expr != nil && p.expr.MatchString(path) }

// String returns the expression with what makes it match whole paths.
func (p *PathRegexp) String() string {
	if p.expr == nil {
		return ""
	}
	return p.expr.String()
}

// UnmarshalConfig implements Unmarshaler.
func (p *PathRegexp) UnmarshalConfig(value any) error {
	// The expression by itself first: it must not close the group around it.
	if _, err := regexp.Compile(show(value)); err != nil {
		return err
	}
	expr, err := regexp.Compile("^(?:" + show(value) + ")$")
	p.expr = expr
	return err
}

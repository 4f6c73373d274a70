package tap

import (
	"net"
	"net/netip"
	"strings"
)

// Filter says which requests a watcher wants: those that every field lets through. The
// zero Filter wants all. ParseQuery makes one of text.
type Filter struct {
	// Router is the label of a router.
	Router string

	// Service and Client are names. One with a "*", which stands for any characters, is
	// a pattern of the whole name, others are prefixes: /svc/web is also /svc/web/x.
	Service, Client string

	// Method is that of the request, in any case.
	Method string

	// Path is compared with the path, without its query, unless Path has a "?". A "*"
	// stands for any characters. Credentials in a query are compared as Redacted.
	Path string

	// Status is one, or the first and the last of a range; zero is any. GRPCStatus is
	// the name of a gRPC status.
	Status     [2]int
	GRPCStatus string

	// Headers are all required.
	Headers []HeaderFilter

	// Peer is the caller's address, with or without its port, or the network it is in.
	Peer PeerFilter
}

// HeaderFilter wants a header. An empty Value is any; a "*" in it stands for any
// characters.
type HeaderFilter struct{ Name, Value string }

// PeerFilter wants a caller. The zero value wants any.
type PeerFilter struct {
	Network netip.Prefix
	Port    uint16 // 0 is any
}

// matches reports whether the filter lets a request through.
func (f *Filter) matches(e *Event, fields Fields) bool {
	return (f.Router == "" || f.Router == e.Router) &&
		(f.Status[0] == 0 || f.Status[0] <= e.Status && e.Status <= f.Status[1]) &&
		(f.GRPCStatus == "" || f.GRPCStatus == e.GRPCStatus) &&
		(f.Method == "" || strings.EqualFold(f.Method, e.Method)) &&
		nameMatches(f.Service, e.Service) && nameMatches(f.Client, e.Client) &&
		pathMatches(f.Path, e.Path) && f.Peer.matches(e.Peer) && f.headersMatch(fields)
}

func nameMatches(want, name string) bool {
	switch {
	case want == "":
		return true
	case strings.Contains(want, "*"):
		return glob(want, name)
	default:
		rest, ok := strings.CutPrefix(name, strings.TrimSuffix(want, "/"))
		return ok && (rest == "" || rest[0] == '/')
	}
}

func pathMatches(want, path string) bool {
	if want == "" {
		return true
	}
	if !strings.Contains(want, "?") {
		path, _, _ = strings.Cut(path, "?")
		return glob(want, path)
	}
	return glob(want, redactQuery(path))
}

func (f *Filter) headersMatch(fields Fields) bool {
	for i := range f.Headers {
		if !f.Headers[i].matches(fields) {
			return false
		}
	}
	return true
}

// matches does not compare credentials, or they could be guessed piece by piece: a
// filter with a value for one matches nothing.
func (h *HeaderFilter) matches(fields Fields) bool {
	if fields == nil {
		return false
	}
	for name, value := range fields {
		if strings.EqualFold(name, h.Name) && (h.Value == "" || !secret(name) && glob(h.Value, value)) {
			return true
		}
	}
	return false
}

func (p *PeerFilter) matches(peer string) bool {
	if !p.Network.IsValid() {
		return true
	}
	host, port, err := net.SplitHostPort(peer)
	if err != nil {
		host = peer
	}
	addr, err := netip.ParseAddr(host)
	if err != nil || !p.Network.Contains(addr.Unmap().WithZone("")) {
		return false
	}
	return p.Port == 0 || port == portText(p.Port)
}

// glob reports whether text is as pattern says, in which "*" stands for any
// characters. It takes time in proportion to the product of the lengths at most.
func glob(pattern, text string) bool {
	star, back := -1, 0
	p, t := 0, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, back = p, t
			p++
		case p < len(pattern) && pattern[p] == text[t]:
			p++
			t++
		case star >= 0:
			back++
			p, t = star+1, back
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

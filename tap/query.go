package tap

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// ParseQuery reads what a watcher wants from the parameters of a URL: router, service,
// client, method, path, status (404, or 5xx), header (name, or "name: value"; may be
// repeated), peer, rate (events per second) and limit (events in all; 0 is no limit).
// All of them are optional. The error says which one is wrong and what would be right.
func ParseQuery(q url.Values) (o WatchOptions, limit int, err error) {
	f := &o.Filter
	for _, name := range slices.Sorted(maps.Keys(q)) {
		if len(q[name]) > 1 && name != "header" {
			return o, 0, fmt.Errorf("tap: %s: it is given %d times", name, len(q[name]))
		}
		for _, text := range q[name] {
			if strings.TrimSpace(text) == "" {
				continue // a form's field that was left empty
			}
			var err error
			switch name {
			case "router":
				f.Router = text
			case "service":
				f.Service, err = parseName(text)
			case "client":
				f.Client, err = parseName(text)
			case "method":
				if f.Method = text; !isToken(text) {
					err = errors.New("want a method, such as GET")
				}
			case "path":
				if f.Path = text; text[0] != '/' && text[0] != '*' {
					err = errors.New("want a path that begins with / or *, such as /api/*")
				}
			case "status":
				err = f.parseStatus(text)
			case "header":
				err = f.addHeader(text)
			case "peer":
				f.Peer, err = parsePeer(text)
			case "rate":
				if o.Rate, err = strconv.ParseFloat(text, 64); err != nil || !(o.Rate > 0 && o.Rate <= MaxRate) {
					err = fmt.Errorf("want events per second, more than 0 and at most %d", MaxRate)
				}
			case "limit":
				if limit, err = strconv.Atoi(text); err != nil || limit < 0 {
					err = errors.New("want a number of events, or 0 for no limit")
				}
			default:
				return o, 0, fmt.Errorf("tap: unknown parameter %q: want router, service, client, method, path, status, header, peer, rate or limit", name)
			}
			if err != nil {
				return o, 0, fmt.Errorf("tap: %s %q: %w", name, text, err)
			}
		}
	}
	return o, limit, nil
}

func parseName(text string) (string, error) {
	if text[0] != '/' && text[0] != '*' {
		return "", errors.New("want a name or the beginning of one, such as /svc/web, or a pattern such as /svc/*")
	}
	return text, nil
}

func (f *Filter) parseStatus(text string) error {
	if len(text) == 3 && text[0] >= '1' && text[0] <= '9' && strings.EqualFold(text[1:], "xx") {
		first := int(text[0]-'0') * 100
		f.Status = [2]int{first, first + 99}
		return nil
	}
	if n, err := strconv.Atoi(text); err == nil && n >= 100 && n <= 999 {
		f.Status = [2]int{n, n}
		return nil
	}
	f.GRPCStatus = strings.ToUpper(text)
	if !slices.Contains(grpcStatuses(), f.GRPCStatus) {
		return errors.New("want a status such as 404, a class such as 5xx, or a gRPC status such as UNAVAILABLE")
	}
	return nil
}

// grpcStatuses returns the names of the codes of gRPC.
func grpcStatuses() []string {
	return []string{
		"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
		"RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE",
		"DATA_LOSS", "UNAUTHENTICATED",
	}
}

// GRPCStatusName returns the name of a code of gRPC, as Event.GRPCStatus has it.
func GRPCStatusName(code int) string {
	if names := grpcStatuses(); code >= 0 && code < len(names) {
		return names[code]
	}
	return strconv.Itoa(code)
}

func (f *Filter) addHeader(text string) error {
	name, value, _ := strings.Cut(text, ":")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	if !isToken(name) {
		return errors.New("want a header's name, or 'name: value'")
	}
	if secret(name) && value != "" {
		return errors.New("this header has credentials, which are not compared: give its name only")
	}
	f.Headers = append(f.Headers, HeaderFilter{name, value})
	return nil
}

func parsePeer(text string) (PeerFilter, error) {
	if network, err := netip.ParsePrefix(text); err == nil {
		return PeerFilter{Network: network.Masked()}, nil
	}
	if addr, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		addr = addr.Unmap()
		return PeerFilter{Network: netip.PrefixFrom(addr.WithZone(""), addr.BitLen())}, nil
	}
	if at, err := netip.ParseAddrPort(text); err == nil {
		addr := at.Addr().Unmap()
		return PeerFilter{Network: netip.PrefixFrom(addr.WithZone(""), addr.BitLen()), Port: at.Port()}, nil
	}
	return PeerFilter{}, errors.New("want an IP address, with or without a port, or a network such as 10.0.0.0/8")
}

func portText(p uint16) string { return strconv.Itoa(int(p)) }

// isToken reports whether s can be a method or a header's name (RFC 9110, 5.6.2).
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}

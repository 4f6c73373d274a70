package dns

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	wire "github.com/miekg/dns"
)

const (
	// negativeTTL is how long it holds that a name does not exist if the answer does
	// not say.
	negativeTTL = 5 * time.Second

	// maxAliases is how many CNAME records one after the other are followed.
	maxAliases = 16
)

var (
	errAliasLoop = errors.New("its CNAME records lead back to where they started, or never end")
	errLame      = errors.New("it does not know and does not ask others")
	errMismatch  = errors.New("it answers something else than what was asked")
)

// answer is what DNS says to one question. Without records it says that there are
// none.
type answer struct {
	records []wire.RR     // of the type that was asked for
	more    []wire.RR     // the additional section
	ttl     time.Duration // how long that is true
	no      bool          // the name does not exist at all, with no type
}

// checkReply returns an error if a message is no answer to the question.
func checkReply(m *wire.Msg, name string, qtype uint16) error {
	if !m.Response || m.Opcode != wire.OpcodeQuery {
		return errMismatch
	}
	if m.Rcode != wire.RcodeSuccess && m.Rcode != wire.RcodeNameError {
		text, ok := wire.RcodeToString[m.Rcode]
		if !ok {
			text = fmt.Sprintf("code %d", m.Rcode)
		}
		return fmt.Errorf("it answers %s", text)
	}
	if len(m.Question) != 1 || m.Question[0].Qtype != qtype || !strings.EqualFold(m.Question[0].Name, name) {
		return errMismatch
	}
	if m.Rcode == wire.RcodeSuccess && len(m.Answer) == 0 && !m.Authoritative && !m.RecursionAvailable {
		return errLame
	}
	return nil
}

// readReply reads an answer that checkReply has let pass. If the CNAME records in it
// lead to a name about which it says nothing, that name is next.
func readReply(m *wire.Msg, name string, qtype uint16) (a answer, next string, err error) {
	at, ttl, err := followAliases(m.Answer, name)
	if err != nil {
		return answer{}, "", err
	}
	a = answer{more: m.Extra, ttl: ttl, no: m.Rcode == wire.RcodeNameError}
	for _, rr := range m.Answer {
		if h := rr.Header(); h.Rrtype == qtype && h.Class == wire.ClassINET && strings.EqualFold(h.Name, at) {
			a.records = append(a.records, rr)
			a.ttl = min(a.ttl, seconds(h.Ttl))
		}
	}
	if len(a.records) > 0 {
		a.no = false
		return a, "", nil
	}
	negative, known := negativeFor(m.Ns)
	if !known && !a.no && !strings.EqualFold(at, name) {
		return a, at, nil
	}
	a.ttl = min(a.ttl, negative)
	return a, "", nil
}

// forever is longer than any TTL.
const forever = time.Duration(1<<32) * time.Second

// followAliases returns where the CNAME records lead from name, and the smallest
// TTL of those.
func followAliases(rrs []wire.RR, name string) (string, time.Duration, error) {
	ttl := forever
	for range maxAliases + 1 {
		i := slices.IndexFunc(rrs, func(rr wire.RR) bool {
			c, ok := rr.(*wire.CNAME)
			return ok && c.Target != "" && c.Hdr.Class == wire.ClassINET && strings.EqualFold(c.Hdr.Name, name)
		})
		if i < 0 {
			return name, ttl, nil
		}
		c, _ := rrs[i].(*wire.CNAME)
		name, ttl = c.Target, min(ttl, seconds(c.Hdr.Ttl))
	}
	return "", 0, errAliasLoop
}

// negativeFor returns how long it holds that there is nothing: RFC 2308, section 5.
func negativeFor(authority []wire.RR) (ttl time.Duration, known bool) {
	for _, rr := range authority {
		if soa, ok := rr.(*wire.SOA); ok {
			return seconds(min(soa.Hdr.Ttl, soa.Minttl)), true
		}
	}
	return negativeTTL, false
}

// addressesIn returns the addresses of A and AAAA records, those of name only unless
// it is empty.
func addressesIn(rrs []wire.RR, name string) []netip.Addr {
	var addrs []netip.Addr
	for _, rr := range rrs {
		if h := rr.Header(); name != "" && (h.Class != wire.ClassINET || !strings.EqualFold(h.Name, name)) {
			continue
		}
		var ip []byte
		switch rr := rr.(type) {
		case *wire.A:
			ip = rr.A.To4() // nil for a record without data
		case *wire.AAAA:
			ip = rr.AAAA
		}
		if a, ok := netip.AddrFromSlice(ip); ok {
			addrs = append(addrs, a.Unmap())
		}
	}
	slices.SortFunc(addrs, netip.Addr.Compare)
	return slices.Compact(addrs)
}

func seconds(n uint32) time.Duration { return time.Duration(n) * time.Second }

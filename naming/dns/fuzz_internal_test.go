package dns

import (
	"net/netip"
	"slices"
	"testing"

	wire "github.com/miekg/dns"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// FuzzReply reads messages of all kinds and checks that what is taken from them can
// be used.
func FuzzReply(f *testing.F) {
	for _, seed := range [][]string{
		{"web.test. 1 IN A 10.0.0.1"},
		{"web.test. 1 IN AAAA ::1", "web.test. 2 IN AAAA ::ffff:10.0.0.1"},
		{"web.test. 1 IN CNAME a.", "a. 1 IN CNAME b.", "b. 1 IN A 10.0.0.1"},
		{"web.test. 1 IN CNAME web.test."},
		{"web.test. 1 IN SRV 1 2 80 a.", "web.test. 1 IN SRV 2 0 80 b.", "a. 1 IN A 10.0.0.1"},
		{"web.test. 1 IN SRV 0 0 0 ."},
		{"test. 1 IN SOA a. b. 1 2 3 4 5"},
	} {
		for _, qtype := range []uint16{wire.TypeA, wire.TypeAAAA, wire.TypeSRV} {
			m := new(wire.Msg)
			m.SetQuestion("web.test.", qtype)
			m.Response, m.Authoritative = true, true
			for _, text := range seed {
				rr, err := wire.NewRR(text)
				require.NoError(f, err)
				m.Answer, m.Ns, m.Extra = append(m.Answer, rr), append(m.Ns, rr), append(m.Extra, rr)
			}
			packed, err := m.Pack()
			require.NoError(f, err)
			f.Add(packed, qtype)
		}
	}
	f.Fuzz(func(t *testing.T, packed []byte, qtype uint16) {
		m := new(wire.Msg)
		if m.Unpack(packed) != nil {
			return
		}
		for _, qtype := range []uint16{qtype, wire.TypeA, wire.TypeAAAA, wire.TypeSRV} {
			if checkReply(m, "web.test.", qtype) == nil {
				require.Len(t, m.Question, 1)
			}
			a, next, err := readReply(m, "web.test.", qtype)
			if err != nil {
				continue
			}
			assert.GreaterOrEqual(t, a.ttl, seconds(0))
			assert.False(t, next != "" && (len(a.records) > 0 || a.no), "either an answer or another question")
			assert.False(t, a.no && len(a.records) > 0)
			addrs := addressesIn(append(slices.Clone(a.records), a.more...), "")
			assert.True(t, slices.IsSortedFunc(addrs, netip.Addr.Compare))
			targets := targetsIn(a.records)
			for _, alike := range []bool{false, true} {
				seen := map[string]bool{}
				for _, e := range endpointsOf(targets, func(string) []netip.Addr { return addrs }, alike) {
					at, err := netip.ParseAddrPort(e.Addr)
					require.NoError(t, err)
					assert.NotZero(t, at.Port())
					assert.False(t, seen[e.Addr], "%s twice", e.Addr)
					seen[e.Addr] = true
					assert.Positive(t, e.Share())
				}
			}
		}
	})
}

// FuzzCandidates checks that every name that is asked for can be put into a question
// and comes back as it was.
func FuzzCandidates(f *testing.F) {
	for _, s := range []string{"web", "web.test", "web.test.", "a..b", ".", "", "a b", `a\.b`, "é", "*", "a@b"} {
		f.Add(s, "one.test")
	}
	f.Fuzz(func(t *testing.T, name, search string) {
		s := settings{&wire.ClientConfig{Search: []string{search}, Ndots: 1}}
		for _, c := range s.candidates(name) {
			q := new(wire.Msg)
			q.SetQuestion(c, wire.TypeA)
			packed, err := q.Pack()
			if err != nil {
				continue // a search domain of the file may be anything
			}
			m := new(wire.Msg)
			require.NoError(t, m.Unpack(packed))
		}
		s.Search = nil
		for _, c := range s.candidates(name) {
			q := new(wire.Msg)
			q.SetQuestion(c, wire.TypeA)
			packed, err := q.Pack()
			require.NoError(t, err, c)
			m := new(wire.Msg)
			require.NoError(t, m.Unpack(packed))
			m.Response, m.Authoritative = true, true
			require.NoError(t, checkReply(m, c, wire.TypeA))
		}
	})
}

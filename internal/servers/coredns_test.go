package servers_test

import (
	"net"
	"testing"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/servers"
)

func TestCoreDNSServesWhatIsSet(t *testing.T) {
	s := servers.StartCoreDNS(t, "web 7 IN A 10.0.0.1", "", "")
	ask := func() string {
		q := new(dns.Msg)
		q.SetQuestion("web."+servers.Zone, dns.TypeA)
		m, err := dns.Exchange(q, s.Addr)
		require.NoError(t, err)
		require.Len(t, m.Answer, 1)
		a, ok := m.Answer[0].(*dns.A)
		require.True(t, ok)
		assert.Equal(t, uint32(7), a.Hdr.Ttl)
		return a.A.String()
	}
	assert.Equal(t, "10.0.0.1", ask())
	s.Set("web 7 IN A 10.0.0.2")
	s.Await()
	assert.Equal(t, "10.0.0.2", ask())
	s.Kill()
	_, err := net.Dial("tcp", s.Addr)
	require.Error(t, err)
	s.Start()
	assert.Equal(t, "10.0.0.2", ask())
}

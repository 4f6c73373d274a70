package consul_test

import (
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/consul"
)

func newAnnouncer(t *testing.T, c consul.AnnouncerConfig) *consul.Announcer {
	t.Helper()
	a, err := consul.NewAnnouncer(c, consul.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, a.Close()) })
	return a
}

func announce(t *testing.T, a *consul.Announcer, name string, addrs ...string) io.Closer {
	t.Helper()
	list := []netip.AddrPort{}
	for _, addr := range addrs {
		list = append(list, netip.MustParseAddrPort(addr))
	}
	c, err := a.Announce(dtab.MustPath(name), list)
	require.NoError(t, err)
	return c
}

func TestAnnounceRefuses(t *testing.T) {
	a := newAnnouncer(t, consul.AnnouncerConfig{})
	assert.Equal(t, dtab.MustPath("/#/io.l5d.consul"), a.Prefix())
	good := []netip.AddrPort{netip.MustParseAddrPort(a1)}
	for want, f := range map[string]func() (io.Closer, error){
		"consul: announce /: want the name of a service, a path of one element":    func() (io.Closer, error) { return a.Announce(dtab.Path{}, good) },
		"consul: announce /a/b: want the name of a service, a path of one element": func() (io.Closer, error) { return a.Announce(dtab.MustPath("/a/b"), good) },
		"consul: announce /a: want an address":                                     func() (io.Closer, error) { return a.Announce(dtab.MustPath("/a"), nil) },
		"consul: announce /a: 0.0.0.0:80: want an address that can be connected to": func() (io.Closer, error) {
			return a.Announce(dtab.MustPath("/a"), []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:80")})
		},
		"consul: announce /a: invalid AddrPort: want an address that can be connected to": func() (io.Closer, error) { return a.Announce(dtab.MustPath("/a"), []netip.AddrPort{{}}) },
	} {
		_, err := f()
		assert.EqualError(t, err, want)
	}
	require.NoError(t, a.Close())
	_, err := a.Announce(dtab.MustPath("/a"), good)
	require.ErrorIs(t, err, naming.ErrClosed)
}

func TestAnnouncementsAreKeptAndWithdrawn(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	a := newAnnouncer(t, consul.AnnouncerConfig{Agent: f.agent(), Tags: []string{"edge"}})
	const (
		register = "PUT /v1/agent/service/register?replace-existing-checks=true"
		pass     = "PUT /v1/agent/check/pass/service:weft-web-10.9.0.1:80"
		leave    = "PUT /v1/agent/service/deregister/weft-web-10.9.0.1:80"
	)
	f.say("/v1/agent/service/register", said{status: http.StatusInternalServerError, body: "not yet"})
	f.say("/v1/agent/check/pass/service:weft-web-10.9.0.1:80", said{status: http.StatusNotFound})
	f.say("/v1/agent/service/deregister/weft-web-10.9.0.1:80", said{status: http.StatusInternalServerError})
	x := announce(t, a, "/web", a1, a1)
	asked := func(want string) string {
		return strings.Repeat("x", min(1, strings.Count(strings.Join(f.requests(), "\n"), want)))
	}
	eventually(t, "x", func() string { return asked(register + "\n" + register) })
	f.say("/v1/agent/service/register", said{})
	// The agent has lost it: it is registered again.
	eventually(t, "x", func() string { return asked(pass + "\n" + register) })
	f.say("/v1/agent/check/pass/service:weft-web-10.9.0.1:80", said{})
	time.AfterFunc(200*time.Millisecond, func() { f.say("/v1/agent/service/deregister/weft-web-10.9.0.1:80", said{}) })
	require.NoError(t, x.Close())
	requests := f.requests()
	assert.Equal(t, leave, requests[len(requests)-1])
	require.NoError(t, x.Close())
	assert.Len(t, f.requests(), len(requests))
}

func TestWithdrawingIsBounded(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.say("/v1/agent/service/register", said{})
	f.say("/v1/agent/service/deregister/weft-web-10.9.0.1:80", said{hang: true})
	a := newAnnouncer(t, consul.AnnouncerConfig{Agent: f.agent()})
	x := announce(t, a, "/web", a1)
	eventually(t, "1", func() string { return strings.Repeat("1", min(1, len(f.requests()))) })
	start := time.Now()
	require.ErrorContains(t, x.Close(), "consul: weft-web-10.9.0.1:80 is not withdrawn, and will be critical after 10s: ")
	assert.Less(t, time.Since(start), 10*time.Second)
}

// announcer is a part of TestRealConsul.
func (r *realConsul) announcer(t *testing.T) {
	a := newAnnouncer(t, consul.AnnouncerConfig{Agent: r.agent(), Tags: []string{"edge"}})
	w := watch(t, newNamer(t, consul.Config{Agent: r.agent(), UseHealthCheck: true, IncludeTag: true}, consul.Options{}), "/dc1/edge/announced")
	w.comes("Neg")
	x := announce(t, a, "/announced", a1, a2)
	assert.Less(t, w.comes("/#/io.l5d.consul/dc1/edge/announced: "+a1+" "+a2), promptly)
	// What somebody else says of its health does not last.
	require.NoError(t, r.api.Agent().UpdateTTL("service:weft-announced-"+a1, "test", api.HealthCritical))
	w.comes("/#/io.l5d.consul/dc1/edge/announced: " + a2)
	w.comes("/#/io.l5d.consul/dc1/edge/announced: " + a1 + " " + a2)
	// Nor that the agent has forgotten it.
	require.NoError(t, r.api.Agent().ServiceDeregister("weft-announced-"+a2))
	w.comes("/#/io.l5d.consul/dc1/edge/announced: " + a1)
	w.comes("/#/io.l5d.consul/dc1/edge/announced: " + a1 + " " + a2)
	require.NoError(t, x.Close())
	assert.Less(t, w.comes("Neg"), promptly)
	announce(t, a, "/announced", a3)
	w.comes("/#/io.l5d.consul/dc1/edge/announced: " + a3)
	require.NoError(t, a.Close())
	assert.Less(t, w.comes("Neg"), promptly)
}

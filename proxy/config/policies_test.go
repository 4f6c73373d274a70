package config_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/proxy/config/kinds"
)

func TestStaticClientOverridesKeyByKey(t *testing.T) { // V149
	c := load(t, good+`
  client:
    kind: io.l5d.static
    configs:
    - prefix: /
      loadBalancer: {kind: ewma}
      failureAccrual: {kind: none}
      socketOptions: {noDelay: false}
    - prefix: /#/io.l5d.fs/bar
      loadBalancer: {kind: aperture, minAperture: 3}
`).Routers[0].Client

	bar := c.For(dtab.MustPath("/#/io.l5d.fs/bar"))
	assert.Equal(t, "aperture", bar.LoadBalancer.Kind)
	assert.Equal(t, 3, *bar.LoadBalancer.Config.(kinds.Aperture).MinAperture)
	assert.Equal(t, "none", bar.FailureAccrual.Kind, "inherited from the earlier match")

	foo := c.For(dtab.MustPath("/#/io.l5d.fs/foo"))
	assert.Equal(t, "ewma", foo.LoadBalancer.Kind)
	assert.False(t, *foo.SocketOptions.NoDelay)
	assert.Nil(t, foo.SocketOptions.ReuseAddr, "absent, and not false")
}

func TestStaticClientWithoutMatch(t *testing.T) {
	c := load(t, good+"  client: {kind: io.l5d.static, configs: [{prefix: /a, failFast: true}]}\n").Routers[0].Client
	assert.Nil(t, c.For(dtab.MustPath("/b")).FailFast)
	assert.True(t, *c.For(dtab.MustPath("/a/b")).FailFast)
}

func TestCommonNameTakesCaptures(t *testing.T) { // V150
	c := load(t, good+`
  client:
    kind: io.l5d.static
    configs:
    - prefix: "/#/io.l5d.serversets/s/{role}/prod/{service}:https"
      tls:
        commonName: "{role}.{service}.com{x}"
        trustCertsBundle: a
`).Routers[0].Client
	tls := c.For(dtab.MustPath("/#/io.l5d.serversets/s/www/prod/bar:https")).TLS
	require.NotNil(t, tls)
	assert.Equal(t, "www.bar.com{x}", *tls.CommonName)
	assert.Equal(t, "{role}.{service}.com{x}", *c.Configs[0].Policy.TLS.CommonName, "the configuration is left alone")
	assert.NoError(t, tls.Check())
}

func TestLaterTLSReplacesEarlier(t *testing.T) {
	c := load(t, good+`
  client:
    kind: io.l5d.static
    configs:
    - prefix: /
      tls: {disableValidation: true}
    - prefix: /a
      tls: {commonName: a}
    - prefix: /a/off
      tls: {enabled: false}
`).Routers[0].Client
	a := c.For(dtab.MustPath("/a")).TLS
	assert.Nil(t, a.DisableValidation, "a later entry validates, whatever an earlier one said")
	assert.True(t, a.On())
	assert.False(t, c.For(dtab.MustPath("/a/off")).TLS.On())
	assert.Nil(t, c.For(dtab.MustPath("/b")).TLS.CommonName)
}

func TestPartialTLSIsCompleted(t *testing.T) {
	c := load(t, good+`
  client:
    kind: io.l5d.static
    configs:
    - prefix: /
      tls: {trustCertsBundle: roots.pem, protocols: [TLSv1.2]}
    - prefix: /a
      tls: {commonName: a}
    - prefix: /b
      tls: {disableValidation: true}
`).Routers[0].Client
	a := c.For(dtab.MustPath("/a")).TLS
	assert.Equal(t, "roots.pem", *a.TrustCertsBundle)
	assert.Equal(t, []string{"TLSv1.2"}, a.Protocols)
	assert.NoError(t, a.Check())
	assert.Nil(t, c.For(dtab.MustPath("/b")).TLS.TrustCertsBundle)
	assert.EqualError(t, c.For(dtab.MustPath("/c")).TLS.Check(), "tls is configured with validation but `commonName` is not set")
}

func TestServicePolicies(t *testing.T) {
	s := load(t, good+`
  service:
    kind: io.l5d.static
    configs:
    - prefix: /svc
      totalTimeoutMs: 600
      retries: {backoff: {kind: jittered, minMs: 10, maxMs: 20}}
    - prefix: /svc/world
      totalTimeoutMs: 100
`).Routers[0].Service
	world := s.For(dtab.MustPath("/svc/world"))
	assert.Equal(t, 100*time.Millisecond, *world.TotalTimeout)
	assert.Equal(t, 20*time.Millisecond, *world.Retries.Backoff.Config.(kinds.JitteredBackoff).Max)
	assert.Equal(t, 600*time.Millisecond, *s.For(dtab.MustPath("/svc/hello")).TotalTimeout)
	assert.Nil(t, s.For(dtab.MustPath("/other")).TotalTimeout)
}

func TestGlobalPoliciesMatchEverything(t *testing.T) {
	r := load(t, good+"  client: {failFast: true}\n  service: {totalTimeoutMs: 5}\n").Routers[0]
	assert.Equal(t, "io.l5d.global", r.Client.Kind)
	assert.True(t, *r.Client.For(dtab.MustPath("/")).FailFast)
	assert.Equal(t, 5*time.Millisecond, *r.Service.For(dtab.MustPath("/x")).TotalTimeout)

	none := load(t, good).Routers[0]
	assert.Nil(t, none.Client.For(dtab.MustPath("/")).FailFast)
}

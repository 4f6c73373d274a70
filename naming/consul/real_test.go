package consul_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/naming/consul"
)

// realConsul is a Consul and a client of it that is not ours.
type realConsul struct {
	*servers.Consul
	t   *testing.T
	api *api.Client
}

func startConsul(t *testing.T, o servers.ConsulOptions) *realConsul {
	t.Helper()
	s := servers.StartConsul(t, o)
	config := api.DefaultConfig()
	config.Address, config.Token = s.Addr, ""
	if o.ACL {
		config.Token = servers.ManagementToken
	}
	c, err := api.NewClient(config)
	require.NoError(t, err)
	t.Cleanup(config.Transport.CloseIdleConnections)
	return &realConsul{Consul: s, t: t, api: c}
}

func (r *realConsul) agent() consul.Agent {
	host, port, err := net.SplitHostPort(r.Addr)
	require.NoError(r.t, err)
	n, err := strconv.Atoi(port)
	require.NoError(r.t, err)
	return consul.Agent{Host: host, Port: n}
}

// entry is an instance on a node of its own, that no agent knows.
func entry(service, addr string, change ...func(*api.CatalogRegistration)) *api.CatalogRegistration {
	host, port, _ := net.SplitHostPort(addr)
	n, _ := strconv.Atoi(port)
	e := &api.CatalogRegistration{
		Node: service + "-" + host, Address: host, SkipNodeUpdate: false,
		Service: &api.AgentService{ID: service + "-" + addr, Service: service, Address: host, Port: n},
	}
	for _, f := range change {
		f(e)
	}
	return e
}

func health(status string) func(*api.CatalogRegistration) {
	return func(e *api.CatalogRegistration) {
		e.Check = &api.AgentCheck{Node: e.Node, CheckID: "c-" + e.Service.ID, Name: "c", Status: status, ServiceID: e.Service.ID}
	}
}

func tags(t ...string) func(*api.CatalogRegistration) {
	return func(e *api.CatalogRegistration) { e.Service.Tags = t }
}

func metadata(e *api.CatalogRegistration) {
	e.NodeMeta = map[string]string{"rack": "r1"}
	e.Service.Meta = map[string]string{"version": "2"}
}

func (r *realConsul) register(e ...*api.CatalogRegistration) {
	r.t.Helper()
	for _, e := range e {
		_, err := r.api.Catalog().Register(e, nil)
		require.NoError(r.t, err)
	}
}

func (r *realConsul) remove(e ...*api.CatalogRegistration) {
	r.t.Helper()
	for _, e := range e {
		_, err := r.api.Catalog().Deregister(&api.CatalogDeregistration{Node: e.Node}, nil)
		require.NoError(r.t, err)
	}
}

// TestRealConsul takes a Consul through all that happens to one.
func TestRealConsul(t *testing.T) {
	t.Parallel()
	r := startConsul(t, servers.ConsulOptions{Domain: "consul.acme.co"})
	t.Run("changes", r.changes)
	t.Run("health", r.health)
	t.Run("tags, weights, metadata", r.decorations)
	t.Run("cut", r.cut)
	t.Run("restart", r.restart)
	t.Run("snapshot", r.snapshot)
	t.Run("dtab", r.dtab)
	t.Run("announcer", r.announcer)
	t.Run("new server", r.newServer) // last, as it takes everything away
}

const (
	a1 = "10.9.0.1:80"
	a2 = "10.9.0.2:80"
	a3 = "10.9.0.3:80"
	a4 = "10.9.0.4:80"
)

func (r *realConsul) changes(t *testing.T) {
	n := newNamer(t, consul.Config{Agent: r.agent()}, consul.Options{})
	w := watch(t, n, "/dc1/changes")
	w.comes("Neg")
	e1, e2, e3, e4 := entry("changes", a1), entry("changes", a2), entry("changes", a3), entry("changes", a4)
	r.register(e1)
	assert.Less(t, w.comes("/#/io.l5d.consul/dc1/changes: "+a1), promptly, "created")
	g := guarded(t, w)
	g.keep(a1)
	r.register(e2, e3)
	t.Log("scaled up:", g.comes(a1, a2, a3))
	r.remove(e2)
	t.Log("scaled down:", g.comes(a1, a3))
	g.keep()
	r.register(e2, e4)
	r.remove(e1, e3)
	t.Log("replaced:", g.comes(a2, a4))
	r.remove(e2, e4)
	assert.Less(t, w.comes("Neg"), promptly, "deleted")
	r.register(e3)
	assert.Less(t, w.comes("/#/io.l5d.consul/dc1/changes: "+a3), promptly, "recreated")
	g.comes(a3)
	r.remove(e3)
}

func (r *realConsul) health(t *testing.T) {
	good := watch(t, newNamer(t, consul.Config{Agent: r.agent(), UseHealthCheck: true}, consul.Options{}), "/.local/health")
	some := watch(t, newNamer(t, consul.Config{Agent: r.agent(), UseHealthCheck: true, HealthStatuses: []consul.HealthStatus{consul.Passing, consul.Warning}}, consul.Options{}), "/.local/health")
	r.register(entry("health", a1, health("passing")), entry("health", a2, health("warning")), entry("health", a3, health("critical")))
	good.comes("/#/io.l5d.consul/.local/health: " + a1)
	some.comes("/#/io.l5d.consul/.local/health: " + a1 + " " + a2)
	g, s := guarded(t, good), guarded(t, some)
	g.keep(a1)
	s.keep(a1, a2)
	r.register(entry("health", a3, health("passing")))
	g.comes(a1, a3)
	s.comes(a1, a2, a3)
	r.register(entry("health", a2, health("passing")))
	g.comes(a1, a2, a3)
	g.keep(a2)
	s.keep(a2)
	r.register(entry("health", a1, health("critical")), entry("health", a3, health("critical")))
	g.comes(a2)
	s.comes(a2)
	g.keep()
	s.keep()
	r.register(entry("health", a2, health("critical")))
	good.comes("Neg")
	some.comes("Neg")

	// Maintenance, as an operator has it.
	own := watch(t, newNamer(t, consul.Config{Agent: r.agent(), UseHealthCheck: true, HealthStatuses: []consul.HealthStatus{consul.Maintenance}}, consul.Options{}), "/dc1/own")
	require.NoError(t, r.api.Agent().ServiceRegister(&api.AgentServiceRegistration{ID: "own", Name: "own", Address: "10.9.0.9", Port: 80}))
	own.comes("Neg")
	require.NoError(t, r.api.Agent().EnableServiceMaintenance("own", "test"))
	own.comes("/#/io.l5d.consul/dc1/own: 10.9.0.9:80")
	require.NoError(t, r.api.Agent().DisableServiceMaintenance("own"))
	own.comes("Neg")
	require.NoError(t, r.api.Agent().EnableNodeMaintenance("test"))
	own.comes("/#/io.l5d.consul/dc1/own: 10.9.0.9:80")
	require.NoError(t, r.api.Agent().DisableNodeMaintenance())
	own.comes("Neg")
}

func (r *realConsul) decorations(t *testing.T) {
	e1, e2 := entry("decorated", a1, tags("production", "primary"), metadata), entry("decorated", a2, tags("primary"))
	r.register(e1, e2)
	c := consul.Config{Agent: r.agent(), IncludeTag: true, SetHost: true, TransferMetadata: true, Weights: []consul.TagWeight{{Tag: "production", Weight: 3}}}
	n := newNamer(t, c, consul.Options{})
	primary, production := watch(t, n, "/dc1/PRIMARY/Decorated/x"), watch(t, n, "/.local/production/decorated")
	const authority = ".decorated.service.dc1.consul.acme.co}"
	primary.comes("/#/io.l5d.consul/dc1/PRIMARY/Decorated+/x: " + a1 + "*3 {rack=r1} " + a2 + " {authority=primary" + authority + " {version=2}")
	production.comes("/#/io.l5d.consul/.local/production/decorated: " + a1 + "*3 {rack=r1} {authority=production" + authority + " {version=2}")
	r.register(entry("decorated", a2, tags("production")), entry("decorated", a1, tags("production"), metadata))
	production.comes("/#/io.l5d.consul/.local/production/decorated: " + a1 + "*3 {rack=r1} " + a2 + "*3 {authority=production" + authority + " {version=2}")
	primary.comes("Neg")
}

// outage is how long connections are cut for.
func outage() time.Duration {
	if os.Getenv("WEFT_SOAK") != "" {
		return time.Minute
	}
	return time.Second
}

func (r *realConsul) cut(t *testing.T) {
	c := newCable(t, r.Addr)
	r.register(entry("cut", a1), entry("cut", a2))
	w := watch(t, newNamer(t, consul.Config{Agent: c.agent(t, ""), UseHealthCheck: true}, consul.Options{}), "/dc1/cut")
	g := guarded(t, w)
	g.comes(a1, a2)
	g.keep(a1)
	for _, row := range []struct {
		name      string
		cut, heal func()
		change    func()
		want      []string
	}{
		{
			"connections reset", c.reset, func() {},
			func() { r.register(entry("cut", a3)) },
			[]string{a1, a2, a3},
		},
		{
			"black hole", func() { c.hole.Store(true) }, func() { c.hole.Store(false) },
			func() { r.remove(entry("cut", a2)) },
			[]string{a1, a3},
		},
		{
			"refused", func() { c.refuse.Store(true); c.reset() }, func() { c.refuse.Store(false) },
			func() { r.register(entry("cut", a4)) },
			[]string{a1, a3, a4},
		},
		{
			"black hole again", func() { c.hole.Store(true) }, func() { c.hole.Store(false) },
			func() { r.remove(entry("cut", a3)) },
			[]string{a1, a4},
		},
	} {
		row.cut()
		row.change()
		if row.name != "connections reset" {
			eventually(t, "true", func() string { return fmt.Sprint(w.err() != nil) })
			pause(outage())
		}
		row.heal()
		t.Log(row.name, "was over for", g.comes(row.want...))
	}
}

func (r *realConsul) restart(t *testing.T) {
	r.register(entry("restart", a1, health("passing")), entry("restart", a2, health("passing")))
	for _, mode := range []consul.Consistency{consul.ConsistencyDefault, consul.ConsistencyConsistent, consul.ConsistencyStale} {
		w := watch(t, newNamer(t, consul.Config{Agent: r.agent(), UseHealthCheck: true, ConsistencyMode: mode}, consul.Options{}), "/dc1/restart")
		catalog := guarded(t, watch(t, newNamer(t, consul.Config{Agent: r.agent(), ConsistencyMode: mode}, consul.Options{}), "/dc1/restart"))
		g := guarded(t, w)
		g.comes(a1, a2)
		g.keep(a1, a2)
		catalog.keep(a1, a2)
		r.Kill()
		eventually(t, "true", func() string { return fmt.Sprint(w.err() != nil) })
		pause(time.Second)
		r.Start()
		ready := time.Now()
		g.comes(a1, a2)
		catalog.comes(a1, a2)
		t.Log(mode, "after a crash:", time.Since(ready))
		r.register(entry("restart", a3, health("passing")))
		g.comes(a1, a2, a3)
		r.remove(entry("restart", a3))
		g.comes(a1, a2)
	}
}

func (r *realConsul) snapshot(t *testing.T) {
	r.register(entry("snapshot", a1), entry("snapshot", a2))
	g := guarded(t, watch(t, newNamer(t, consul.Config{Agent: r.agent()}, consul.Options{}), "/dc1/snapshot"))
	h := guarded(t, watch(t, newNamer(t, consul.Config{Agent: r.agent(), UseHealthCheck: true}, consul.Options{}), "/dc1/snapshot"))
	g.comes(a1, a2)
	h.comes(a1, a2)
	snap, _, err := r.api.Snapshot().Save(nil)
	require.NoError(t, err)
	text, err := io.ReadAll(snap)
	require.NoError(t, err)
	require.NoError(t, snap.Close())
	g.keep(a2)
	h.keep(a2)
	for i := range 100 {
		r.register(entry("snapshot", fmt.Sprintf("10.9.1.%d:80", i)))
	}
	for _, quiet := range []time.Duration{0, 5 * time.Second} {
		r.register(entry("snapshot", a4))
		r.remove(entry("snapshot", a1))
		pause(quiet)
		require.NoError(t, r.api.Snapshot().Restore(nil, bytes.NewReader(text)))
		start := time.Now()
		g.comes(a1, a2)
		h.comes(a1, a2)
		t.Log("restored:", time.Since(start))
	}
	r.register(entry("snapshot", a3))
	g.comes(a1, a2, a3)
	h.comes(a1, a2, a3)
}

func (r *realConsul) newServer(t *testing.T) {
	r.register(entry("fresh", a1), entry("fresh", a2))
	w := watch(t, newNamer(t, consul.Config{Agent: r.agent()}, consul.Options{}), "/dc1/fresh")
	g := guarded(t, w)
	g.comes(a1, a2)
	g.keep(a1, a2)
	r.Kill()
	r.Wipe()
	eventually(t, "true", func() string { return fmt.Sprint(w.err() != nil) })
	g.keep() // the new server says that there is none, and it is right
	r.Start()
	r.register(entry("fresh", a2), entry("fresh", a3))
	t.Log("new server:", g.comes(a2, a3))
	r.register(entry("fresh", a4))
	t.Log("then changed:", g.comes(a2, a3, a4))
}

// TestRealConsulWithACLs asks with a token that becomes good, and bad again.
func TestRealConsulWithACLs(t *testing.T) {
	t.Parallel()
	r := startConsul(t, servers.ConsulOptions{ACL: true})
	r.register(entry("web", a1), entry("web", a2))
	const token = "6a3a4b3c-0000-4000-8000-c0ffee000002"
	agent := r.agent()
	agent.Token = token
	n := newNamer(t, consul.Config{Agent: agent}, consul.Options{})
	healthy := newNamer(t, consul.Config{Agent: agent, UseHealthCheck: true}, consul.Options{})
	w, h := watch(t, n, "/dc1/web"), watch(t, healthy, "/dc1/web")
	w.comes("failed")
	h.comes("failed")
	require.ErrorContains(t, w.err(), "status 403: ACL not found: the token is not known or lacks a permission")

	policy := func(rules string) {
		t.Helper()
		p, _, err := r.api.ACL().PolicyReadByName("weft", nil)
		if err != nil || p == nil {
			_, _, err = r.api.ACL().PolicyCreate(&api.ACLPolicy{Name: "weft", Rules: rules}, nil)
		} else {
			p.Rules = rules
			_, _, err = r.api.ACL().PolicyUpdate(p, nil)
		}
		require.NoError(t, err)
	}
	// A token that may do nothing is answered with an empty list.
	policy(`key_prefix "" { policy = "read" }`)
	_, _, err := r.api.ACL().TokenCreate(&api.ACLToken{SecretID: token, Policies: []*api.ACLTokenPolicyLink{{Name: "weft"}}}, nil)
	require.NoError(t, err)
	for _, w := range []*watched{w, h} {
		eventually(t, "true", func() string { return fmt.Sprint(isFiltered(w.err())) })
		assert.Equal(t, "failed", w.text())
	}
	start := time.Now()
	policy(`service_prefix "" { policy = "read" } node_prefix "" { policy = "read" }`)
	w.comes("/#/io.l5d.consul/dc1/web: " + a1 + " " + a2)
	h.comes("/#/io.l5d.consul/dc1/web: " + a1 + " " + a2)
	t.Log("with the right to:", time.Since(start))
	assert.Less(t, time.Since(start), promptly)
	g, gh := guarded(t, w), guarded(t, h)
	g.keep(a1, a2)
	gh.keep(a1, a2)
	policy(`node_prefix "" { policy = "read" }`)
	r.register(entry("web", a3)) // has the agent answer, if not from its own copy
	eventually(t, "true", func() string { return fmt.Sprint(isFiltered(w.err())) })
	tokens, _, err := r.api.ACL().TokenList(nil)
	require.NoError(t, err)
	for _, x := range tokens {
		full, _, err := r.api.ACL().TokenRead(x.AccessorID, nil)
		require.NoError(t, err)
		if full.SecretID == token {
			_, err = r.api.ACL().TokenDelete(x.AccessorID, nil)
			require.NoError(t, err)
		}
	}
	eventually(t, "true", func() string { return fmt.Sprint(w.err() != nil && !isFiltered(w.err())) })
	policy(`service_prefix "" { policy = "read" } node_prefix "" { policy = "read" }`)
	_, _, err = r.api.ACL().TokenCreate(&api.ACLToken{SecretID: token, Policies: []*api.ACLTokenPolicyLink{{Name: "weft"}}}, nil)
	require.NoError(t, err)
	g.comes(a1, a2, a3)
	gh.comes(a1, a2, a3)
}

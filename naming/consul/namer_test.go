package consul_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/consul"
)

const self = `{"Config":{"Datacenter":"dc1"},"DebugConfig":{"DNSDomain":"consul.acme.co."}}`

// oldSelf is what agents before 1.0 say.
const oldSelf = `{"Config":{"Datacenter":"dc1","Domain":"consul."}}`

// TestQueries has the vectors of what is asked for, and how.
func TestQueries(t *testing.T) {
	for _, row := range []struct {
		id, name string
		c        consul.Config
		asked    []string // for the first answer
		want     string
	}{
		{"N17", "/dc1/SERVICEname/residual", consul.Config{}, []string{"GET /v1/catalog/service/servicename?dc=dc1"}, "/#/io.l5d.consul/dc1/SERVICEname+/residual: 10.0.0.1:80"},
		{"N17 local", "/.local/servicename", consul.Config{}, []string{"GET /v1/agent/self", "GET /v1/catalog/service/servicename?dc=dc1"}, "/#/io.l5d.consul/.local/servicename: 10.0.0.1:80"},
		{"N17 tag", "/dc1/masTER/servicename", consul.Config{IncludeTag: true}, []string{"GET /v1/catalog/service/servicename?dc=dc1&tag=master"}, "/#/io.l5d.consul/dc1/masTER/servicename: 10.0.0.1:80"},
		{"health", "/dc1/servicename", consul.Config{UseHealthCheck: true}, []string{"GET /v1/health/service/servicename?dc=dc1&passing=true"}, "/#/io.l5d.consul/dc1/servicename: 10.0.0.1:80"},
		{"health passing twice", "/dc1/servicename", consul.Config{UseHealthCheck: true, HealthStatuses: []consul.HealthStatus{"passing", "passing"}}, []string{"GET /v1/health/service/servicename?dc=dc1&passing=true"}, "/#/io.l5d.consul/dc1/servicename: 10.0.0.1:80"},
		{"health statuses", "/dc1/servicename", consul.Config{UseHealthCheck: true, HealthStatuses: []consul.HealthStatus{"passing", "warning"}}, []string{"GET /v1/health/service/servicename?dc=dc1&passing=false"}, "/#/io.l5d.consul/dc1/servicename: 10.0.0.1:80"},
		{"statuses without health", "/dc1/servicename", consul.Config{HealthStatuses: []consul.HealthStatus{"critical"}}, []string{"GET /v1/catalog/service/servicename?dc=dc1"}, "/#/io.l5d.consul/dc1/servicename: 10.0.0.1:80"},
		{"stale", "/dc1/servicename", consul.Config{ConsistencyMode: consul.ConsistencyStale}, []string{"GET /v1/catalog/service/servicename?dc=dc1&stale=true"}, "/#/io.l5d.consul/dc1/servicename: 10.0.0.1:80"},
		{"consistent", "/dc1/servicename", consul.Config{ConsistencyMode: consul.ConsistencyConsistent}, []string{"GET /v1/catalog/service/servicename?consistent=true&dc=dc1"}, "/#/io.l5d.consul/dc1/servicename: 10.0.0.1:80"},
		{"N18", "/dc1/servicename", consul.Config{SetHost: true}, []string{"GET /v1/agent/self", "GET /v1/catalog/service/servicename?dc=dc1"}, "/#/io.l5d.consul/dc1/servicename: 10.0.0.1:80 {authority=servicename.service.dc1.consul.acme.co}"},
		{"N18 tag", "/.local/MASTER/servicename", consul.Config{SetHost: true, IncludeTag: true}, []string{"GET /v1/agent/self", "GET /v1/catalog/service/servicename?dc=dc1&tag=master"}, "/#/io.l5d.consul/.local/MASTER/servicename: 10.0.0.1:80 {authority=master.servicename.service.dc1.consul.acme.co}"},
		{"prefix", "/dc1/servicename", consul.Config{Prefix: dtab.MustPath("/#/c")}, []string{"GET /v1/catalog/service/servicename?dc=dc1"}, "/#/c/dc1/servicename: 10.0.0.1:80"},
		{"escaped", `/dc1/\x73ervice\x2fname`, consul.Config{}, []string{"GET /v1/catalog/service/service%2Fname?dc=dc1"}, `/#/io.l5d.consul/dc1/\x73\x65\x72\x76\x69\x63\x65\x2f\x6e\x61\x6d\x65: 10.0.0.1:80`},
		{"short", "/dc1", consul.Config{}, nil, "Neg"},
		{"short tag", "/dc1/servicename", consul.Config{IncludeTag: true}, nil, "Neg"},
	} {
		t.Run(row.id, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.say("/v1/agent/self", said{body: self})
			for _, name := range []string{"servicename", "service%2Fname"} {
				f.say("/v1/catalog/service/"+name, said{index: "7", body: list(node("10.0.0.9", "10.0.0.1", 80))})
				f.say("/v1/health/service/"+name, said{index: "7", body: list(instance("10.0.0.1", 80))})
			}
			row.c.Agent = f.agent()
			row.c.Token = "secret"
			n := newNamer(t, row.c, consul.Options{})
			w := watch(t, n, row.name)
			w.comes(row.want)
			if row.asked == nil {
				assert.Empty(t, f.requests())
				return
			}
			last := row.asked[len(row.asked)-1]
			next := strings.Replace(last, "&passing", "&index=7&passing", 1)
			switch {
			case next != last:
			case strings.Contains(last, "&"), strings.Contains(last, "dc=dc1"):
				next = strings.Replace(last, "dc=dc1", "dc=dc1&index=7", 1)
			}
			eventually(t, "true", func() string {
				if len(f.requests()) > len(row.asked) {
					return "true"
				}
				return "false"
			})
			assert.Equal(t, append(row.asked, next), f.requests()[:len(row.asked)+1])
			f.mu.Lock()
			defer f.mu.Unlock()
			for i := range f.asked {
				assert.Equal(t, "secret", f.headers[i].Get("X-Consul-Token"))
				assert.Equal(t, f.server.Listener.Addr().String(), f.hosts[i])
			}
			wait := f.waits[len(row.asked)]
			assert.GreaterOrEqual(t, wait, 45*time.Second)
			assert.LessOrEqual(t, wait, time.Minute)
		})
	}
}

// TestAnswers has what is made of an answer.
func TestAnswers(t *testing.T) {
	weights := []consul.TagWeight{{Tag: "primary", Weight: 100}, {Tag: "drained"}, {Tag: "canary", Weight: 0.5}, {Tag: "one", Weight: 1}}
	tags := func(t string) string { return `,"ServiceTags":[` + t + `]` }
	no := false
	health := func(s ...consul.HealthStatus) consul.Config {
		return consul.Config{UseHealthCheck: true, HealthStatuses: s}
	}
	all := list(
		instance("10.0.0.1", 80, "passing", "passing"), instance("10.0.0.2", 80, "warning", "passing"), instance("10.0.0.3", 80, "warning", "critical"),
		instance("10.0.0.4", 80, "_node_maintenance=critical"), instance("10.0.0.5", 80, "_service_maintenance:s=critical", "critical"),
		instance("10.0.0.6", 80), instance("10.0.0.7", 80, "strange"), instance("10.0.0.8", 80, "maintenance"),
	)
	for name, row := range map[string]struct {
		c    consul.Config
		body string
		want string
	}{
		"service address":        {consul.Config{}, list(node("10.0.0.1", "10.0.1.1", 80), node("10.0.0.2", "", 81)), " 10.0.1.1:80 10.0.0.2:81"},
		"node address":           {consul.Config{PreferServiceAddress: &no}, list(node("10.0.0.1", "10.0.1.1", 80)), " 10.0.0.1:80"},
		"address twice":          {consul.Config{}, list(node("10.0.0.1", "", 80), node("10.0.0.1", "", 80), node("10.0.0.1", "", 81)), " 10.0.0.1:80 10.0.0.1:81"},
		"IPv6":                   {consul.Config{}, list(node("fd00::1", "", 80), node("::ffff:10.0.0.1", "", 80)), " [fd00::1]:80 10.0.0.1:80"},
		"localhost":              {consul.Config{}, list(node("localhost", "", 80)), " 127.0.0.1:80"},
		"no port":                {consul.Config{}, list(node("10.0.0.1", "", 0), node("10.0.0.2", "", 80)), " 10.0.0.2:80"},
		"all without port":       {consul.Config{}, list(node("10.0.0.1", "", 0)), "Neg"},
		"malformed":              {consul.Config{}, list(node("10.0.0.1", "", 70000), node("a b", "", 80), node("", "", 80), `{"ServicePort":"http"}`, `7`, node("10.0.0.2", "", 80)), " 10.0.0.2:80"},
		"all malformed":          {consul.Config{}, list(node("10.0.0.1", "", -1)), "failed"},
		"name without resolver":  {consul.Config{}, list(node("web.internal", "", 80), node("10.0.0.2", "", 80)), " 10.0.0.2:80"},
		"none":                   {consul.Config{}, "[]", "Neg"},
		"null":                   {consul.Config{}, "null", "Neg"},
		"cut off":                {consul.Config{}, "[" + node("10.0.0.1", "", 80), "failed"},
		"not JSON":               {consul.Config{}, "<html>", "failed"},
		"not a list":             {consul.Config{}, "{}", "failed"},
		"empty":                  {consul.Config{}, "", "failed"},
		"weights":                {consul.Config{Weights: weights}, list(node("10.0.0.1", "", 80, tags(`"production","primary"`)), node("10.0.0.2", "", 80, tags(`"canary","drained"`)), node("10.0.0.3", "", 80, tags(`"drained"`)), node("10.0.0.4", "", 80, tags(`"other"`)), node("10.0.0.5", "", 80, tags(`"one"`))), " 10.0.0.1:80*100 10.0.0.2:80*0.5 10.0.0.3:80*0 10.0.0.4:80 10.0.0.5:80"},
		"N19":                    {consul.Config{Weights: weights, TransferMetadata: true}, list(node("10.0.0.1", "", 80, tags(`"production","primary"`), `,"NodeMeta":{"nd_meta":"x"},"ServiceMeta":{"srv_meta":"y"}`), node("10.0.0.2", "", 80, `,"ServiceMeta":{"srv_meta":"z"}`)), " 10.0.0.1:80*100 {nd_meta=x} 10.0.0.2:80 {srv_meta=y}"},
		"metadata not wanted":    {consul.Config{}, list(node("10.0.0.1", "", 80, `,"NodeMeta":{"nd_meta":"x"},"ServiceMeta":{"srv_meta":"y"}`)), " 10.0.0.1:80"},
		"health metadata":        {consul.Config{UseHealthCheck: true, TransferMetadata: true, Weights: weights}, list(instance("10.0.0.1", 80)), " 10.0.0.1:80*100 {rack=r1} {v=1}"},
		"passing":                {health(consul.Passing), all, " 10.0.0.1:80 10.0.0.6:80 10.0.0.7:80"},
		"warning":                {health(consul.Warning), all, " 10.0.0.2:80"},
		"critical":               {health(consul.Critical), all, " 10.0.0.3:80"},
		"maintenance":            {health(consul.Maintenance), all, " 10.0.0.4:80 10.0.0.5:80 10.0.0.8:80"},
		"passing and critical":   {health(consul.Passing, consul.Critical), all, " 10.0.0.1:80 10.0.0.3:80 10.0.0.6:80 10.0.0.7:80"},
		"none of that health":    {health(consul.Critical), list(instance("10.0.0.1", 80, "passing")), "Neg"},
		"health without service": {health(consul.Passing), `[{"Node":{"Address":"10.0.0.1"}}]`, "Neg"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.say("/v1/catalog/service/web", said{index: "7", body: row.body})
			f.say("/v1/health/service/web", said{index: "7", body: row.body})
			row.c.Agent = f.agent()
			w := watch(t, newNamer(t, row.c, consul.Options{}), "/dc1/web")
			want := row.want
			if strings.HasPrefix(want, " ") {
				want = "/#/io.l5d.consul/dc1/web:" + want
			}
			w.comes(want)
			if want == "failed" {
				t.Log(w.err())
			}
		})
	}
}

func TestPendingBeforeTheAgentHasSpoken(t *testing.T) { // N14
	f := newFake(t)
	f.say("/v1/agent/self", said{hang: true})
	f.say("/v1/catalog/service/web", said{hang: true})
	n := newNamer(t, consul.Config{Agent: f.agent()}, consul.Options{})
	web, local := watch(t, n, "/dc1/web"), watch(t, n, "/.local/web")
	eventually(t, "2", func() string { return strings.Repeat("x", 0) + string(rune('0'+len(f.requests()))) })
	assert.Equal(t, "pending", web.text())
	assert.Equal(t, "pending", local.text())
	f.say("/v1/agent/self", said{body: oldSelf})
	f.say("/v1/catalog/service/web", said{index: "7", body: list(node("10.0.0.1", "", 80))})
	web.comes("/#/io.l5d.consul/dc1/web: 10.0.0.1:80")
	local.comes("/#/io.l5d.consul/.local/web: 10.0.0.1:80")
}

// TestFailuresAreNotNeg is N15, of which the original makes Neg.
func TestFailuresAreNotNeg(t *testing.T) {
	f := newFake(t)
	f.say("/v1/catalog/service/web", said{status: http.StatusInternalServerError, body: "No path to datacenter"})
	n := newNamer(t, consul.Config{Agent: f.agent()}, consul.Options{})
	w := watch(t, n, "/dc1/web")
	w.comes("failed")
	require.EqualError(t, w.err(), "consul: GET /v1/catalog/service/web: status 500: No path to datacenter")
	f.say("/v1/catalog/service/web", said{index: "7", body: list(node("10.0.0.1", "", 80))})
	w.comes("/#/io.l5d.consul/dc1/web: 10.0.0.1:80")
	f.say("/v1/catalog/service/web", said{index: "8", status: http.StatusForbidden, body: "ACL not found"})
	w.comes("/#/io.l5d.consul/dc1/web: 10.0.0.1:80 (stale)")
	require.EqualError(t, w.err(), "consul: GET /v1/catalog/service/web: status 403: ACL not found: the token is not known or lacks a permission")
	f.say("/v1/catalog/service/web", said{index: "9", body: "[]", header: map[string]string{"X-Consul-Results-Filtered-By-ACLs": "true"}})
	eventually(t, "true", func() string {
		if strings.Contains(w.err().Error(), consul.ErrFiltered.Error()) {
			return "true"
		}
		return "false"
	})
	require.ErrorIs(t, w.err(), consul.ErrFiltered)
	w.comes("/#/io.l5d.consul/dc1/web: 10.0.0.1:80 (stale)")
	f.say("/v1/catalog/service/web", said{index: "10", body: "[]"})
	w.comes("Neg")
	status := n.Watches()
	require.Len(t, status, 1)
	assert.Equal(t, "/dc1/web", status[0].Watching)
	assert.Equal(t, "10", status[0].Version)
	assert.Positive(t, status[0].Failures)
}

func TestAgentThatMayNotBeAsked(t *testing.T) {
	f := newFake(t)
	f.say("/v1/agent/self", said{status: http.StatusForbidden, body: "Permission denied"})
	f.say("/v1/catalog/service/web", said{index: "7", body: list(node("10.0.0.1", "", 80))})
	watch(t, newNamer(t, consul.Config{Agent: f.agent()}, consul.Options{}), "/.local/web").comes("/#/io.l5d.consul/.local/web: 10.0.0.1:80")
	assert.Equal(t, "GET /v1/catalog/service/web", f.requests()[1], "the agent takes its own datacenter")

	w := watch(t, newNamer(t, consul.Config{Agent: f.agent(), SetHost: true}, consul.Options{}), "/dc1/web")
	w.comes("failed")
	require.ErrorContains(t, w.err(), "setHost needs the domain, and so agent:read: ")
	f.say("/v1/agent/self", said{body: oldSelf})
	w.comes("/#/io.l5d.consul/dc1/web: 10.0.0.1:80 {authority=web.service.dc1.consul}")
}

func TestOnePollForAllNames(t *testing.T) {
	f := newFake(t)
	f.say("/v1/catalog/service/web", said{index: "7", body: list(node("10.0.0.1", "", 80))})
	n := newNamer(t, consul.Config{Agent: f.agent()}, consul.Options{})
	for _, name := range []string{"/dc1/web", "/dc1/web/a", "/dc1/WEB/b/c"} {
		w := watch(t, n, name)
		eventually(t, "true", func() string {
			if strings.HasSuffix(w.text(), ": 10.0.0.1:80") {
				return "true"
			}
			return w.text()
		})
	}
	assert.LessOrEqual(t, len(f.requests()), 2)
}

// resolver is a Resolve whose answers are set by hand.
type resolver struct {
	mu    sync.Mutex
	hosts map[string]*weft.Var[endpoints]
	ended map[string]int
}

func (r *resolver) host(name string) *weft.Var[endpoints] {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hosts[name] == nil {
		r.hosts[name] = weft.NewVar(endpoints{})
	}
	return r.hosts[name]
}

func (r *resolver) resolve(ctx context.Context, host, port string) weft.Source[endpoints] {
	context.AfterFunc(ctx, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.ended[host]++
	})
	return r.host(host + ":" + port)
}

func at(addrs ...string) endpoints {
	set := weft.EndpointSet{}
	for _, a := range addrs {
		set.Endpoints = append(set.Endpoints, weft.Endpoint{Addr: a})
	}
	return naming.Ok(set)
}

func TestHostNames(t *testing.T) {
	f := newFake(t)
	r := &resolver{hosts: map[string]*weft.Var[endpoints]{}, ended: map[string]int{}}
	n := newNamer(t, consul.Config{Agent: f.agent(), Weights: []consul.TagWeight{{Tag: "big", Weight: 2}}}, consul.Options{Resolve: r.resolve})
	f.say("/v1/catalog/service/web", said{index: "7", body: list(node("n", "web.internal", 80, `,"ServiceTags":["big"]`))})
	w := watch(t, n, "/dc1/web")
	eventually(t, "2", func() string { return string(rune('0' + len(f.requests()))) })
	assert.Equal(t, "pending", w.text())
	r.host("web.internal:80").Store(at("10.0.0.1:80", "10.0.0.2:80"))
	w.comes("/#/io.l5d.consul/dc1/web: 10.0.0.1:80*2 10.0.0.2:80*2")
	r.host("web.internal:80").Store(at("10.0.0.3:80"))
	w.comes("/#/io.l5d.consul/dc1/web: 10.0.0.3:80*2")

	// A second name that is not resolved yet does not take the first one away.
	f.say("/v1/catalog/service/web", said{index: "8", body: list(node("web.internal", "", 80), node("new.internal", "", 81), node("10.0.0.9", "", 82))})
	eventually(t, "3", func() string { return string(rune('0' + len(f.requests()))) })
	pause(50 * time.Millisecond)
	assert.Equal(t, "/#/io.l5d.consul/dc1/web: 10.0.0.3:80*2", w.text())
	r.host("new.internal:81").Store(at("10.0.0.4:81"))
	w.comes("/#/io.l5d.consul/dc1/web: 10.0.0.3:80 10.0.0.4:81 10.0.0.9:82")
	r.host("new.internal:81").Store(naming.Ok(weft.EndpointSet{Neg: true}))
	w.comes("/#/io.l5d.consul/dc1/web: 10.0.0.3:80 10.0.0.9:82 (stale)")
	require.ErrorIs(t, w.err(), consul.ErrUnknownHost)

	f.say("/v1/catalog/service/web", said{index: "9", body: list(node("10.0.0.9", "", 82))})
	w.comes("/#/io.l5d.consul/dc1/web: 10.0.0.9:82")
	eventually(t, "2", func() string {
		r.mu.Lock()
		defer r.mu.Unlock()
		return string(rune('0' + r.ended["web.internal"] + r.ended["new.internal"]))
	})
	f.say("/v1/catalog/service/web", said{index: "10", body: list(node("other.internal", "", 82))})
	r.host("other.internal:82").Store(naming.Failed[weft.EndpointSet](assert.AnError))
	w.comes("/#/io.l5d.consul/dc1/web: 10.0.0.9:82 (stale)")
	f.say("/v1/catalog/service/web", said{index: "11", body: "[]"})
	w.comes("Neg")
}

func TestMalformedInstancesAreReportedOnce(t *testing.T) {
	f := newFake(t)
	var log lockedBuffer
	n := newNamer(t, consul.Config{Agent: f.agent()}, consul.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	body := list(node("a b", "", 80, `,"ModifyIndex":5`), node("10.0.0.1", "", 80))
	f.say("/v1/catalog/service/web", said{index: "7", body: body})
	w := watch(t, n, "/dc1/web")
	w.comes("/#/io.l5d.consul/dc1/web: 10.0.0.1:80")
	f.say("/v1/catalog/service/web", said{index: "8", body: body})
	eventually(t, "3", func() string { return string(rune('0' + len(f.requests()))) })
	assert.Equal(t, uint64(1), n.Skipped())
	f.say("/v1/catalog/service/web", said{index: "9", body: list(node("a b", "", 80, `,"ModifyIndex":6`), node("10.0.0.1", "", 80))})
	eventually(t, "4", func() string { return string(rune('0' + len(f.requests()))) })
	assert.Equal(t, uint64(2), n.Skipped())
	assert.Equal(t, 2, strings.Count(log.String(), `msg="consul: instance left out" service=/dc1/web node="\"n\"" id=s err="address \"a b\": want an IP address or the name of a host"`), log.String())
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestBadConfig(t *testing.T) {
	for want, c := range map[string]consul.Config{
		`consul: port: 65536: want 1 to 65535`:                                                          {Agent: consul.Agent{Port: 65536}},
		`consul: consistencyMode: no such value: "strong": want default, stale or consistent`:           {ConsistencyMode: "strong"},
		`consul: healthStatuses: no such value: "fine": want passing, warning, critical or maintenance`: {HealthStatuses: []consul.HealthStatus{"fine"}},
		`consul: weights: tag "a": weight -1: want a number that is not negative`:                       {Weights: []consul.TagWeight{{Tag: "a", Weight: -1}}},
	} {
		_, err := consul.New(c, consul.Options{})
		assert.EqualError(t, err, want)
	}
	n, err := consul.New(consul.Config{}, consul.Options{})
	require.NoError(t, err)
	assert.Equal(t, dtab.MustPath("/#/io.l5d.consul"), n.Prefix())
	require.NoError(t, n.Close())
	s, _ := n.Lookup(t.Context(), dtab.MustPath("/dc1/web")).Load()
	require.ErrorIs(t, s.Err, naming.ErrClosed)
}

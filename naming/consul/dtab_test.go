package consul_test

import (
	"context"
	"fmt"
	"net/http"
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

func newDtab(t *testing.T, c consul.DtabConfig) *consul.Dtab {
	t.Helper()
	d, err := consul.NewDtab(c, consul.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, d.Close()) })
	return d
}

// dtabText is the state of a dtab as text.
func dtabText(d *consul.Dtab) string {
	s, _ := d.Load()
	switch {
	case s.Pending():
		return "pending"
	case !s.Known:
		return "failed"
	default:
		return s.Value.String() + stale(s.Err)
	}
}

func TestDtab(t *testing.T) {
	f := newFake(t)
	const path = "/v1/kv/name%2Fd/dtabs/my-dtab_1"
	c := consul.DtabConfig{
		Agent: f.agent(), PathPrefix: dtab.MustPath(`/\x6e\x61\x6d\x65\x2f\x64/dtabs`), Namespace: "my-dtab_1",
		Datacenter: "dc2", ReadConsistencyMode: consul.ConsistencyStale,
	}
	c.Token = "secret"
	d := newDtab(t, c)
	comes := func(want string) {
		t.Helper()
		assert.Less(t, eventually(t, want, func() string { return dtabText(d) }), 10*time.Second)
	}
	eventually(t, "1", func() string { return fmt.Sprint(len(f.requests())) })
	assert.Equal(t, "pending", dtabText(d))
	assert.Equal(t, "GET "+path+"?dc=dc2&raw=true&stale=true", f.requests()[0])
	f.say(path, said{index: "7", body: "/svc => /#/io.l5d.consul/dc1 ; # all"})
	comes("/svc=>/#/io.l5d.consul/dc1")
	f.say(path, said{index: "8", body: "/svc => => /b"})
	comes("/svc=>/#/io.l5d.consul/dc1 (stale)")
	s, _ := d.Load()
	var syntax *dtab.SyntaxError
	require.ErrorAs(t, s.Err, &syntax)
	pause(200 * time.Millisecond)
	assert.LessOrEqual(t, len(f.requests()), 4, "what is malformed is not asked for again and again")
	f.say(path, said{index: "9", body: "/svc => /b"})
	comes("/svc=>/b")
	f.say(path, said{status: http.StatusNotFound, body: "no such page"})
	comes("/svc=>/b (stale)")
	f.say(path, said{status: http.StatusNotFound, index: "10"})
	comes("")
	f.say(path, said{status: http.StatusForbidden})
	comes(" (stale)")
	f.say(path, said{index: "12", body: "/svc => /c"})
	comes("/svc=>/c")
	status := d.Watches()
	require.Len(t, status, 1)
	assert.Contains(t, status[0].String(), "name/d/dtabs/my-dtab_1: 1 rules, version 12")
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, h := range f.headers {
		assert.Equal(t, "secret", h.Get("X-Consul-Token"))
	}
}

func TestDtabDefaults(t *testing.T) {
	f := newFake(t)
	d := newDtab(t, consul.DtabConfig{Agent: f.agent()})
	f.say("/v1/kv/namerd/dtabs/default", said{index: "7", status: http.StatusNotFound})
	eventually(t, "", func() string { return dtabText(d) })
	assert.Equal(t, []string{"GET /v1/kv/namerd/dtabs/default?raw=true", "GET /v1/kv/namerd/dtabs/default?consistent=true&raw=true"}, f.requests()[:2])

	bad := newDtab(t, consul.DtabConfig{Agent: f.agent(), Namespace: "bad"})
	f.say("/v1/kv/namerd/dtabs/bad", said{index: "7", body: "junk"})
	eventually(t, "failed", func() string { return dtabText(bad) })
}

func TestBadDtabConfig(t *testing.T) {
	for want, c := range map[string]consul.DtabConfig{
		`consul: namespace: "a/b": want letters, digits, _ and -`:                              {Namespace: "a/b"},
		`consul: readConsistencyMode: no such value: "x": want default, stale or consistent`:   {ReadConsistencyMode: "x"},
		`consul: backoff: from 2s to 1s: want neither negative, and the second not to be less`: {MinBackoff: 2 * time.Second, MaxBackoff: time.Second},
		`consul: port: -1: want 1 to 65535`:                                                    {Agent: consul.Agent{Port: -1}},
	} {
		_, err := consul.NewDtab(c, consul.Options{})
		assert.EqualError(t, err, want)
	}
}

// dtab is a part of TestRealConsul.
func (r *realConsul) dtab(t *testing.T) {
	d := newDtab(t, consul.DtabConfig{Agent: r.agent(), Namespace: "real"})
	comes := func(want string) {
		t.Helper()
		assert.Less(t, eventually(t, want, func() string { return dtabText(d) }), promptly)
	}
	put := func(text string) {
		t.Helper()
		_, err := r.api.KV().Put(&api.KVPair{Key: "namerd/dtabs/real", Value: []byte(text)}, nil)
		require.NoError(t, err)
	}
	comes("")
	put("/svc => /a")
	comes("/svc=>/a")
	put("/svc => => /a")
	comes("/svc=>/a (stale)")
	put("/svc => /b")
	comes("/svc=>/b")
	_, err := r.api.KV().Delete("namerd/dtabs/real", nil)
	require.NoError(t, err)
	comes("")
	put("/svc => /c")
	comes("/svc=>/c")
	r.Kill()
	eventually(t, "/svc=>/c (stale)", func() string { return dtabText(d) })
	r.Start()
	comes("/svc=>/c")
}

func ExampleNewDtab() {
	stored, err := consul.NewDtab(consul.DtabConfig{
		Agent:     consul.Agent{Host: "127.0.0.1", Port: 8500},
		Namespace: "edge",
	}, consul.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stored.Close()
	in := naming.NewInterpreter(naming.Options{Stored: stored}) // Namers: a consul.Namer, for one
	defer in.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s, _ := in.Bind(ctx, nil, dtab.MustPath("/svc/users")).Load()
	fmt.Println("pending until Consul has answered:", s.Pending() || strings.Contains(fmt.Sprint(s.Err), "127.0.0.1"))
	// Output: pending until Consul has answered: true
}

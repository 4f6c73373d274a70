package consul_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/naming/consul"
)

const web = "/v1/catalog/service/web"

// asks waits until so many requests were made and returns them, without what they
// have in common.
func (f *fake) asks(n int) []string {
	f.t.Helper()
	eventually(f.t, "true", func() string { return fmt.Sprint(len(f.requests()) >= n) })
	short := []string{}
	for _, r := range f.requests()[:n] {
		r = strings.TrimPrefix(r, "GET "+web+"?")
		short = append(short, strings.Trim(strings.Replace(r, "dc=dc1", "", 1), "&"))
	}
	return short
}

func TestIndexThatGoesBackwardsIsConfirmed(t *testing.T) {
	f := newFake(t)
	f.say(web, said{index: "70", body: list(node("10.0.0.1", "", 80))})
	w := watch(t, newNamer(t, consul.Config{Agent: f.agent()}, consul.Options{}), "/dc1/web")
	w.comes("/#/io.l5d.consul/dc1/web: 10.0.0.1:80")
	f.asks(2)
	f.say(web, said{index: "7", body: list(node("10.0.0.2", "", 80))})
	w.comes("/#/io.l5d.consul/dc1/web: 10.0.0.2:80")
	assert.Equal(t, []string{"", "index=70", "consistent=true", "index=7"}, f.asks(4))
}

func TestNothingIsConfirmed(t *testing.T) {
	f := newFake(t)
	f.say(web, said{index: "7", body: "[]"})
	w := watch(t, newNamer(t, consul.Config{Agent: f.agent()}, consul.Options{}), "/dc1/web")
	w.comes("Neg")
	f.asks(3)
	f.say(web, said{index: "8", body: "[]"}) // still nothing: no news
	f.asks(4)
	f.say(web, said{index: "9", body: list(node("10.0.0.1", "", 80))})
	w.comes("/#/io.l5d.consul/dc1/web: 10.0.0.1:80")
	f.asks(5)
	f.say(web, said{index: "10", body: "[]"})
	w.comes("Neg")
	assert.Equal(t, []string{"", "consistent=true", "index=7", "index=8", "index=9", "consistent=true", "index=10"}, f.asks(7))

	f = newFake(t)
	f.say(web, said{index: "7", body: "[]"})
	watch(t, newNamer(t, consul.Config{Agent: f.agent(), ConsistencyMode: consul.ConsistencyStale}, consul.Options{}), "/dc1/web").comes("Neg")
	assert.Equal(t, []string{"stale=true", "stale=true", "index=7&stale=true"}, slices.Collect(func(yield func(string) bool) {
		for _, a := range f.asks(3) {
			if !yield(strings.Replace(a, "&&", "&", 1)) {
				return
			}
		}
	}))
}

func TestAnswersWithoutAnIndexArePolled(t *testing.T) { // quirk 18
	f := newFake(t)
	f.say(web, said{body: list(node("10.0.0.1", "", 80))})
	w := watch(t, newNamer(t, consul.Config{Agent: f.agent()}, consul.Options{}), "/dc1/web")
	w.comes("/#/io.l5d.consul/dc1/web: 10.0.0.1:80")
	f.say(web, said{body: list(node("10.0.0.2", "", 80))})
	w.comes("/#/io.l5d.consul/dc1/web: 10.0.0.2:80")
	asked := f.asks(2)
	assert.Equal(t, []string{"", ""}, asked)
	assert.LessOrEqual(t, len(f.requests()), 3, "without a pause")
	f.say(web, said{index: "7", body: list(node("10.0.0.3", "", 80))})
	w.comes("/#/io.l5d.consul/dc1/web: 10.0.0.3:80")
}

func TestIndexZeroAndNonsense(t *testing.T) {
	f := newFake(t)
	f.say(web, said{index: "0", body: list(node("10.0.0.1", "", 80))})
	w := watch(t, newNamer(t, consul.Config{Agent: f.agent()}, consul.Options{}), "/dc1/web")
	w.comes("/#/io.l5d.consul/dc1/web: 10.0.0.1:80")
	assert.Equal(t, []string{"", "index=1"}, f.asks(2))
	f.say(web, said{index: "x", body: list(node("10.0.0.2", "", 80))})
	w.comes("/#/io.l5d.consul/dc1/web: 10.0.0.1:80 (stale)")
	require.ErrorContains(t, w.err(), `X-Consul-Index: "x": want a number`)
}

// TestAnAgentThatDoesNotBlockIsNotAskedWithoutPause has an agent that answers at
// once whatever the index is.
func TestAnAgentThatDoesNotBlockIsNotAskedWithoutPause(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.say(web, said{index: "7", body: list(node("10.0.0.1", "", 80)), early: true})
	w := watch(t, newNamer(t, consul.Config{Agent: f.agent()}, consul.Options{}), "/dc1/web")
	w.comes("/#/io.l5d.consul/dc1/web: 10.0.0.1:80")
	pause(time.Second)
	assert.Less(t, len(f.requests()), 20)
	f.say(web, said{index: "6", body: list(node("10.0.0.2", "", 80)), early: true})
	assert.Less(t, w.comes("/#/io.l5d.consul/dc1/web: 10.0.0.2:80"), promptly, "a restored snapshot")
}

// TestMoreNamesThanConnections has names take turns.
func TestMoreNamesThanConnections(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	n := newNamer(t, consul.Config{Agent: f.agent()}, consul.Options{MaxQueries: 3}) // one of them for the canary
	all := []*watched{}
	for i := range 5 {
		name := fmt.Sprintf("s%d", i)
		f.say("/v1/catalog/service/"+name, said{index: "7", body: list(node("10.0.0.1", "", 80+i))})
		all = append(all, watch(t, n, "/dc1/"+name))
	}
	for i, w := range all {
		w.comes(fmt.Sprintf("/#/io.l5d.consul/dc1/s%d: 10.0.0.1:%d", i, 80+i))
	}
	// A name that nobody is asked about at the moment has its turn, too.
	waiting := -1
	eventually(t, "true", func() string {
		f.mu.Lock()
		defer f.mu.Unlock()
		waiting = slices.IndexFunc(all, func(w *watched) bool {
			return f.flying["/v1/catalog/service/"+strings.TrimPrefix(w.name, "/dc1/")] == 0
		})
		return fmt.Sprint(waiting >= 0)
	})
	f.say(fmt.Sprintf("/v1/catalog/service/s%d", waiting), said{index: "8", body: list(node("10.0.0.2", "", 80))})
	all[waiting].comes(fmt.Sprintf("/#/io.l5d.consul/dc1/s%d: 10.0.0.2:80", waiting))
}

func TestFailuresAreSaidOnce(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	var log lockedBuffer
	c := consul.Config{Agent: f.agent()}
	c.Token = "wrong"
	n := newNamer(t, c, consul.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	all := []*watched{}
	for i := range 20 {
		name := fmt.Sprintf("s%d", i)
		f.say("/v1/catalog/service/"+name, said{status: http.StatusForbidden, body: "ACL not found"})
		all = append(all, watch(t, n, "/dc1/"+name))
	}
	for _, w := range all {
		w.comes("failed")
	}
	pause(300 * time.Millisecond) // and asked again
	assert.Equal(t, 1, strings.Count(log.String(), "level=WARN"), log.String())
	for i := range all {
		f.say(fmt.Sprintf("/v1/catalog/service/s%d", i), said{index: "7", body: list(node("10.0.0.1", "", 80))})
	}
	for i, w := range all {
		w.comes(fmt.Sprintf("/#/io.l5d.consul/dc1/s%d: 10.0.0.1:80", i))
	}
	eventually(t, "1", func() string { return fmt.Sprint(strings.Count(log.String(), "level=INFO")) })
	assert.NotContains(t, log.String(), "wrong", "the token")
}

func TestTLS(t *testing.T) {
	f := newFakeTLS(t)
	roots := x509.NewCertPool()
	roots.AddCert(f.server.Certificate())
	c := consul.Config{Agent: f.agent()}
	c.TLS = &tls.Config{RootCAs: roots, ServerName: "example.com"} //nolint:gosec // Go's default versions
	f.say(web, said{index: "7", body: list(node("10.0.0.1", "", 80))})
	w := watch(t, newNamer(t, c, consul.Options{}), "/dc1/web")
	w.comes("/#/io.l5d.consul/dc1/web: 10.0.0.1:80")
	f.say(web, said{index: "8", body: list(node("10.0.0.2", "", 80))})
	w.comes("/#/io.l5d.consul/dc1/web: 10.0.0.2:80")
	f.mu.Lock()
	assert.Equal(t, 2, f.proto, "HTTP version")
	f.mu.Unlock()

	c.TLS = &tls.Config{ServerName: "example.com"} //nolint:gosec // Go's default versions
	bad := watch(t, newNamer(t, c, consul.Options{}), "/dc1/web")
	bad.comes("failed")
	assert.ErrorContains(t, bad.err(), "certificate")
}

// TestFailFast has no query of its own reach an agent that is down.
func TestFailFast(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	c := newCable(t, f.server.Listener.Addr().String())
	f.say(web, said{index: "7", body: list(node("10.0.0.1", "", 80))})
	agent := c.agent(t, "")
	agent.FailFast = true
	w := watch(t, newNamer(t, consul.Config{Agent: agent}, consul.Options{}), "/dc1/web")
	w.comes("/#/io.l5d.consul/dc1/web: 10.0.0.1:80")
	c.refuse.Store(true)
	c.reset()
	w.comes("/#/io.l5d.consul/dc1/web: 10.0.0.1:80 (stale)")
	f.say(web, said{index: "8", body: list(node("10.0.0.2", "", 80))})
	pause(promptly)
	c.refuse.Store(false)
	assert.Less(t, w.comes("/#/io.l5d.consul/dc1/web: 10.0.0.2:80"), promptly)
}

func FuzzAnswer(f *testing.F) {
	for _, body := range []string{
		"[]", "null", "{}", "[1]", list(node("10.0.0.1", "", 80)), list(instance("h.internal", 80, "passing")), `[{"ServicePort":"x"},{"Service":{}}]`, `[{"Node":7,"Service":{"Port":1}}]`, "[{",
	} {
		f.Add([]byte(body), true)
		f.Add([]byte(body), false)
	}
	f.Fuzz(func(t *testing.T, body []byte, health bool) {
		n, err := consul.New(consul.Config{UseHealthCheck: health, TransferMetadata: true}, consul.Options{})
		require.NoError(t, err)
		defer n.Close()
		set, err := consul.ReadForTest(n, bytes.NewReader(body))
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for _, e := range set.Endpoints {
			assert.False(t, seen[e.Addr], "twice: %s", e.Addr)
			seen[e.Addr] = true
			assert.NotEmpty(t, e.Addr)
		}
		assert.Equal(t, len(set.Endpoints) == 0, set.Neg)
	})
}

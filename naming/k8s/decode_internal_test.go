package k8s

import (
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadList(t *testing.T) {
	for _, row := range []struct {
		in      string
		items   int
		version string
		bad     bool
	}{
		{`{"kind":"EndpointSliceList","metadata":{"resourceVersion":"7"},"items":[{"a":1},{}]}`, 2, "7", false},
		{`{"items":[],"metadata":{"resourceVersion":"8"},"more":[{"x":[]}]}`, 0, "8", false},
		{`{"items":null}`, 0, "", false},
		{`{}`, 0, "", true},
		{`{"kind":"Status","status":"Failure"}`, 0, "", true},
		{`[]`, 0, "", true},
		{`null`, 0, "", true},
		{`<html>`, 0, "", true},
		{``, 0, "", true},
		{`{"items":[{}`, 1, "", true},
		{`{"items":{}}`, 0, "", true},
		{`{"items":[{}]`, 1, "", true},
	} {
		items := 0
		version, err := readList(strings.NewReader(row.in), func(json.RawMessage) { items++ })
		assert.Equal(t, row.bad, err != nil, "%s: %v", row.in, err)
		assert.Equal(t, row.items, items, row.in)
		if !row.bad {
			assert.Equal(t, row.version, version, row.in)
		}
	}
}

func TestSubsetsAreCrossed(t *testing.T) { // quirk 15
	o, err := decodeEndpoints([]byte(`{"metadata":{"name":"x"},"subsets":[
		{"addresses":[{"ip":"10.0.0.1"}],"ports":[{"name":"a","port":1},{"name":"b","port":2}]},
		{"addresses":[{"ip":"10.0.0.2"}],"ports":[{"name":"a","port":3}]}]}`))
	require.NoError(t, err)
	assert.Equal(t, []port{{"a", 3}, {"b", 2}}, o.v.ports)
	assert.Len(t, o.v.endpoints, 2)
}

func TestClassOfTrouble(t *testing.T) {
	for _, row := range []struct {
		err                           error
		class                         string
		unavailable, expired, passing bool
	}{
		{errors.New("refused"), "unreachable", false, false, true},
		{&StatusError{Code: 401}, "401", false, false, false},
		{&StatusError{Code: 403}, "403", true, false, false},
		{&StatusError{Code: 404}, "404", true, false, false},
		{&StatusError{Code: 410}, "410", false, true, false},
		{&StatusError{Code: 429}, "429", false, false, true},
		{&StatusError{Code: 504, tooLarge: true}, "504", false, true, true},
	} {
		assert.Equal(t, row.class, class(row.err))
		assert.Equal(t, row.unavailable, unavailable(row.err), row.class)
		assert.Equal(t, row.expired, expired(row.err), row.class)
		assert.Equal(t, row.passing, passing(row.err), row.class)
	}
	e := &StatusError{Path: "/x"}
	e.fill([]byte(`{"code":504,"reason":"Timeout","message":"Too large resource version","details":{"retryAfterSeconds":1,"causes":[{"reason":"ResourceVersionTooLarge"}]}}`))
	assert.True(t, expired(e))
	assert.EqualError(t, e, "k8s: /x: 504 Gateway Timeout: Too large resource version")
}

func TestIngressWithoutNamespaceIsInDefault(t *testing.T) {
	o, err := decodeIngress([]byte(`{"metadata":{"name":"x"},"spec":{"ingressClassName":"c"}}`))
	require.NoError(t, err)
	assert.Equal(t, "default/x", o.key.String())
	assert.Equal(t, "c", o.v.Class())
}

func fuzzSeeds(f *testing.F) {
	f.Helper()
	for _, s := range []string{
		`{"metadata":{"name":"a","namespace":"b","resourceVersion":"1","labels":{"kubernetes.io/service-name":"s"}},"addressType":"IPv4","ports":[{"name":"http","port":80}],"endpoints":[{"addresses":["10.0.0.1"]},{"addresses":["::1"],"conditions":{"ready":false}}]}`,
		`{"metadata":{"name":"a"},"subsets":[{"addresses":[{"ip":"10.0.0.1"},{"ip":"x"}],"ports":[{"port":70000},{"port":-1}]}]}`,
		`{"metadata":{"name":"a"},"spec":{"ports":[{"port":80,"targetPort":"http"},{"port":-3}]},"status":{"loadBalancer":{"ingress":[{"hostname":"h"},{"ip":"fe80::1%eth0"}]}}}`,
		`{"metadata":{"name":"a"},"spec":{"rules":[{"http":{"paths":[{"backend":{"serviceName":"s","servicePort":"80"}}]}}]}}`,
		`{"kind":"XList","items":[{},null,1],"metadata":{"resourceVersion":"1"}}`, `null`, `[]`, `{"items":[`,
	} {
		f.Add([]byte(s))
	}
}

// FuzzDecode has every object that is read be one that can be used.
func FuzzDecode(f *testing.F) {
	fuzzSeeds(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, decode := range []func([]byte) (object[slice], error){decodeSlice, decodeEndpoints} {
			o, err := decode(raw)
			if err != nil {
				continue
			}
			for _, at := range []target{{number: 80}, {names: []string{"http", ""}}} {
				all, _ := candidates([]object[slice]{o}, at)
				for _, c := range all {
					usable := c.addr.IsValid() && c.addr.Zone() == "" && netip.AddrPortFrom(c.addr, uint16(c.port)).IsValid()
					if c.port <= 0 || c.port > 65535 || !usable && c.host == "" {
						t.Fatalf("%+v", c)
					}
				}
			}
		}
		if o, err := decodeService(raw); err == nil {
			for _, p := range o.v.ports {
				if at := p.target(); at.number < 0 || at.number > 65535 || at.number == 0 && at.names[1] == "" {
					t.Fatalf("%+v", p)
				}
			}
		}
		if o, err := decodeIngress(raw); err == nil {
			for _, r := range o.v.Rules {
				if r.Backend.Service == "" || r.Backend.Port() == "0" || r.PathType == "" {
					t.Fatalf("%+v", r)
				}
			}
		}
		_, _ = decodeSecret(raw)
		_, _ = identify(raw)
	})
}

// FuzzReadList has a list be read whole or be an error.
func FuzzReadList(f *testing.F) {
	fuzzSeeds(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		items := 0
		if _, err := readList(strings.NewReader(string(raw)), func(json.RawMessage) { items++ }); err != nil {
			return
		}
		var l struct{ Items []json.RawMessage }
		if err := json.Unmarshal(raw, &l); err == nil && !strings.Contains(strings.ToLower(string(raw)), `items`) {
			t.Fatalf("a list without items")
		}
	})
}

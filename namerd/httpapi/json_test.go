package httpapi_test

import (
	"context"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd/httpapi"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/interpreter/namerdhttp"
)

// TestForms compares what is written with what the client reads of it.
func TestForms(t *testing.T) {
	sets := map[string]weft.EndpointSet{
		"plain":  {Endpoints: []weft.Endpoint{{Addr: "10.0.0.1:80"}, {Addr: "[::1]:443"}}},
		"none":   {Endpoints: []weft.Endpoint{}},
		"neg":    {Neg: true},
		"meta":   {Endpoints: []weft.Endpoint{{Addr: "10.0.0.1:80", Meta: map[string]string{"nodeName": `a"<&>` + "\u2028"}}}, Meta: map[string]string{"authority": "web"}},
		"weight": {Endpoints: []weft.Endpoint{{Addr: "10.0.0.1:80", Weight: 0.25}, {Addr: "10.0.0.2:80", Weight: -1}, {Addr: "10.0.0.3:80", Weight: 1e-5}, {Addr: "10.0.0.4:80", Weight: 1e9}}},
		"odd":    {Endpoints: []weft.Endpoint{{Addr: "10.0.0.1:80", Weight: math.Inf(1)}, {Addr: "10.0.0.2:80", Weight: math.NaN()}}},
	}
	s := serve(t, newFickle(t), httpapi.Options{}, under(func(_ context.Context, p dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
		set, ok := sets[p.Elem(0)]
		if !ok {
			return naming.NoSuchName()
		}
		return naming.Answer(dtab.LeafOf(naming.Fixed(dtab.MustPath("/#/n").Concat(p.Take(1)), p.Drop(1), set)))
	}))
	for name, set := range sets {
		a := s.get(t, "/api/1/addr/x?path=/%23/n/"+name)
		require.True(t, json.Valid([]byte(a.body)), a.body)
		got, err := namerdhttp.ParseAddr([]byte(a.body))
		require.NoError(t, err, name)
		if name == "odd" {
			assert.Contains(t, a.body, `"endpoint_addr_weight":1.7976931348623157E308`)
			continue
		}
		if len(set.Endpoints) == 0 {
			set.Endpoints = nil
		}
		assert.Equal(t, naming.Ok(set), got, name)
	}
	assert.Contains(t, s.get(t, "/api/1/addr/x?path=/%23/n/weight").body,
		`"meta":{"endpoint_addr_weight":0.25}},{"ip":"10.0.0.2","port":80,"meta":{"endpoint_addr_weight":0.0}},`+
			`{"ip":"10.0.0.3","port":80,"meta":{"endpoint_addr_weight":1.0E-5}},{"ip":"10.0.0.4","port":80,"meta":{"endpoint_addr_weight":1.0E9}}`)

	a := s.get(t, "/api/1/bind/x?path=/svc/a/b&dtab=/svc=>0.9*/%23/n/plain+%26+0.1*/%23/n/neg+%26+/%23/n/none+|+/x")
	tree, err := namerdhttp.ParseTree([]byte(a.body))
	require.NoError(t, err, a.body)
	assert.Equal(t, "0.90*/#/n/plain & 0.10*/#/n/neg & /#/n/none", dtab.Show(tree, func(b *naming.Bound) string { return b.ID.String() }))
	assert.Equal(t, "/a/b", tree.Kids[0].Value.Residual.String())
	assert.True(t, strings.HasPrefix(a.body, `{"type":"union","union":[{"weight":0.9,"tree":{"type":"leaf","bound":{"addr":{"type":"bound","addrs":[{"ip":"10.0.0.1",`), a.body)

	a = s.send(t, "GET", "/api/1/delegate?path=/svc/a&dtab=/svc=>/%23/n/plain+%26+/b", "")
	assert.Contains(t, a.body, `"dst":"/#/n/plain & /b"`)
	d, err := namerdhttp.ParseDelegation([]byte(a.body))
	require.NoError(t, err)
	assert.Len(t, d.WayTo(dtab.MustPath("/#/n/plain")), 2)
}

// TestResolveChooses: a leaf of a union by weight, and it stays the same one until the
// tree is another one.
func TestResolveChooses(t *testing.T) {
	s := serve(t, newFickle(t), httpapi.Options{}, under(func(_ context.Context, p dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
		return naming.Answer(dtab.LeafOf(naming.Fixed(dtab.MustPath("/#/n").Concat(p), dtab.Path{},
			weft.EndpointSet{Endpoints: []weft.Endpoint{{Addr: "127.0.0.1:" + p.Elem(0)}}})))
	}))
	count := map[bool]int{}
	for range 400 {
		a := s.get(t, "/api/1/resolve/default?path=/a&dtab=/a=>/svc/1+%26+3*/svc/2")
		count[strings.Contains(a.body, `"port":1,`)]++
	}
	assert.InDelta(t, 100, count[true], 50, "%v", count)
	assert.Positive(t, count[false])

	s.send(t, "PUT", "/api/1/dtabs/split", "/a=>/#/n/1 & /#/n/2;/other=>/1", "Content-Type", "text/plain")
	l := s.stream(t, "/api/1/resolve/split?path=/a&watch=true")
	first := line(t, l)
	for i := range 20 { // of no concern to the name
		s.send(t, "PUT", "/api/1/dtabs/split", "/a=>/#/n/1 & /#/n/2;/other=>/"+strings.Repeat("x", i+1), "Content-Type", "text/plain")
	}
	s.send(t, "PUT", "/api/1/dtabs/split", "/a=>/#/n/3", "Content-Type", "text/plain")
	next := line(t, l)
	assert.Contains(t, next, `"port":3,`)
	assert.NotContains(t, first, `"port":3,`)
}

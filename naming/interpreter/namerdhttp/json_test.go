package namerdhttp_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/internal/namerdtest"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/interpreter/namerdhttp"
)

func TestRoundTrips(t *testing.T) {
	t.Run("trees", rapid.MakeCheck(func(t *rapid.T) {
		want := namerdtest.BoundTrees().Draw(t, "tree")
		b, err := json.Marshal(tree(want))
		require.NoError(t, err)
		got, err := namerdhttp.ParseTree(b)
		require.NoError(t, err)
		assert.True(t, namerdtest.SameTree(want, got), "%v is %v", want, got)
	}))
	t.Run("sets", rapid.MakeCheck(func(t *rapid.T) {
		set := namerdtest.Sets("authority", "nodeName", "other").Draw(t, "set")
		b, err := json.Marshal(addr(naming.Ok(set)))
		require.NoError(t, err)
		got, err := namerdhttp.ParseAddr(b)
		require.NoError(t, err)
		for _, e := range got.Value.Endpoints {
			assert.JSONEq(t, `{"a":[1]}`, e.Meta["nested"], "what is not text is in its JSON form")
			delete(e.Meta, "nested")
		}
		for i, e := range set.Endpoints {
			if e.Meta == nil {
				set.Endpoints[i].Meta = map[string]string{}
			}
		}
		assert.Equal(t, naming.Ok(set), got)
	}))
	t.Run("dtabs", rapid.MakeCheck(func(t *rapid.T) {
		d := dtab.MustParse(namerdtest.Dtabs().Draw(t, "d").String()) // with the weights of text
		all := []object{}
		for _, e := range d {
			all = append(all, object{"prefix": e.Prefix.String(), "dst": dtab.ShowTree(e.Dst)})
		}
		b, err := json.Marshal(all)
		require.NoError(t, err)
		got, err := namerdhttp.ParseDtab(b)
		require.NoError(t, err)
		assert.Equal(t, d.String(), got.String())
	}))
	t.Run("explanations", rapid.MakeCheck(func(t *rapid.T) {
		d := namerdtest.Delegations(3).Draw(t, "d").MapLeaves(func(l naming.Delegation) naming.Delegation {
			l.Addr = namerdtest.Set("1.2.3.4:80")
			return l
		})
		b, err := d.MarshalJSON()
		require.NoError(t, err)
		got, err := namerdhttp.ParseDelegation(b)
		require.NoError(t, err)
		again, err := got.MarshalJSON()
		require.NoError(t, err)
		assert.Equal(t, string(b), string(again))
	}))
}

// TestVectors are rows of the specification: of the API of namerd (33 and on), and of
// explanations (G).
func TestVectors(t *testing.T) {
	leaf, err := namerdhttp.ParseTree([]byte(`{"type":"leaf","bound":{"addr":{"type":"bound","addrs":[{"ip":"127.0.0.1","port":1,"meta":{}}],"meta":{}},"id":"/#/io.l5d.namer/foo","path":"/"}}`))
	require.NoError(t, err)
	assert.True(t, namerdtest.SameTree(namerdtest.Leaf("/#/io.l5d.namer/foo", "/").Value, leaf), "33")

	set := func(text string) naming.State[weft.EndpointSet] {
		t.Helper()
		st, err := namerdhttp.ParseAddr([]byte(text))
		require.NoError(t, err)
		return st
	}
	assert.Equal(t, namerdtest.Set("127.0.0.1:1"), set(`{"type":"bound","addrs":[{"ip":"127.0.0.1","port":1,"meta":{}}],"meta":{}}`), "39")
	assert.Equal(t, naming.Ok(weft.EndpointSet{Neg: true}), set(`{"type":"neg"}`), "41")
	assert.True(t, set(`{"type":"pending"}`).Pending())
	assert.Equal(t, naming.Failed[weft.EndpointSet](errors.New("boom")), set(`{"type":"failed","cause":"boom"}`))
	nested := set(`{"type":"bound","addrs":[{"ip":"127.0.0.1","port":1,"meta":{"node_meta":{"n":1.5,"s":"x"}}}],"meta":{"service_meta":{"b":true},"n":3}}`)
	assert.Equal(t, map[string]string{"service_meta": `{"b":true}`, "n": "3"}, nested.Value.Meta, "34")
	assert.Equal(t, map[string]string{"node_meta": `{"n":1.5,"s":"x"}`}, nested.Value.Endpoints[0].Meta, "34")
	weighted := set(`{"type":"bound","addrs":[{"ip":"::1","port":80,"meta":{"endpoint_addr_weight":0.5}},{"ip":"not an ip","port":80,"meta":{}},{"ip":"1.1.1.1","port":0}]}`)
	assert.Equal(t, naming.Ok(weft.EndpointSet{Endpoints: []weft.Endpoint{{Addr: "[::1]:80", Weight: 0.5}}}), weighted)

	for row, text := range map[string]string{
		"46, G19": `{"type":"delegate","path":"/meh","delegate":{"type":"neg","path":"/heh","dentry":{"prefix":"/meh","dst":"/heh"}}}`,
		"48":      `{"type":"alt","path":"/yeezy","alt":[{"type":"neg","path":"/bar","dentry":{"prefix":"/yeezy","dst":"/bar"}},{"type":"neg","path":"/yeezus","dentry":{"prefix":"/yeezy","dst":"/yeezus"}}]}`,
		"59":      `{"type":"delegate","path":"/neg","delegate":{"type":"neg","path":"~","dentry":{"prefix":"/neg","dst":"~"}}}`,
		"G21":     `{"type":"leaf","path":"/$/inet/127.1/8080","bound":{"addr":{"type":"bound","addrs":[{"ip":"127.0.0.1","port":8080,"meta":{}}],"meta":{}},"id":"/$/inet/127.1/8080","path":"/"}}`,
	} {
		d, err := namerdhttp.ParseDelegation([]byte(text))
		require.NoError(t, err, row)
		b, err := d.MarshalJSON()
		require.NoError(t, err, row)
		assert.Equal(t, text, strings.TrimSpace(string(b)), row)
	}
}

func TestNonsense(t *testing.T) {
	for _, text := range []string{
		`null`, `[]`, `{}`, `{"type":"what"}`, `{"type":"leaf"}`, `{"type":"alt","alt":[null]}`, `{"type":"union","union":[{"weight":1}]}`,
		`{"type":"union","union":[{"weight":-1,"tree":{"type":"neg"}}]}`, `{"type":"leaf","bound":{"id":"no path","path":"/"}}`,
	} {
		_, err := namerdhttp.ParseTree([]byte(text))
		require.Error(t, err, text)
	}
	for _, text := range []string{`null`, `[]`, `{}`, `{"type":"what"}`, `{"type":"bound","addrs":[{"ip":1}]}`} {
		_, err := namerdhttp.ParseAddr([]byte(text))
		require.Error(t, err, text)
	}
	for _, text := range []string{
		`null`, `{"type":"delegate","path":"/a"}`, `{"type":"neg","path":"nonsense"}`, `{"type":"neg","path":"/","dentry":{"prefix":"x","dst":"/"}}`,
		`{"type":"leaf","path":"/a"}`, `{"type":"leaf","path":"/a","bound":{"id":"/a","path":"/","addr":{"type":"x"}}}`,
	} {
		_, err := namerdhttp.ParseDelegation([]byte(text))
		require.Error(t, err, text)
	}
	_, err := namerdhttp.ParseDtab([]byte(`[{"prefix":"/a","dst":"nonsense"}]`))
	require.ErrorContains(t, err, "found at '[n]onsense'")
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"type":"union","union":[{"weight":1,"tree":{"type":"leaf","bound":{"id":"/a","path":"/b"}}}]}`))
	f.Add([]byte(`{"type":"bound","addrs":[{"ip":"127.0.0.1","port":1,"meta":{"endpoint_addr_weight":0.5}}],"meta":{"a":{"b":[]}}}`))
	f.Add([]byte(`[{"prefix":"/a/*","dst":"/b & 0.2*/c"}]`))
	f.Add([]byte(`{"type":"transformation","path":"/a","name":"n","bound":{"addr":{"type":"neg"},"id":"/a","path":"/"},"tree":{"type":"fail","path":"!"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if tr, err := namerdhttp.ParseTree(b); err == nil {
			again, err := json.Marshal(tree(tr))
			require.NoError(t, err)
			_, err = namerdhttp.ParseTree(again)
			require.NoError(t, err)
		}
		if st, err := namerdhttp.ParseAddr(b); err == nil && st.Known {
			again, err := json.Marshal(addr(st))
			require.NoError(t, err)
			_, err = namerdhttp.ParseAddr(again)
			require.NoError(t, err)
		}
		if d, err := namerdhttp.ParseDtab(b); err == nil {
			_ = d.String()
		}
		if d, err := namerdhttp.ParseDelegation(b); err == nil {
			again, err := d.MarshalJSON()
			require.NoError(t, err)
			_, err = namerdhttp.ParseDelegation(again)
			require.NoError(t, err)
		}
	})
}

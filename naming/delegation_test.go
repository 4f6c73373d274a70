package naming_test

import (
	"context"
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// G17 and G18.
func TestDelegationSimplify(t *testing.T) {
	d1, _ := dtab.ParseDentry("/d1=>/x")
	d2, _ := dtab.ParseDentry("/d2=>/x")
	x := naming.Delegation{Kind: naming.KindLeaf, Path: path("/x"), Dentry: &d2, Bound: &naming.Bound{}}
	y := naming.Delegation{Kind: naming.KindNeg, Path: path("/y"), Dentry: &d2}
	alt := func(kids ...naming.Delegation) naming.Delegation {
		return naming.Delegation{Kind: naming.KindAlt, Path: path("/b"), Dentry: &d2, Kids: kids}
	}
	via := func(kid naming.Delegation) naming.Delegation {
		return naming.Delegation{Kind: naming.KindDelegate, Path: path("/b"), Dentry: &d1, Kids: []naming.Delegation{kid}}
	}
	transformed := naming.Delegation{Kind: naming.KindTransformation, Path: path("/b"), Dentry: &d2, Name: "t", Bound: &naming.Bound{}, Kids: []naming.Delegation{x}}
	for id, row := range map[string]struct {
		in   naming.Delegation
		want string
	}{
		"G17":                            {via(alt(x, y)), "A(/b; /d1=>/x; L(/x; /d2=>/x; /), N(/y; /d2=>/x))"},
		"G18a":                           {via(alt(x)), "D(/b; /d1=>/x; L(/x; /d2=>/x; /))"},
		"G18b":                           {alt(), "N(/b; /d2=>/x)"},
		"transformations keep their own": {via(transformed), "T(/b; /d2=>/x; L(/x; /d2=>/x; /))"},
		"alts are spliced":               {alt(y, alt(x, y)), "A(/b; /d2=>/x; N(/y; /d2=>/x), L(/x; /d2=>/x; /), N(/y; /d2=>/x))"},
	} {
		require.Equal(t, row.want, showDelegation(row.in.Simplify()), id)
	}
}

func TestDelegationJSON(t *testing.T) {
	name := &naming.Bound{ID: path("/#/n/web"), Residual: path("/r")}
	leaf := func(s naming.State[weft.EndpointSet]) naming.Delegation {
		return naming.Delegation{Kind: naming.KindLeaf, Path: path("/p"), Bound: name, Addr: s}
	}
	nop := dtab.Nop()
	for want, d := range map[string]naming.Delegation{
		`{"type":"leaf","path":"/p","bound":{"addr":{"type":"pending"},"id":"/#/n/web","path":"/r"}}`:                          leaf(naming.State[weft.EndpointSet]{}),
		`{"type":"leaf","path":"/p","bound":{"addr":{"type":"neg"},"id":"/#/n/web","path":"/r"}}`:                              leaf(naming.Ok(weft.EndpointSet{Neg: true})),
		`{"type":"leaf","path":"/p","bound":{"addr":{"type":"failed","cause":"connection lost"},"id":"/#/n/web","path":"/r"}}`: leaf(naming.Failed[weft.EndpointSet](errLost)),
		`{"type":"leaf","path":"/p","bound":{"addr":{"type":"bound","addrs":[],"meta":{"authority":"a"}},"id":"/#/n/web","path":"/r"}}`: leaf(
			naming.Ok(weft.EndpointSet{Meta: map[string]string{"authority": "a"}})),
		`{"type":"leaf","path":"/p","bound":{"addr":{"type":"bound","addrs":[{"ip":"::1","port":8080,"meta":{"endpoint_addr_weight":0.5,"nodeName":"n"}}],"meta":{}},"id":"/#/n/web","path":"/r"}}`: leaf(
			naming.Ok(weft.EndpointSet{Endpoints: []weft.Endpoint{
				{Addr: "[::1]:8080", Weight: 0.5, Meta: map[string]string{"nodeName": "n"}}, {Addr: "x", Local: "http.status/200"},
			}})),
		`{"type":"transformation","path":"/p","name":"t","bound":{"addr":{"type":"pending"},"id":"/#/n/web","path":"/r"},"tree":{"type":"empty","path":"/e"}}`: {
			Kind: naming.KindTransformation, Path: path("/p"), Name: "t", Bound: name, Dentry: &nop,
			Kids: []naming.Delegation{{Kind: naming.KindEmpty, Path: path("/e")}},
		},
		`{"type":"fail","path":"/$/fail/x"}`:                           {Kind: naming.KindFail, Path: path("/$/fail/x")},
		`{"type":"fail","path":"!"}`:                                   {Kind: naming.KindFail, Path: path("/$/failure")},
		`{"type":"neg","path":"~"}`:                                    {Kind: naming.KindNeg},
		`{"type":"exception","path":"/p","message":"connection lost"}`: {Kind: naming.KindException, Path: path("/p"), Err: errLost},
	} {
		got, err := json.Marshal(d)
		require.NoError(t, err)
		require.Equal(t, want, string(got))
	}
}

func TestDelegationMapLeavesAndWayTo(t *testing.T) {
	w := newWorld(t)
	defer func() { require.NoError(t, w.in.Close()) }()
	d, err := w.in.Delegate(t.Context(), dtab.MustParse("/host=>/#/n/neg | 0.3*/#/n/a & 0.7*/#/n/b;/svc=>/host"), path("/svc/x"))
	require.NoError(t, err)
	var way []string
	for _, step := range d.WayTo(path("/#/n/b")) {
		way = append(way, step.Path.String())
	}
	require.Equal(t, []string{"/svc/x", "/host/x", "/host/x", "/#/n/b/x"}, way)
	require.Nil(t, d.WayTo(path("/#/n/c")))

	wrapped := d.MapLeaves(func(l naming.Delegation) naming.Delegation {
		return naming.Delegation{Kind: naming.KindTransformation, Name: "port", Bound: l.Bound, Kids: []naming.Delegation{l}}
	})
	union := wrapped.Kids[0].Kids[1]
	require.Equal(t, naming.KindTransformation, union.Kids[0].Kind)
	require.Equal(t, []float64{0.3, 0.7}, []float64{union.Kids[0].Weight, union.Kids[1].Weight})
	require.Equal(t, naming.KindLeaf, d.Kids[0].Kids[1].Kids[0].Kind, "the original is untouched")
}

// An explanation waits for the namers and the endpoint sets, all at once, and
// leaves nothing running.
func TestDelegateWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		late := func(d time.Duration, f func()) { time.AfterFunc(d, f) }
		var set weft.Var[naming.State[weft.EndpointSet]]
		w.board.put(path("/#/a/x"), answer{})
		w.board.put(path("/#/a/y"), answer{})
		w.stored.Store(naming.State[dtab.Dtab]{})
		late(100*time.Millisecond, func() { w.stored.Store(naming.Ok(dtab.MustParse("/svc=>/#/a/x | /#/a/y"))) })
		late(300*time.Millisecond, func() { w.board.put(path("/#/a/x"), naming.Ok(tree{})) })
		late(200*time.Millisecond, func() {
			w.board.put(path("/#/a/y"), naming.Ok(dtab.LeafOf(naming.Following(path("/#/a/y"), dtab.Path{}, &set))))
		})
		late(400*time.Millisecond, func() { set.Store(naming.Ok(endpoints("10.0.0.9:80"))) })

		begin := time.Now()
		d, err := w.in.Delegate(t.Context(), nil, path("/svc"))
		require.NoError(t, err)
		require.Equal(t, 400*time.Millisecond, time.Since(begin))
		require.Equal(t, naming.Ok(endpoints("10.0.0.9:80")), d.Kids[1].Addr)
		synctest.Wait()
		require.Empty(t, w.board.looking())

		w.board.put(path("/#/a/x"), answer{})
		set.Store(naming.State[weft.EndpointSet]{})
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		d, err = w.in.Delegate(ctx, nil, path("/svc"))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, naming.KindException, d.Kids[0].Kind)
		require.True(t, d.Kids[1].Addr.Pending())

		in := naming.NewInterpreter(naming.Options{Namers: naming.Namers{{Prefix: path("/#/n"), Namer: naming.NamerFunc(stubN)}}})
		_, err = in.Delegate(t.Context(), nil, path("/#/n/pend"))
		require.ErrorIs(t, err, weft.ErrNeverChanges, "what can never answer is not waited for")
		require.NoError(t, in.Close())
	})
}

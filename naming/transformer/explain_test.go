package transformer_test

import (
	"context"
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/transformer"
)

func TestExplanations(t *testing.T) {
	const (
		svc    = "/svc=>/#/n"
		before = "/#/n/web {10.0.0.1:80 n1, 10.0.1.1:81 n2} authority=x"
		gws    = "{10.0.0.9:4141 n1, 10.0.2.9:4141}"
	)
	for _, row := range []struct {
		id, rules, name string
		ts              func(w *world) []tf
		want            string
	}{
		{
			"X02", svc, "/svc/web/r", func(w *world) []tf { return []tf{w.port(4141)} },
			"D(/svc/web/r; T(/#/n/web/r; io.l5d.port; /#/n/web + /r {10.0.0.1:80 n1, 10.0.1.1:81 n2} authority=x; " +
				"L(/%/io.l5d.port/4141/#/n/web; /%/io.l5d.port/4141/#/n/web + /r {10.0.0.1:4141 n1, 10.0.1.1:4141 n2} authority=x)))",
		},
		{
			"X13", svc, "/svc/web", func(w *world) []tf { return []tf{w.port(4141), w.localhost("10.0.0.1")} },
			"D(/svc/web; T(/#/n/web; io.l5d.port; " + before + "; T(/%/io.l5d.port/4141/#/n/web; io.l5d.localhost; " +
				"/%/io.l5d.port/4141/#/n/web {10.0.0.1:4141 n1, 10.0.1.1:4141 n2} authority=x; " +
				"L(/%/io.l5d.localhost/%/io.l5d.port/4141/#/n/web; /%/io.l5d.localhost/%/io.l5d.port/4141/#/n/web {10.0.0.1:4141 n1} authority=x))))",
		},
		{
			"daemonset", svc, "/svc/web", func(w *world) []tf { return []tf{w.daemonset(false)} },
			"D(/svc/web; T(/#/n/web; io.l5d.k8s.daemonset; " + before + "; " +
				"L(/%/io.l5d.k8s.daemonset/GW/port/l5d/#/n/web; /%/io.l5d.k8s.daemonset/GW/port/l5d/#/n/web {10.0.0.9:4141 n1} authority=x)))",
		},
		{"const", svc, "/svc/neg", func(w *world) []tf {
			return []tf{w.made(transformer.NewConst(transformer.PathConfig{Path: path("/#/n/gw")}, w.binder()))}
		}, "T(/svc/neg; io.l5d.const; L(/#/n/gw; /%/io.l5d.const/#/n/gw " + gws + "))"},
		{"replace", "/svc=>/#/n/web | /#/n/neg", "/svc", func(w *world) []tf {
			return []tf{w.made(transformer.NewReplace(transformer.PathConfig{Path: path("/#/n/gw")}, w.binder()))}
		}, "A(/svc; T(/#/n/web; io.l5d.replace; " + before + "; L(/#/n/gw; /%/io.l5d.replace/#/n/gw " + gws + ")), N(/#/n/neg))"},
		{"no leaf", svc, "/svc/neg", func(w *world) []tf { return []tf{w.port(4141)} }, "D(/svc/neg; N(/#/n/neg))"},
	} {
		t.Run(row.id, func(t *testing.T) {
			w := newWorld(t)
			assert.Equal(t, row.want, w.explain(w.interpreter(row.rules, row.ts(w)...), row.name))
		})
	}
}

// TestExplanationsOfWhatIsPending: an explanation that runs out of time has what is
// known.
func TestExplanationsOfWhatIsPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.says["gw"].Store(names{})
		in := w.interpreter("/svc=>/#/n", w.daemonset(false))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		d, err := in.(naming.Delegator).Delegate(ctx, nil, path("/svc/web"))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Contains(t, showDelegation(d), "; L(/%/io.l5d.k8s.daemonset/GW/port/l5d/#/n/web; /%/io.l5d.k8s.daemonset/GW/port/l5d/#/n/web pending)")
	})
}

// TestExplanationsAreShown: as JSON and as text, and the way to what a request was
// sent to is found in them.
func TestExplanationsAreShown(t *testing.T) {
	w := newWorld(t)
	in := w.interpreter("/svc=>/#/n", w.port(4141))
	d, err := in.(naming.Delegator).Delegate(t.Context(), nil, path("/svc/gw"))
	require.NoError(t, err)
	text, err := json.Marshal(d)
	require.NoError(t, err)
	assert.JSONEq(t, `{"type":"delegate","path":"/svc/gw","delegate":{"type":"transformation","path":"/#/n/gw",
		"dentry":{"prefix":"/svc","dst":"/#/n"},"name":"io.l5d.port",
		"bound":{"addr":{"type":"bound","addrs":[{"ip":"10.0.0.9","port":4141,"meta":{"nodeName":"n1"}},{"ip":"10.0.2.9","port":4141,"meta":{}}],"meta":{}},"id":"/#/n/gw","path":"/"},
		"tree":{"type":"leaf","path":"/%/io.l5d.port/4141/#/n/gw","dentry":{"prefix":"/svc","dst":"/#/n"},
		"bound":{"addr":{"type":"bound","addrs":[{"ip":"10.0.0.9","port":4141,"meta":{"nodeName":"n1"}},{"ip":"10.0.2.9","port":4141,"meta":{}}],"meta":{}},"id":"/%/io.l5d.port/4141/#/n/gw","path":"/"}}}}`,
		string(text))
	assert.Contains(t, d.Text(), "= /#/n/gw, transformed by io.l5d.port\n")
	assert.Len(t, d.WayTo(path("/%/io.l5d.port/4141/#/n/gw")), 3)
}

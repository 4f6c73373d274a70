package routetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/proxy"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/plugin"
)

// patience is how long a name may take: nothing is asked that is not here, but for
// the names of hosts.
const patience = 5 * time.Second

// Result is how a test went.
type Result struct {
	Title string
	Line  int // of the test in its file

	// Failures says what was not as expected. None is that the test passed.
	Failures []string

	// Explanation is every step from the name to its destinations.
	Explanation string
}

// OK reports whether the test passed.
func (r Result) OK() bool { return len(r.Failures) == 0 }

// Run runs the tests whose titles match, in the order of the suite. The registry must
// have Kinds. The error says that there was nothing to ask; it is a config.Problems if
// that is the fault of a file.
func (s *Suite) Run(ctx context.Context, reg config.Registry, match func(title string) bool) (results []Result, err error) {
	p, label, err := s.proxy(reg)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	var r *plugin.Router
	for _, x := range p.Routers() {
		if x.Label == label {
			r = x
		}
	}
	for i := range s.Tests {
		t := &s.Tests[i]
		if match != nil && !match(t.Title) {
			continue
		}
		res := t.run(ctx, r)
		res.Line, _ = s.doc.At(fmt.Sprintf("tests[%d]", i))
		results = append(results, res)
	}
	return results, nil
}

func (t *Test) run(ctx context.Context, r *plugin.Router) Result {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	res := Result{Title: t.Title}
	fail := func(format string, args ...any) { res.Failures = append(res.Failures, fmt.Sprintf(format, args...)) }

	q, err := t.question(ctx)
	if err != nil {
		fail("%v", err)
		return res
	}
	a, err := proxy.Explain(ctx, r, q)
	if a.Delegation.Kind != "" {
		res.Explanation = a.Delegation.Text()
	}
	if t.Identified != nil && err == nil && a.Path != *t.Identified {
		fail("the request is named %s, want %s", a.Path, *t.Identified)
	}
	if a.Path.IsEmpty() {
		t.failed(err, fail)
		return res
	}
	bound, err := weft.Until(ctx, r.Interpreter.Bind(ctx, a.Local, a.Path), func(s naming.State[dtab.Tree[*naming.Bound]]) bool { return !s.Pending() })
	switch {
	case err != nil && !bound.Known && !errors.Is(err, weft.ErrNeverChanges):
		t.failed(fmt.Errorf("%s: no answer: %w", a.Path, err), fail)
	case !bound.Known:
		t.failed(bound.Err, fail)
	case t.Error != "":
		fail("want an error with %q, but it goes %s", t.Error, shares(split(bound.Value)))
	default:
		t.compare(ctx, bound.Value, fail)
	}
	return res
}

func (t *Test) question(ctx context.Context) (proxy.Question, error) {
	q := proxy.Question{Local: t.Override}
	if t.Name != nil {
		q.Name = *t.Name
		return q, nil
	}
	method, target := t.Request.Method, t.Request.Target
	if method == "" {
		method = "GET"
	}
	if target == "" {
		target = "/"
	}
	var headers []string
	for _, name := range slices.Sorted(maps.Keys(t.Request.Headers)) {
		headers = append(headers, name+": "+t.Request.Headers[name])
	}
	var err error
	q.Request, err = proxy.NewRequest(ctx, method, target, headers)
	return q, err
}

// failed compares a failure with the one that is expected, if one is.
func (t *Test) failed(err error, fail func(string, ...any)) {
	switch {
	case t.Error == "":
		fail("%v", err)
	case err == nil || !strings.Contains(err.Error(), t.Error):
		fail("want an error with %q, got %v", t.Error, err)
	}
}

// compare compares what the name is bound to.
func (t *Test) compare(ctx context.Context, tree dtab.Tree[*naming.Bound], fail func(string, ...any)) {
	got := split(tree)
	want := map[dtab.Path]float64{}
	switch {
	case t.To != nil:
		want[*t.To] = 1
	case t.Split != nil:
		total := 0.0
		for _, s := range t.Split {
			total += float64(s)
		}
		for id, s := range t.Split {
			if p, err := dtab.ParsePath(id); err == nil && s > 0 {
				want[p] += float64(s) / total
			}
		}
	case !t.Nowhere:
		return // only the name was to be identified
	}
	if !sameShares(got, want) {
		fail("it goes %s, want %s", shares(got), shares(want))
		return
	}
	if t.Residual != nil && tree.Op == dtab.Leaf && tree.Value.Residual != *t.Residual {
		fail("%s is left of the name, want %s", tree.Value.Residual, *t.Residual)
	}
	if t.Endpoints != nil {
		all := endpoints(ctx, tree)
		if want := slices.Sorted(slices.Values(t.Endpoints)); !slices.Equal(all, want) {
			fail("the endpoints are %v, want %v", all, want)
		}
	}
}

// split returns the shares of the destinations of a tree: all traffic is 1.
func split(t dtab.Tree[*naming.Bound]) map[dtab.Path]float64 {
	all := map[dtab.Path]float64{}
	var add func(t dtab.Tree[*naming.Bound], share float64)
	add = func(t dtab.Tree[*naming.Bound], share float64) {
		if t.Op == dtab.Leaf {
			all[t.Value.ID] += share
			return
		}
		total := 0.0
		for _, k := range t.Kids {
			total += k.Weight
		}
		for _, k := range t.Kids {
			if k.Weight > 0 {
				add(k, share*k.Weight/total)
			}
		}
	}
	add(t, 1)
	return all
}

// sameShares allows for the two decimals that weights are shown with.
func sameShares(got, want map[dtab.Path]float64) bool {
	if len(got) != len(want) {
		return false
	}
	for id, w := range want {
		if g, ok := got[id]; !ok || math.Abs(g-w) > 0.0005 {
			return false
		}
	}
	return true
}

func shares(m map[dtab.Path]float64) string {
	if len(m) == 0 {
		return "nowhere"
	}
	var all []string
	for id, share := range m {
		if len(m) == 1 {
			return "to " + id.String()
		}
		all = append(all, fmt.Sprintf("%s %.4g%%", id, 100*share))
	}
	slices.Sort(all)
	return "to " + strings.Join(all, ", ")
}

func endpoints(ctx context.Context, t dtab.Tree[*naming.Bound]) []string {
	all := []string{}
	if t.Op == dtab.Leaf {
		s, _ := weft.Until(ctx, t.Value.Addrs(ctx), func(s naming.State[weft.EndpointSet]) bool { return !s.Pending() })
		for _, e := range s.Value.Endpoints {
			all = append(all, e.Addr)
		}
	}
	for _, k := range t.Kids {
		all = append(all, endpoints(ctx, k)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

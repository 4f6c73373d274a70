package admin

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// Namespaces are the dtabs of a namerd. A server that has them has no pages of
// routers: / lists the namespaces, /dtab/<namespace> is the playground of one, and
// /dtab/delegator.json explains names under the dtab that the question brings along.
type Namespaces struct {
	// List returns the namespaces in the order in which they are shown.
	List func(ctx context.Context) ([]string, error)

	// Dtab returns the dtab of a namespace, and whether there is one.
	Dtab func(ctx context.Context, namespace string) (dtab.Dtab, bool, error)

	// Delegator explains names. It knows the configured namers and no dtab.
	Delegator naming.Delegator
}

// underDtab is where the pages of namespaces are.
const underDtab = "/dtab/"

// register adds the pages of a namerd.
func (n *Namespaces) register(x *site, add func(path string, h http.Handler)) {
	add("/", methods(x.namespaces, get))
	add(underDtab, methods(x.namespace, get))
	add(underDtab+"delegator.json", methods(func(w http.ResponseWriter, r *http.Request) {
		x.explain(w, r, func(string) naming.Delegator { return n.Delegator })
	}, get, post))
}

// namespaces is the page that lists them.
func (x *site) namespaces(w http.ResponseWriter, r *http.Request) {
	v := x.view(r, "namespaces", "namespaces")
	ctx, cancel := context.WithTimeout(r.Context(), x.opts.DelegateBudget)
	defer cancel()
	all, err := x.opts.Namespaces.List(ctx)
	if err != nil {
		v.Problem = "The namespaces cannot be listed: " + err.Error()
	}
	for _, ns := range all {
		escaped := strings.ReplaceAll(url.PathEscape(ns), "%2F", "/")
		v.Namespaces = append(v.Namespaces, link{"./dtab/" + escaped, ns})
	}
	x.render(w, v)
}

// namespace is the playground of one.
func (x *site) namespace(w http.ResponseWriter, r *http.Request) {
	ns := strings.TrimPrefix(r.URL.Path, underDtab)
	ctx, cancel := context.WithTimeout(r.Context(), x.opts.DelegateBudget)
	defer cancel()
	d, found, err := x.opts.Namespaces.Dtab(ctx, ns)
	switch {
	case err != nil:
		writeText(w, http.StatusServiceUnavailable, "The dtab of "+ns+" cannot be read: "+err.Error())
		return
	case !found:
		notFound(w, r)
		return
	}
	v := x.view(r, "namespace", "dtab")
	v.Root = strings.Repeat("../", strings.Count(r.URL.Path, "/")-1)
	v.Delegator = v.Root + "dtab/delegator.json"
	for i, l := range v.Nav {
		v.Nav[i].Href = v.Root + strings.TrimPrefix(l.Href, "./")
	}
	v.Routers = []routerView{{Label: ns, Protocol: "namespace", Servers: []string{}, Dtab: dentries(d), Text: ruleLines(d)}}
	v.All = v.Routers
	x.render(w, v)
}

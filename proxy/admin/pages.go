package admin

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/telemetry"
)

// assets are the pages; go:embed has no place but a global.
//
//go:embed files templates
var assets embed.FS

// pages are the templates of the HTML pages by name.
type pages struct {
	byName map[string]*template.Template
}

func newPages() (*pages, error) {
	p := &pages{byName: map[string]*template.Template{}}
	funcs := template.FuncMap{"ms": func(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }}
	for _, name := range []string{"dashboard", "services", "delegator", "logging", "requests", "tapping", "help", "namespaces", "namespace"} {
		t, err := template.New("layout.html").Funcs(funcs).ParseFS(assets, "templates/layout.html", "templates/"+name+".html")
		if err != nil {
			return nil, fmt.Errorf("admin: page %s: %w", name, err)
		}
		p.byName[name] = t
	}
	return p, nil
}

// view is what the templates show.
type view struct {
	Title, Name, Version string
	Page                 string
	Nav                  []link
	Routers              []routerView
	All                  []routerView // Routers is what the query selects of them
	Selected             string
	Requests             []requestView
	Namespaces           []link
	Problem              string

	// Root leads from the page to the root of the server, and Delegator to what
	// explains names; both are relative, so that the pages work behind a proxy that adds
	// a prefix.
	Root, Delegator string

	// Window is what stats are about: the last "minute", or "5 s".
	Window string

	// Serves are the paths that scripts may ask, of those that are served, with
	// blanks between them and without the leading slash.
	Serves string
}

// asked returns the paths that scripts ask if they are there.
func asked() []string {
	return []string{
		"/admin/metrics.json", "/admin/server_info", "/client_state.json", "/config.json", "/delegator.json", "/discovery.json", "/endpoints.json", "/explain.json",
		"/logging.json", "/namespace.json", "/namespace/delete.json", "/namespace/preview.json", "/namespace/save.json", "/namespaces.json", "/requests.json", "/services", "/tap",
	}
}

type link struct{ Href, Text string }

// routerView is a router as pages and their scripts see it.
type routerView struct {
	Label    string       `json:"label"`
	Protocol string       `json:"protocol"`
	Servers  []string     `json:"servers"`
	Dtab     []dentryView `json:"dtab"`
	Text     string       `json:"text"` // Dtab to be edited: a rule a line, and exact
	Stored   []dentryView `json:"stored"`
}

type dentryView struct {
	Prefix string `json:"prefix"`
	Dst    string `json:"dst"`
}

func dentries(d dtab.Dtab) []dentryView {
	rows := make([]dentryView, len(d))
	for i, e := range d {
		rows[i] = dentryView{e.Prefix.String(), dtab.ShowTree(e.Dst)}
	}
	return rows
}

// ruleLines returns a dtab as it is edited.
func ruleLines(d dtab.Dtab) string {
	var b strings.Builder
	for _, e := range d {
		b.WriteString(e.Prefix.String() + " => " + dtab.ExactTree(e.Dst) + " ;\n")
	}
	return b.String()
}

type requestView struct {
	telemetry.RecentRequest

	LogicalLink, ConcreteLink string
}

// view returns what all pages have.
func (x *site) view(r *http.Request, page, title string) *view {
	v := &view{Title: title, Name: x.opts.Name, Version: x.opts.Version, Page: page, Selected: r.URL.Query().Get("router")}
	v.Root, v.Delegator, v.Window = "./", "./delegator.json", windowText(x.opts.Tree.Window())
	var serves []string
	for _, path := range asked() {
		if x.mux.find(path) != nil && x.filter.serves(path) {
			serves = append(serves, path[1:])
		}
	}
	v.Serves = strings.Join(serves, " ")
	for _, l := range []link{{"/", x.home()}, {"/services", "services"}, {"/delegator", "dtab"}, {"/tapping", "tap"}, {"/requests", "requests"}, {"/logging", "logging"}, {"/help", "help"}} {
		shows := x.mux.find(l.Href) != nil && x.filter.serves(l.Href)
		if l.Href == "/tapping" { // it shows nothing by itself
			shows = shows && x.mux.find("/tap") != nil && x.filter.serves("/tap")
		}
		if shows {
			// Relative, so that the pages work behind a proxy that adds a prefix.
			v.Nav = append(v.Nav, link{"./" + strings.TrimPrefix(l.Href, "/"), l.Text})
		}
	}
	for i := range x.opts.Routers {
		o := &x.opts.Routers[i]
		router := routerView{Label: o.Label, Protocol: o.Protocol, Servers: append([]string{}, o.Servers...), Dtab: dentries(o.Base), Text: ruleLines(o.Base)}
		if o.Stored != nil {
			router.Stored = dentries(o.Stored())
		}
		v.All = append(v.All, router)
		if o.Label == v.Selected {
			v.Routers = []routerView{router}
		}
	}
	if v.Routers == nil {
		v.Routers, v.Selected = v.All, ""
	}
	return v
}

// windowText names a length of time, so that it can be said that something is of the last
// one. Zero is one of no fixed length.
func windowText(d time.Duration) string {
	switch {
	case d == 0:
		return "window"
	case d == time.Minute:
		return "minute"
	case d%time.Minute == 0:
		return fmt.Sprintf("%d minutes", d/time.Minute)
	case d%time.Second == 0:
		return fmt.Sprintf("%d s", d/time.Second)
	default:
		return d.String()
	}
}

// First returns the router that a page for one router is about, nil if there is none.
func (v *view) First() *routerView {
	if len(v.Routers) == 0 {
		return nil
	}
	return &v.Routers[0]
}

// home names the first page.
func (x *site) home() string {
	if x.opts.Namespaces != nil {
		return "namespaces"
	}
	return "routers"
}

func (x *site) render(w http.ResponseWriter, v *view) {
	var b bytes.Buffer
	if err := x.pages.byName[v.Page].Execute(&b, v); err != nil {
		writeText(w, http.StatusInternalServerError, "admin: page "+v.Page+": "+err.Error())
		return
	}
	write(w, http.StatusOK, typeHTML, b.Bytes())
}

func (x *site) dashboard(w http.ResponseWriter, r *http.Request) {
	x.render(w, x.view(r, "dashboard", "routers"))
}

func (x *site) services(w http.ResponseWriter, r *http.Request) {
	x.render(w, x.view(r, "services", "services"))
}

func (x *site) playground(w http.ResponseWriter, r *http.Request) {
	x.render(w, x.view(r, "delegator", "dtab"))
}

func (x *site) logging(w http.ResponseWriter, r *http.Request) {
	x.render(w, x.view(r, "logging", "logging"))
}

// tapping is the page of the stream /tap.
func (x *site) tapping(w http.ResponseWriter, r *http.Request) {
	x.render(w, x.view(r, "tapping", "tap"))
}

func (x *site) help(w http.ResponseWriter, r *http.Request) {
	x.render(w, x.view(r, "help", "help"))
}

func (x *site) requests(w http.ResponseWriter, r *http.Request) {
	v := x.view(r, "requests", "requests")
	for _, q := range x.opts.Recent.Requests() {
		play := "./delegator?router=" + url.QueryEscape(q.Router) + "#"
		v.Requests = append(v.Requests, requestView{q, play + url.PathEscape(q.Logical), play + url.PathEscape(q.Concrete)})
	}
	x.render(w, v)
}

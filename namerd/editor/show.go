package editor

import (
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/proxy/admin"
)

const (
	maxWait    = 25 * time.Second // for another version
	maxHistory = 50
)

type listed struct {
	Name string `json:"name"`

	// Active is how many names are bound in it now.
	Active int `json:"active"`
}

// list answers with the namespaces.
func (e *Editor) list(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := e.context(r, e.opts.Budget)
	defer cancel()
	names, err := e.n.Store().List(ctx)
	if err != nil {
		failed(w, err)
		return
	}
	all := make([]listed, len(names))
	for i, ns := range names {
		_, active := e.n.Active(ns, 0)
		all[i] = listed{ns, active}
	}
	admin.WriteJSON(w, map[string]any{"namespaces": all})
}

// document is a namespace as the pages see it.
type document struct {
	Namespace string `json:"namespace"`
	Dtab      string `json:"dtab"`    // a rule a line
	Version   string `json:"version"` // in base64, as in an ETag of the API

	// History are the last changes, the latest first, and HistoryError says why there
	// are none.
	History      []namerd.Change `json:"history"`
	HistoryError string          `json:"historyError,omitempty"`

	// Active are some of the names that are bound in it now, and ActiveTotal is how many
	// there are.
	Active      []activeName `json:"active"`
	ActiveTotal int          `json:"activeTotal"`
}

type activeName struct {
	Name  string `json:"name"`
	Local string `json:"local,omitempty"`
}

// show answers with one, at once or when it has another version than the one given.
func (e *Editor) show(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	ns := q.Get("namespace")
	if text := q.Get("wait"); text != "" {
		wait, err := time.ParseDuration(text)
		if err != nil || wait < 0 {
			admin.Fault{Message: "wait has to be a duration such as 20s, and not " + text, Field: "wait"}.Write(w, http.StatusBadRequest)
			return
		}
		e.await(r, ns, q.Get("version"), min(wait, maxWait))
	}
	ctx, cancel := e.context(r, e.opts.Budget)
	defer cancel()
	s, err := e.n.Store().Get(ctx, ns)
	switch {
	case err != nil:
		failed(w, err)
		return
	case !s.Exists:
		failed(w, &namerd.Error{Is: namerd.ErrMissing, Namespace: ns})
		return
	}
	d := document{Namespace: ns, Dtab: text(s.Dtab), Version: encode(s.Version), History: []namerd.Change{}, Active: []activeName{}}
	if h, err := e.n.Store().History(ctx, ns, maxHistory); err != nil {
		d.HistoryError = err.Error()
	} else if h != nil {
		d.History = h
	}
	var active []namerd.Active
	active, d.ActiveTotal = e.n.Active(ns, e.opts.MaxNames)
	for _, a := range active {
		d.Active = append(d.Active, activeName{a.Name.String(), a.Local.String()})
	}
	admin.WriteJSON(w, d)
}

// await returns when a namespace has another version than the one that the page has,
// or the wait is over.
func (e *Editor) await(r *http.Request, ns, version string, wait time.Duration) {
	ctx, cancel := e.context(r, wait)
	defer cancel()
	// An error says that the wait is over.
	_, _ = weft.Until(ctx, e.n.Dtab(ctx, ns), func(s naming.State[namerd.Stored]) bool {
		return s.Known && encode(s.Value.Version) != version
	})
}

// text returns a dtab as it is edited: a rule a line.
func text(d dtab.Dtab) string {
	var b strings.Builder
	for _, e := range d {
		b.WriteString(e.Prefix.String())
		b.WriteString(" => ")
		b.WriteString(dtab.ExactTree(e.Dst))
		b.WriteString(" ;\n")
	}
	return b.String()
}

func encode(v namerd.Version) string { return base64.StdEncoding.EncodeToString([]byte(v)) }

func decode(text string) (namerd.Version, error) {
	b, err := base64.StdEncoding.DecodeString(text)
	return namerd.Version(b), err
}

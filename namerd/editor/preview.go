package editor

import (
	"context"
	"net/http"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/proxy/admin"
)

// draft is a change that somebody thinks of.
type draft struct {
	Namespace string `json:"namespace"`
	Dtab      string `json:"dtab"`

	// Base is the dtab that the change began with, if that is not what is stored any
	// more: the change is made to what is stored then, and the answer has the outcome.
	Base *string `json:"base"`

	// Names asks what becomes of the names that are bound now.
	Names bool `json:"names"`
}

// previewed says what a draft would do.
type previewed struct {
	Namespace string   `json:"namespace"`
	Exists    bool     `json:"exists"`
	Version   string   `json:"version"` // of what is stored
	Stored    string   `json:"stored"`
	Dtab      string   `json:"dtab"` // of the draft, a rule a line
	Diff      []row    `json:"diff"`
	Theirs    []row    `json:"theirs,omitempty"`    // from Base to what is stored
	Conflicts []int    `json:"conflicts,omitempty"` // rules of Dtab where both have changed something
	Names     *effects `json:"names,omitempty"`
}

// effects are what a draft does to the names that are bound now.
type effects struct {
	Active  int      `json:"active"`  // how many there are
	Checked int      `json:"checked"` // how many of them were looked at
	Changed []effect `json:"changed"`
}

type effect struct {
	Name   string  `json:"name"`
	Local  string  `json:"local,omitempty"`
	Kind   kind    `json:"kind"`
	Before outcome `json:"before"`
	After  outcome `json:"after"`
}

// kind is how bad an effect is.
type kind string

const (
	lost     kind = "lost"     // requests went somewhere, and would fail
	found    kind = "found"    // requests failed, and would go somewhere
	rerouted kind = "rerouted" // requests would go elsewhere, or in other shares
	unknown  kind = "unknown"  // a namer has not answered in time
	failing  kind = "failing"  // requests fail, and would fail in another way
)

func (e *Editor) preview(w http.ResponseWriter, r *http.Request) {
	var q draft
	if !admin.ReadJSON(w, r, &q) {
		return
	}
	after, err := dtab.Parse(q.Dtab)
	if err != nil {
		admin.FaultIn("dtab", "Invalid dtab: ", err).Write(w, http.StatusBadRequest)
		return
	}
	ctx, cancel := e.context(r, e.opts.Budget)
	defer cancel()
	s, err := e.n.Store().Get(ctx, q.Namespace)
	if err != nil {
		failed(w, err)
		return
	}
	p := previewed{Namespace: q.Namespace, Exists: s.Exists, Version: encode(s.Version), Stored: text(s.Dtab)}
	if q.Base != nil {
		base, err := dtab.Parse(*q.Base)
		if err != nil {
			admin.FaultIn("base", "Invalid dtab: ", err).Write(w, http.StatusBadRequest)
			return
		}
		p.Theirs = diff(base, s.Dtab)
		after, p.Conflicts = rebase(base, after, s.Dtab)
	}
	p.Dtab, p.Diff = text(after), diff(s.Dtab, after)
	if q.Names {
		p.Names = e.effects(ctx, q.Namespace, s.Dtab, after)
	}
	admin.WriteJSON(w, p)
}

// effects binds the names that are bound now by both dtabs.
func (e *Editor) effects(ctx context.Context, ns string, before, after dtab.Dtab) *effects {
	ctx, cancel := context.WithTimeout(ctx, e.opts.NamerBudget)
	defer cancel()
	names, total := e.n.Active(ns, e.opts.MaxNames)
	out := &effects{Active: total, Checked: len(names), Changed: []effect{}}
	var differ []namerd.Effect
	for _, x := range e.n.Preview(ctx, before, after, names) {
		if x.Differs() || x.After.Pending() {
			differ = append(differ, x)
		}
	}
	for _, x := range differ {
		f := effect{
			Name: x.Name.String(), Local: x.Local.String(),
			Before: newOutcome(ctx, x.Before), After: newOutcome(ctx, x.After),
		}
		f.Kind = f.kind()
		out.Changed = append(out.Changed, f)
	}
	return out
}

func (f effect) kind() kind {
	switch {
	case f.Before.State == statePending || f.After.State == statePending:
		return unknown
	case f.Before.routes() && f.After.routes():
		return rerouted
	case f.Before.routes():
		return lost
	case f.After.routes():
		return found
	default:
		return failing
	}
}

package editor

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"unicode"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/proxy/admin"
)

// maxNote bounds the author and the reason of a change, in bytes.
const maxNote = 1000

// change is what is to be saved.
type change struct {
	Namespace string `json:"namespace"`
	Dtab      string `json:"dtab"`

	// Version is the one that is to be replaced, as the pages were told it. The empty one
	// makes the namespace.
	Version string `json:"version"`

	Author string `json:"author"`
	Reason string `json:"reason"`
}

// conflict is what is answered if somebody else has changed the namespace meanwhile.
type conflict struct {
	admin.Fault

	Exists  bool           `json:"exists"`
	Version string         `json:"version"`
	Dtab    string         `json:"dtab"`
	Change  *namerd.Change `json:"change,omitempty"` // the last one, if it is known
}

// save makes a change if the namespace still has the version that it is for.
func (e *Editor) save(w http.ResponseWriter, r *http.Request) {
	var c change
	if !admin.ReadJSON(w, r, &c) {
		return
	}
	d, err := dtab.Parse(c.Dtab)
	if err != nil {
		admin.FaultIn("dtab", "Invalid dtab: ", err).Write(w, http.StatusBadRequest)
		return
	}
	version, note, ok := e.terms(w, c.Version, c.Author, c.Reason)
	if !ok {
		return
	}
	// What was begun is made or not, whoever still waits for the answer.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), e.opts.Budget)
	defer cancel()
	var made namerd.Version
	if version == "" {
		made, err = e.n.Store().Create(ctx, c.Namespace, d, note)
	} else {
		made, err = e.n.Store().Update(ctx, c.Namespace, d, version, note)
	}
	if err != nil {
		e.unmade(ctx, w, c.Namespace, err)
		return
	}
	e.opts.Logger.InfoContext(ctx, "namerd: a namespace was changed by the admin server", "namespace", c.Namespace,
		"rules", len(d), "author", c.Author, "reason", c.Reason, "remote", r.RemoteAddr)
	admin.WriteJSON(w, map[string]string{"version": encode(made), "dtab": text(d)})
}

// terms reads the version that a change is for, and its note; if one of them is wrong, it
// answers, and ok is false.
func (e *Editor) terms(w http.ResponseWriter, version, author, reason string) (v namerd.Version, n namerd.Note, ok bool) {
	v, err := decode(version)
	if err != nil {
		admin.Fault{Message: "The version is not one: " + err.Error(), Field: "version"}.Write(w, http.StatusBadRequest)
		return v, n, false
	}
	for field, text := range map[string]string{"author": author, "reason": reason} {
		if problem := badNote(text); problem != "" {
			admin.Fault{Message: "The " + field + " " + problem, Field: field}.Write(w, http.StatusBadRequest)
			return v, n, false
		}
	}
	return v, namerd.Note{Author: author, Reason: reason}, true
}

// unmade answers for a write that has failed.
func (e *Editor) unmade(ctx context.Context, w http.ResponseWriter, ns string, err error) {
	switch {
	case errors.Is(err, namerd.ErrMismatch), errors.Is(err, namerd.ErrExists), errors.Is(err, namerd.ErrMissing):
		e.conflict(ctx, w, ns, err)
	case known(err):
		failed(w, err)
	default:
		e.opts.Logger.WarnContext(ctx, "namerd: a write failed", "namespace", ns, "error", err)
		admin.Fault{Message: "The store has failed, and the change may have been made or not: " + err.Error()}.Write(w, http.StatusServiceUnavailable)
	}
}

// known reports whether an error says that nothing was changed.
func known(err error) bool {
	return errors.Is(err, namerd.ErrInvalid) || errors.Is(err, namerd.ErrForbidden) || errors.Is(err, namerd.ErrTooLarge)
}

// conflict answers with what there is now.
func (e *Editor) conflict(ctx context.Context, w http.ResponseWriter, ns string, cause error) {
	c := conflict{Fault: admin.Fault{Message: cause.Error()}}
	s, err := e.n.Store().Get(ctx, ns)
	if err != nil {
		failed(w, cause)
		return
	}
	c.Exists, c.Version, c.Dtab = s.Exists, encode(s.Version), text(s.Dtab)
	if h, err := e.n.Store().History(ctx, ns, 1); err == nil && len(h) == 1 {
		c.Change = &h[0]
	}
	admin.WriteJSONStatus(w, http.StatusPreconditionFailed, c)
}

// badNote says what is wrong with the author or the reason of a change.
func badNote(text string) string {
	if len(text) > maxNote {
		return "is longer than " + strconv.Itoa(maxNote) + " bytes"
	}
	for _, c := range text {
		if unicode.IsControl(c) && c != '\n' && c != '\t' {
			return "has control characters in it"
		}
	}
	return ""
}

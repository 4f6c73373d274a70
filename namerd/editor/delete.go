package editor

import (
	"context"
	"net/http"

	"github.com/weft-mesh/weft/proxy/admin"
)

// removal is what is to be deleted.
type removal struct {
	Namespace string `json:"namespace"`

	// Version is the one that is to be deleted, as the pages were told it.
	Version string `json:"version"`

	Author string `json:"author"`
	Reason string `json:"reason"`
}

// delete removes a namespace if it still has the version that somebody has looked at.
// What becomes of the names that are bound in it is what a preview of no rules says.
func (e *Editor) delete(w http.ResponseWriter, r *http.Request) {
	var c removal
	if !admin.ReadJSON(w, r, &c) {
		return
	}
	if c.Version == "" { // which to a store is any
		admin.Fault{Message: "The version of the namespace that is to be deleted is missing: /namespace.json has it", Field: "version"}.Write(w, http.StatusBadRequest)
		return
	}
	version, note, ok := e.terms(w, c.Version, c.Author, c.Reason)
	if !ok {
		return
	}
	// What was begun is done or not, whoever still waits for the answer.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), e.opts.Budget)
	defer cancel()
	if err := e.n.Store().Delete(ctx, c.Namespace, version, note); err != nil {
		e.unmade(ctx, w, c.Namespace, err)
		return
	}
	e.opts.Logger.InfoContext(ctx, "namerd: a namespace was deleted by the admin server", "namespace", c.Namespace,
		"author", c.Author, "reason", c.Reason, "remote", r.RemoteAddr)
	admin.WriteJSON(w, map[string]bool{"deleted": true})
}

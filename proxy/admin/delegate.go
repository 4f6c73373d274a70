package admin

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// bodyTime is how long the body of a request may take to arrive.
const bodyTime = 10 * time.Second

// question is what /delegator.json is asked: how a path is bound under a dtab,
// which is all there is: the router's own is not added.
type question struct {
	Namespace string `json:"namespace"`
	Dtab      string `json:"dtab"`
	Path      string `json:"path"`
}

func (x *site) delegate(w http.ResponseWriter, r *http.Request) {
	x.explain(w, r, x.delegator)
}

// explain answers a question by who explains the names of its namespace.
func (x *site) explain(w http.ResponseWriter, r *http.Request, by func(namespace string) naming.Delegator) {
	var q question
	if r.Method == post {
		status, text := readQuestion(w, r, &q)
		if status != http.StatusOK {
			writeText(w, status, text)
			return
		}
	} else {
		v := r.URL.Query()
		q = question{Namespace: v.Get("namespace"), Dtab: v.Get("dtab"), Path: v.Get("path")}
	}
	delegator := by(q.Namespace)
	if delegator == nil {
		writeText(w, http.StatusNotImplemented, "Name Interpreter for "+q.Namespace+" cannot show delegations")
		return
	}
	rules, err := dtab.Parse(q.Dtab)
	if err != nil {
		writeText(w, http.StatusBadRequest, "Invalid dtab: "+err.Error())
		return
	}
	path, err := dtab.ParsePath(q.Path)
	if err != nil {
		writeText(w, http.StatusBadRequest, "Invalid path: "+err.Error())
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), x.opts.DelegateBudget)
	defer cancel()
	d, err := delegator.Delegate(ctx, rules, path)
	switch {
	case err != nil && ctx.Err() != nil:
		writeText(w, http.StatusServiceUnavailable, "Request timed out.")
	case err != nil:
		writeText(w, http.StatusInternalServerError, err.Error())
	default:
		writeJSON(w, typeJSON, d)
	}
}

// delegator returns who explains the names of a namespace, nil if nobody can.
func (x *site) delegator(namespace string) naming.Delegator {
	if namespace == "" {
		return x.opts.Delegator
	}
	for i := range x.opts.Routers {
		if x.opts.Routers[i].Label == namespace {
			return x.opts.Routers[i].Delegator
		}
	}
	return nil
}

// readQuestion reads a question that was posted, or says what to answer.
func readQuestion(w http.ResponseWriter, r *http.Request, q *question) (status int, text string) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return http.StatusUnsupportedMediaType, "The content type has to be application/json"
	}
	body, err := readBody(w, r)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge, "The request body is too large"
	case err != nil:
		return http.StatusBadRequest, "Malformed delegation request: " + err.Error()
	}
	asked := q // becomes nil for null, which is no question
	if err := json.Unmarshal(body, &asked); err != nil {
		return http.StatusBadRequest, "Malformed delegation request: " + err.Error()
	}
	if asked == nil {
		return http.StatusBadRequest, "Malformed delegation request: null"
	}
	return http.StatusOK, ""
}

// readBody reads a body that is neither too large nor too slow.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	c := http.NewResponseController(w)
	// Without a connection, as in tests, there is nothing to set.
	_ = c.SetReadDeadline(time.Now().Add(bodyTime))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	_ = c.SetReadDeadline(time.Time{})
	return body, err
}

package admin

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// explainQuestion is what /explain.json is asked: how a router would route a name or a
// request. Unlike /delegator.json it knows the router's dtab.
type explainQuestion struct {
	Router  string          `json:"router"`
	Name    string          `json:"name"`
	Request *explainRequest `json:"request"`
	Dtab    string          `json:"dtab"` // of the request, before what its headers bring
	Base    *string         `json:"base"` // instead of the router's
}

type explainRequest struct {
	Method  string   `json:"method"`
	Target  string   `json:"target"`
	Headers []string `json:"headers"`
}

type explainAnswer struct {
	Path       string             `json:"path"`
	Local      []dentryView       `json:"local"` // in the order in which they were given
	Base       []dentryView       `json:"base"`
	Delegation *naming.Delegation `json:"delegation"`
	Partial    string             `json:"partial,omitempty"` // why not everything was answered
}

func (x *site) explainJSON(w http.ResponseWriter, r *http.Request) {
	var q explainQuestion
	if status, f := readJSON(w, r, &q); status != http.StatusOK {
		writeFault(w, r, status, f)
		return
	}
	router := x.router(q.Router)
	if router == nil {
		writeFault(w, r, http.StatusNotFound, Fault{Message: "There is no router " + q.Router, Field: "router"})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), x.opts.DelegateBudget)
	defer cancel()
	path, base, local, status, fault := q.resolve(ctx, router)
	if status != http.StatusOK {
		writeFault(w, r, status, fault)
		return
	}
	if router.Delegator == nil {
		writeFault(w, r, http.StatusNotImplemented, Fault{Message: "Name Interpreter for " + q.Router + " cannot show delegations"})
		return
	}
	d, err := router.Delegator.Delegate(ctx, base.Concat(local), path)
	answer := explainAnswer{Path: path.String(), Local: dentries(local), Base: dentries(base), Delegation: &d}
	switch {
	case err != nil && d.Kind == "" && ctx.Err() != nil:
		writeFault(w, r, http.StatusServiceUnavailable, Fault{Message: "No namer has answered in time."})
		return
	case err != nil && d.Kind == "":
		writeFault(w, r, http.StatusUnprocessableEntity, Fault{Message: err.Error()})
		return
	case err != nil:
		answer.Partial = err.Error()
	}
	writeJSON(w, typeJSON, answer)
}

// resolve says what path is to be explained by which dtabs, or what is wrong with the
// question.
func (q *explainQuestion) resolve(ctx context.Context, r *Router) (path dtab.Path, base, local dtab.Dtab, status int, f Fault) {
	bad := func(status int, f Fault) (dtab.Path, dtab.Dtab, dtab.Dtab, int, Fault) {
		return dtab.Path{}, nil, nil, status, f
	}
	base = r.Base
	var err error
	if q.Base != nil {
		if base, err = dtab.Parse(*q.Base); err != nil {
			return bad(http.StatusBadRequest, FaultIn("base", "Invalid dtab: ", err))
		}
	}
	if local, err = dtab.Parse(q.Dtab); err != nil {
		return bad(http.StatusBadRequest, FaultIn("dtab", "Invalid dtab: ", err))
	}
	switch {
	case (q.Name == "") == (q.Request == nil):
		return bad(http.StatusBadRequest, Fault{Message: "Either a name or a request has to be given"})
	case q.Request == nil:
		if path, err = dtab.ParsePath(q.Name); err != nil {
			return bad(http.StatusBadRequest, FaultIn("name", "Invalid path: ", err))
		}
	case r.Identify == nil:
		return bad(http.StatusUnprocessableEntity, Fault{Message: "The router " + r.Label + " (" + r.Protocol + ") has no requests with headers: ask about a name", Field: "request"})
	default:
		method := q.Request.Method
		if method == "" {
			method = http.MethodGet
		}
		var own dtab.Dtab
		if path, own, err = r.Identify(ctx, method, q.Request.Target, q.Request.Headers); err != nil {
			return bad(http.StatusBadRequest, Fault{Message: err.Error(), Field: "request"})
		}
		local = local.Concat(own)
	}
	return path, base, local, http.StatusOK, Fault{}
}

// router returns the router with a label, nil if there is none. No label is that of the
// only router.
func (x *site) router(label string) *Router {
	if label == "" && len(x.opts.Routers) == 1 {
		return &x.opts.Routers[0]
	}
	for i := range x.opts.Routers {
		if x.opts.Routers[i].Label == label {
			return &x.opts.Routers[i]
		}
	}
	return nil
}

// readJSON reads the object that was posted, or says what to answer. Members that it
// does not have are refused: a question that is answered as if a part of it were not
// there misleads.
func readJSON(w http.ResponseWriter, r *http.Request, v any) (status int, f Fault) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != typeJSON {
		return http.StatusUnsupportedMediaType, Fault{Message: "The content type has to be application/json"}
	}
	body, err := readBody(w, r)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge, Fault{Message: "The request body is too large"}
	case err != nil:
		return http.StatusBadRequest, Fault{Message: "The request body could not be read: " + err.Error()}
	}
	if text := strings.TrimSpace(string(body)); !strings.HasPrefix(text, "{") {
		return http.StatusBadRequest, Fault{Message: "The request body has to be a JSON object"}
	}
	dec := json.NewDecoder(strings.NewReader(string(body)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return http.StatusBadRequest, Fault{Message: "The request body is not the JSON that is expected: " + err.Error()}
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return http.StatusBadRequest, Fault{Message: "The request body has more than one JSON object"}
	}
	return http.StatusOK, Fault{}
}

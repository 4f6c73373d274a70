package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// delegation is a request for an explanation.
type delegation struct {
	Namespace string `json:"namespace"`
	Dtab      string `json:"dtab"`
	Path      string `json:"path"`
}

// delegate explains how a name is bound.
func (x *exchange) delegate(namespace string) {
	q, ok := x.query()
	if !ok {
		return
	}
	switch x.r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodPost:
		if q, ok = x.posted(); !ok {
			return
		}
	default:
		x.out.Header().Set("Allow", "GET, HEAD, POST")
		x.fail(http.StatusMethodNotAllowed, "An explanation is asked for with GET or POST")
		return
	}
	if namespace == "" {
		namespace = q.Get("namespace")
	}
	local, err := parseLocal(q)
	if err != nil {
		x.fail(http.StatusBadRequest, err.Error())
		return
	}
	path, err := parsePath(q)
	if err != nil {
		x.fail(http.StatusBadRequest, err.Error())
		return
	}
	ctx, cancel := context.WithTimeout(x.ctx, x.h.opts.DelegateBudget)
	defer cancel()
	d, err := x.h.n.Delegate(ctx, namespace, local, path)
	switch {
	case err != nil && x.ctx.Err() != nil:
		x.ended()
		return
	case err != nil && ctx.Err() != nil:
		x.fail(http.StatusServiceUnavailable, "Request timed out.")
		return
	case err != nil:
		x.fail(http.StatusInternalServerError, err.Error())
		return
	}
	b, err := d.MarshalJSON()
	if err != nil {
		x.fail(http.StatusInternalServerError, err.Error())
		return
	}
	x.reply(typeJSON, string(bytes.TrimSuffix(b, []byte("\n"))))
}

// posted reads a request that was posted as parameters, or answers what is wrong with
// it.
func (x *exchange) posted() (url.Values, bool) {
	kind, _, _ := strings.Cut(x.r.Header.Get("Content-Type"), ";")
	if !strings.EqualFold(strings.TrimSpace(kind), string(mediaJSON)) {
		x.fail(http.StatusUnsupportedMediaType, "The content type has to be application/json")
		return nil, false
	}
	body, ok := x.body()
	if !ok {
		return nil, false
	}
	var d *delegation // stays nil for null, which is no request
	if err := json.Unmarshal(body, &d); err != nil {
		x.fail(http.StatusBadRequest, "Malformed delegation request: "+err.Error())
		return nil, false
	}
	if d == nil {
		x.fail(http.StatusBadRequest, "Malformed delegation request: null")
		return nil, false
	}
	q := url.Values{"namespace": {d.Namespace}, "dtab": {d.Dtab}}
	if d.Path != "" {
		q.Set("path", d.Path)
	}
	return q, true
}

package httpapi

import (
	"net/http"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

// bind shows what a name is bound to.
func (x *exchange) bind(namespace string) {
	q, ok := x.named()
	if !ok {
		return
	}
	x.show(x.h.docs.Observe(x.ctx, question{about: aboutBind, namespace: namespace, local: q.local.String(), path: q.path}), q.watch, typeNone)
}

// addr shows the endpoints of an id.
func (x *exchange) addr() {
	q, ok := x.query()
	if !ok {
		return
	}
	id, err := parsePath(q)
	if err != nil {
		x.fail(http.StatusBadRequest, err.Error())
		return
	}
	if x.watching(q) {
		x.stream(x.h.docs.Observe(x.ctx, question{about: aboutAddr, path: id}), typeNone)
		return
	}
	// Not as a document, of which there is also one of a failure.
	s, err := weft.Until(x.ctx, x.h.n.Addr(x.ctx, id), known)
	switch {
	case err != nil && s.Pending():
		x.ended()
	case !s.Known:
		x.fail(http.StatusInternalServerError, s.Err.Error())
	default:
		x.stale(s.Err)
		x.reply(typeNone, showJSON(newAddrJSON(s)))
	}
}

// boundNames shows the ids that namers can enumerate.
func (x *exchange) boundNames() {
	q, ok := x.query()
	if !ok {
		return
	}
	x.show(x.h.docs.Observe(x.ctx, question{about: aboutNames}), x.watching(q), typeJSON)
}

// show answers with what src is, when that is known, or with a stream of what it
// becomes.
func (x *exchange) show(src source, watch bool, contentType string) {
	if watch {
		x.stream(src, contentType)
		return
	}
	s, err := weft.Until(x.ctx, src, known)
	switch {
	case err != nil && s.Pending():
		x.ended()
	case !s.Known:
		x.fail(http.StatusInternalServerError, s.Err.Error())
	default:
		x.stale(s.Err)
		x.reply(contentType, s.Value.body)
	}
}

func known[T any](s naming.State[T]) bool { return !s.Pending() }

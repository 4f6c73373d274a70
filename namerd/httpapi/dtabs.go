package httpapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/naming"
)

// list shows the namespaces.
func (x *exchange) list() {
	q, ok := x.query()
	if !ok {
		return
	}
	if x.watching(q) {
		x.watchStore(question{about: aboutList}, typeJSON)
		return
	}
	ctx, cancel := x.storeTime()
	defer cancel()
	all, err := x.h.n.Store().List(ctx)
	if err != nil {
		all, ok = lastKnown(x, err, x.h.n.Store().Namespaces)
		if !ok {
			return
		}
	}
	x.reply(typeJSON, showList(all))
}

// dtab shows or changes the dtab of a namespace.
func (x *exchange) dtab(namespace string) {
	switch x.r.Method {
	case http.MethodGet, http.MethodHead:
		x.get(namespace)
	case http.MethodPost:
		x.ifOwn(func() { x.create(namespace) })
	case http.MethodPut:
		x.ifOwn(func() { x.put(namespace) })
	case http.MethodDelete:
		x.ifOwn(func() { x.delete(namespace) })
	default:
		x.nothing()
	}
}

// ifOwn calls f unless a browser says that a page of another origin made the request.
func (x *exchange) ifOwn(f func()) {
	if err := x.h.cross.Check(x.r); err != nil {
		x.fail(http.StatusForbidden, err.Error())
		return
	}
	f()
}

func (x *exchange) get(namespace string) {
	q, ok := x.query()
	if !ok {
		return
	}
	m := accepted(x.r.Header)
	if x.watching(q) {
		x.watchStore(question{about: aboutDtab, namespace: namespace, media: m}, string(m))
		return
	}
	ctx, cancel := x.storeTime()
	defer cancel()
	s, err := x.h.n.Store().Get(ctx, namespace)
	if err != nil {
		s, ok = lastKnown(x, err, func(ctx context.Context) weft.Source[naming.State[namerd.Stored]] { return x.h.n.Dtab(ctx, namespace) })
		if !ok {
			return
		}
	}
	if !s.Exists {
		x.failBare(http.StatusNotFound, "The dtab namespace "+namespace+" does not exist")
		return
	}
	x.setTag(s.Version)
	x.contentType(string(m))
	if x.r.Method == http.MethodHead {
		x.out.answer(http.StatusOK, "") // without a body it has no Content-Length, as in namerd 1.7.5
		return
	}
	x.out.answer(http.StatusOK, m.show(s.Dtab))
}

// setTag sets ETag, spelled as namerd 1.7.5 does.
func (x *exchange) setTag(v namerd.Version) { x.out.Header()["ETag"] = []string{tag(v)} }

// storeTime returns the context for asking the store for something.
func (x *exchange) storeTime() (context.Context, context.CancelFunc) {
	return context.WithTimeout(x.ctx, x.h.opts.StoreBudget)
}

// soon is how long something may take that is known already, or never will be.
const soon = time.Second

// lastKnown returns what was known before the store could not be asked because of
// err, or answers that it could not.
func lastKnown[T any](x *exchange, err error, observe func(context.Context) weft.Source[naming.State[T]]) (v T, ok bool) {
	switch {
	case x.ctx.Err() != nil:
		x.ended()
		return v, false
	case errors.Is(err, namerd.ErrForbidden):
		x.fail(http.StatusForbidden, err.Error())
		return v, false
	case errors.Is(err, namerd.ErrInvalid):
		x.fail(http.StatusBadRequest, err.Error())
		return v, false
	case isAnswer(err):
		x.fail(http.StatusInternalServerError, err.Error())
		return v, false
	}
	x.h.opts.Logger.WarnContext(x.ctx, "namerd: the store cannot be asked", "uri", x.r.RequestURI, "err", err)
	ctx, cancel := context.WithTimeout(x.ctx, soon)
	defer cancel()
	s, _ := weft.Until(ctx, observe(ctx), known)
	if !s.Known {
		x.fail(http.StatusServiceUnavailable, "The store cannot be asked: "+err.Error())
		return v, false
	}
	x.stale(err)
	return s.Value, true
}

// watchStore streams something of the store's. That it cannot be had is said with a
// status, if that is known in time.
func (x *exchange) watchStore(q question, contentType string) {
	src := x.h.docs.Observe(x.ctx, q)
	ctx, cancel := context.WithTimeout(x.ctx, soon)
	defer cancel()
	s, _ := weft.Until(ctx, src, known)
	switch {
	case s.Known || s.Err == nil:
		x.stream(src, contentType)
	case errors.Is(s.Err, namerd.ErrForbidden):
		x.fail(http.StatusForbidden, s.Err.Error())
	case errors.Is(s.Err, namerd.ErrInvalid):
		x.fail(http.StatusBadRequest, s.Err.Error())
	default:
		x.fail(http.StatusServiceUnavailable, s.Err.Error())
	}
}

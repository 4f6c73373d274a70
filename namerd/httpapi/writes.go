package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
)

// create makes a namespace.
func (x *exchange) create(namespace string) {
	m, ok := parseMedia(x.r.Header.Get("Content-Type"))
	if !ok {
		x.failBare(http.StatusBadRequest, badType(x.r.Header.Get("Content-Type")))
		return
	}
	body, ok := x.body()
	if !ok {
		return
	}
	d, err := m.parse(body)
	if errors.Is(err, errNullRule) {
		x.fail(http.StatusBadRequest, "The dtab contains invalid dentries: "+string(body))
		return
	}
	if err != nil {
		x.failBare(http.StatusBadRequest, err.Error())
		return
	}
	x.write(http.StatusInternalServerError, func(ctx context.Context, s namerd.Store, note namerd.Note) (namerd.Version, error) {
		return s.Create(ctx, namespace, d, note)
	})
}

// put makes a namespace or replaces its dtab, or replaces it if the condition holds.
func (x *exchange) put(namespace string) {
	m, ok := parseMedia(x.r.Header.Get("Content-Type"))
	if !ok {
		x.fail(http.StatusBadRequest, badType(x.r.Header.Get("Content-Type")))
		return
	}
	body, ok := x.body()
	if !ok {
		return
	}
	d, err := m.parse(body)
	if err != nil {
		if m == mediaJSON {
			x.failBare(http.StatusBadRequest, err.Error())
		} else {
			x.fail(http.StatusBadRequest, err.Error())
		}
		return
	}
	c := parseCondition(x.r.Header)
	if !c.given {
		x.write(http.StatusForbidden, func(ctx context.Context, s namerd.Store, note namerd.Note) (namerd.Version, error) {
			return s.Put(ctx, namespace, d, note)
		})
		return
	}
	x.write(http.StatusInternalServerError, func(ctx context.Context, s namerd.Store, note namerd.Note) (namerd.Version, error) {
		return update(ctx, s, namespace, d, c, note)
	})
}

// delete removes a namespace, if there is a condition only while it holds.
func (x *exchange) delete(namespace string) {
	c := parseCondition(x.r.Header)
	x.write(http.StatusInternalServerError, func(ctx context.Context, s namerd.Store, note namerd.Note) (namerd.Version, error) {
		if !c.given || c.any {
			return "", s.Delete(ctx, namespace, "", note)
		}
		return onVersion(ctx, s, namespace, c, func(v namerd.Version) (namerd.Version, error) {
			return "", s.Delete(ctx, namespace, v, note)
		})
	})
}

func badType(contentType string) string {
	return fmt.Sprintf(`Invalid Content-Type "%s". `, contentType)
}

// write makes a change and answers what came of it. It goes on when the client goes
// away: what was begun is either made or not. forbidden is the status if the store
// does not permit it.
func (x *exchange) write(forbidden int, change func(context.Context, namerd.Store, namerd.Note) (namerd.Version, error)) {
	note, err := parseNote(x.r.Header)
	if err != nil {
		x.fail(http.StatusBadRequest, err.Error())
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(x.ctx), x.h.opts.StoreBudget)
	defer cancel()
	v, err := change(ctx, x.h.n.Store(), note)
	status := http.StatusNoContent
	switch {
	case err == nil:
		if v != "" {
			x.setTag(v)
		}
		x.out.answer(status, "")
		return
	case errors.Is(err, namerd.ErrExists):
		status = http.StatusConflict
	case errors.Is(err, namerd.ErrMissing):
		status = http.StatusNotFound
	case errors.Is(err, namerd.ErrMismatch):
		status = http.StatusPreconditionFailed
	case errors.Is(err, namerd.ErrInvalid):
		status = http.StatusBadRequest
	case errors.Is(err, namerd.ErrTooLarge):
		status = http.StatusRequestEntityTooLarge
	case errors.Is(err, namerd.ErrForbidden):
		status = forbidden
	default:
		x.h.opts.Logger.WarnContext(x.ctx, "namerd: a write failed", "method", x.r.Method, "uri", x.r.RequestURI, "err", err)
		x.fail(http.StatusInternalServerError, "The store has failed, and the change may have been made or not: "+err.Error())
		return
	}
	x.fail(status, err.Error())
}

// update replaces a dtab while the condition holds.
func update(ctx context.Context, s namerd.Store, namespace string, d dtab.Dtab, c condition, note namerd.Note) (namerd.Version, error) {
	replace := func(v namerd.Version) (namerd.Version, error) { return s.Update(ctx, namespace, d, v, note) }
	for {
		v, err := onVersion(ctx, s, namespace, c, replace)
		if !c.any || !errors.Is(err, namerd.ErrMismatch) || ctx.Err() != nil {
			return v, err
		}
		// Somebody else was faster: any version will do, so this one too.
	}
}

// onVersion calls change with the version that meets the condition.
func onVersion(
	ctx context.Context, s namerd.Store, namespace string, c condition, change func(namerd.Version) (namerd.Version, error),
) (namerd.Version, error) {
	if len(c.versions) == 1 && !c.any {
		return change(c.versions[0])
	}
	if len(c.versions) == 0 && !c.any {
		return "", &namerd.Error{Is: namerd.ErrMismatch, Namespace: namespace, Detail: errNoVersion}
	}
	now, err := s.Get(ctx, namespace)
	switch {
	case err != nil:
		return "", err
	case !now.Exists:
		return "", &namerd.Error{Is: namerd.ErrMissing, Namespace: namespace}
	case !c.any && !slices.Contains(c.versions, now.Version):
		return "", &namerd.Error{Is: namerd.ErrMismatch, Namespace: namespace}
	}
	return change(now.Version)
}

var errNoVersion = errors.New("If-Match has to be what ETag was, which is base64")

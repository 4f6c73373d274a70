package httpapi

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/weft-mesh/weft/namerd"
)

// How many changes are shown if the request does not say, and at most.
const (
	someChanges = 100
	maxChanges  = 1000
)

// history shows the changes of a namespace.
func (x *exchange) history(namespace string) {
	q, ok := x.query()
	if !ok {
		return
	}
	limit := someChanges
	if q.Has("limit") {
		n, err := strconv.Atoi(q.Get("limit"))
		if err != nil || n < 1 {
			x.fail(http.StatusBadRequest, "Invalid limit: it has to be a number from 1 to "+strconv.Itoa(maxChanges))
			return
		}
		limit = min(n, maxChanges)
	}
	ctx, cancel := x.storeTime()
	defer cancel()
	all, err := x.h.n.Store().History(ctx, namespace, limit)
	switch {
	case err == nil:
		if all == nil {
			all = []namerd.Change{}
		}
		x.reply(typeJSON, showJSON(all))
	case x.ctx.Err() != nil:
		x.ended()
	case errors.Is(err, namerd.ErrForbidden):
		x.fail(http.StatusForbidden, err.Error())
	case errors.Is(err, namerd.ErrInvalid):
		x.fail(http.StatusBadRequest, err.Error())
	default:
		x.fail(http.StatusServiceUnavailable, "The store cannot be asked: "+err.Error())
	}
}

package httpapi

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/naming"
)

// documents are the answers to questions, kept up to date. What many clients watch is
// put into words once.
type documents struct {
	*naming.Shared[question, document]
	n *namerd.Namerd
}

func newDocuments(n *namerd.Namerd, l *slog.Logger) *documents {
	d := &documents{n: n}
	// What they are made of lingers in the Namerd, and the failures are what it says.
	d.Shared = naming.NewShared(naming.WatchFunc[question, document](d.watch), naming.SharedOptions{Linger: -1, Local: true, Logger: l})
	return d
}

// source is a document that changes.
type source = weft.Source[naming.State[document]]

func (d *documents) watch(ctx context.Context, q question, set func(naming.State[document])) error {
	switch q.about {
	case aboutList:
		return follow(ctx, d.n.Store().Namespaces(ctx), set, func(s naming.State[[]string]) naming.State[document] {
			return naming.MapState(s, func(all []string) document { return document{body: showList(all)} })
		})
	case aboutNames:
		return follow(ctx, d.n.BoundNames(ctx), set, func(s naming.State[[]dtab.Path]) naming.State[document] {
			return naming.MapState(s, func(all []dtab.Path) document { return document{body: showNames(all)} })
		})
	case aboutDtab:
		return d.watchDtab(ctx, q, set)
	case aboutAddr:
		return follow(ctx, d.n.Addr(ctx, q.path), set, addrDocument)
	case aboutBind:
		local, err := dtab.Parse(q.local)
		if err != nil {
			return err
		}
		return watchTree(ctx, d.n.Bind(ctx, q.namespace, local, q.path), set, func(r *reading) document {
			return document{body: showJSON(newTreeJSON(r.tree, r.addr))}
		})
	}
	return fmt.Errorf("httpapi: there are no documents about %q", q.about)
}

// follow reports what form makes of the values of src.
func follow[T any](
	ctx context.Context, src weft.Source[naming.State[T]], set func(naming.State[document]), form func(naming.State[T]) naming.State[document],
) error {
	for {
		s, stale := src.Load()
		if !s.Pending() {
			set(form(s))
		}
		if err := naming.Any(ctx, []<-chan struct{}{stale}); err != nil {
			return err
		}
	}
}

func (d *documents) watchDtab(ctx context.Context, q question, set func(naming.State[document])) error {
	return follow(ctx, d.n.Dtab(ctx, q.namespace), set, func(s naming.State[namerd.Stored]) naming.State[document] {
		return naming.MapState(s, func(s namerd.Stored) document {
			if !s.Exists {
				return document{absent: true}
			}
			return document{body: q.media.show(s.Dtab)}
		})
	})
}

// addrDocument is a document also of a failure: in a stream it may be followed by
// something better.
func addrDocument(s naming.State[weft.EndpointSet]) naming.State[document] {
	doc := naming.Ok(document{body: showJSON(newAddrJSON(s))})
	doc.Err = s.Err
	return doc
}

// showList returns the names in the order given.
func showList(all []string) string {
	if all == nil {
		all = []string{}
	}
	return showJSON(all)
}

func showNames(all []dtab.Path) string {
	text := make([]string, len(all))
	for i, p := range all {
		text[i] = p.String()
	}
	return showJSON(text)
}

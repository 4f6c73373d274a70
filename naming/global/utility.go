package global

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// utility answers for p, which begins with /$ and class.
func (n *Namer) utility(ctx context.Context, class string, p dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
	rest := p.Drop(2)
	if namer, ok := n.o.Classes[class]; ok {
		return namer.Lookup(ctx, rest)
	}
	switch class {
	case "com.twitter.finagle.namer.global":
		return n.Lookup(ctx, rest)
	case "io.buoyant.rinet":
		if rest.Len() < 2 {
			return naming.Answer(dtab.Tree[naming.Name]{})
		}
		return leaf(resolved(n.o.Inet, rest.Elem(1), rest.Elem(0), p, 4))
	case "io.buoyant.http.status":
		return status(p)
	case "io.buoyant.namer.zk.leader", "com.twitter.serverset":
		return naming.AnswerErr(fmt.Errorf("global: %s: %w", class, ErrNotBuilt))
	}
	rewrite := rewriter(class)
	if rewrite == nil {
		return naming.AnswerErr(&UnknownClassError{Class: class, Path: p})
	}
	to, ok, err := rewrite(rest)
	switch {
	case err != nil:
		return naming.AnswerErr(fmt.Errorf("global: %s: %w", class, err))
	case !ok:
		return naming.Answer(dtab.Tree[naming.Name]{})
	default:
		return leaf(naming.Name{Path: to})
	}
}

// status reads /$/io.buoyant.http.status/code, which is an endpoint that the
// adapter answers for by itself.
func status(p dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
	code, err := strconv.Atoi(p.Elem(2))
	if err != nil || code < http.StatusContinue || code > 599 {
		return naming.Answer(dtab.Tree[naming.Name]{})
	}
	// The number and not its spelling names the endpoint: 0401 answers as 401 does.
	local := "http.status/" + strconv.Itoa(code)
	set := weft.EndpointSet{Endpoints: []weft.Endpoint{{Addr: local, Local: local}}}
	return leaf(naming.Fixed(p.Take(3), p.Drop(3), set))
}

package rollout

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// Clients is a regular expression, in the syntax of RE2, of all of the label client
// of a proxy's metrics: the id that a name is bound to without its first slash, such
// as #/io.l5d.fs/world-v2.
type Clients string

// ClientsOf returns what matches the ids, also behind transformers of the proxies.
func ClientsOf(ids ...dtab.Path) Clients {
	texts := make([]string, 0, len(ids))
	for _, id := range ids {
		texts = append(texts, regexp.QuoteMeta(strings.TrimPrefix(id.String(), "/")))
	}
	return Clients("(?:%/.+/)?(?:" + strings.Join(texts, "|") + ")")
}

// compile returns the expression for the whole of a label.
func (c Clients) compile(branch string) (*regexp.Regexp, error) {
	if c == "" {
		return nil, fmt.Errorf("rollout: it is not said which clients are the %s branch", branch)
	}
	re, err := regexp.Compile("^(?:" + string(c) + ")$")
	if err != nil {
		return nil, fmt.Errorf("rollout: the clients of the %s branch: %w", branch, err)
	}
	return re, nil
}

// Binder binds names in a namespace. A client of a namerd is one.
type Binder interface {
	Bind(ctx context.Context, namespace string, local dtab.Dtab, p dtab.Path) (dtab.Tree[*naming.Bound], error)
}

// BranchClients asks what the branches of a plan are bound to, which is what the
// proxies call their clients. The error says so if one is bound to nothing by itself
// or both have a client in common, as then they cannot be told apart.
func BranchClients(ctx context.Context, b Binder, p Plan) (older, newer Clients, err error) {
	olds, err := bound(ctx, b, p.Namespace, p.Old)
	if err != nil {
		return "", "", err
	}
	news, err := bound(ctx, b, p.Namespace, p.New)
	if err != nil {
		return "", "", err
	}
	for _, id := range news {
		if slices.Contains(olds, id) {
			return "", "", fmt.Errorf("rollout: %s and %s are both bound to %s, so that what they do cannot be told apart", p.Old, p.New, id)
		}
	}
	return ClientsOf(olds...), ClientsOf(news...), nil
}

func bound(ctx context.Context, b Binder, namespace string, branch dtab.Path) ([]dtab.Path, error) {
	t, err := b.Bind(ctx, namespace, nil, branch)
	if err != nil {
		return nil, fmt.Errorf("rollout: binding %s in %s: %w", branch, namespace, err)
	}
	ids := leaves(nil, t)
	if len(ids) == 0 {
		return nil, fmt.Errorf("rollout: %s in %s: %w", branch, namespace, errUnbound)
	}
	return ids, nil
}

var errUnbound = errors.New("it is bound to nothing; if only longer names are, say which clients are the branch")

func leaves(ids []dtab.Path, t dtab.Tree[*naming.Bound]) []dtab.Path {
	if t.Op == dtab.Leaf && !slices.Contains(ids, t.Value.ID) {
		return append(ids, t.Value.ID)
	}
	for _, k := range t.Kids {
		ids = leaves(ids, k)
	}
	return ids
}

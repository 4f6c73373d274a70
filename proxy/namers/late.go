package namers

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// late is the interpreter of all namers without a dtab, for those that are made
// before it: the transformers of namers may ask other namers.
type late struct {
	in atomic.Pointer[naming.Default]
}

func (l *late) set(in *naming.Default) { l.in.Store(in) }

// Bind implements naming.Interpreter.
func (l *late) Bind(ctx context.Context, local dtab.Dtab, p dtab.Path) weft.Source[naming.State[dtab.Tree[*naming.Bound]]] {
	// A namer whose transformer asks the namer itself would go on for ever.
	depth, _ := ctx.Value(lateDepth{}).(int)
	in, err := l.in.Load(), errEarly
	if depth > maxLateDepth {
		in, err = nil, fmt.Errorf("namers: %s: the transformers of namers lead in a circle: %w", p, naming.ErrTooDeep)
	}
	if in == nil {
		return weft.Const[naming.State[dtab.Tree[*naming.Bound]]]{V: naming.Failed[dtab.Tree[*naming.Bound]](err)}
	}
	return in.Bind(context.WithValue(ctx, lateDepth{}, depth+1), local, p)
}

// lateDepth is the key of how many times late was asked to answer itself.
type lateDepth struct{}

const maxLateDepth = 20

// Delegate implements naming.Delegator.
func (l *late) Delegate(ctx context.Context, local dtab.Dtab, p dtab.Path) (naming.Delegation, error) {
	if in := l.in.Load(); in != nil {
		depth, _ := ctx.Value(lateDepth{}).(int)
		if depth > maxLateDepth {
			return naming.Delegation{}, naming.ErrTooDeep
		}
		return in.Delegate(context.WithValue(ctx, lateDepth{}, depth+1), local, p)
	}
	return naming.Delegation{}, errEarly
}

var errEarly = errors.New("namers: a name was asked for before the namers were made")

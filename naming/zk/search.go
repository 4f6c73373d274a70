package zk

import (
	"context"
	"fmt"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// nameAt is a name that is to be searched in an ensemble.
type nameAt struct {
	ensemble sessionKey
	name     dtab.Path
}

func (n nameAt) String() string { return n.name.String() }

// bound is how much of a name is bound.
type bound struct {
	elems int // -1 if nothing of it is
}

// String says it in the words of WatchStatus.
func (b bound) String() string {
	if b.elems < 0 {
		return "no such name"
	}
	return fmt.Sprintf("%d elements bound", b.elems)
}

// verdict is what there is at the beginning of a name.
type verdict int

const (
	shorter verdict = iota // nothing; less of the name may do
	this                   // what is bound
	nothing                // nothing, whatever less of it is
)

// searchPrefixes reports how much of a name is bound, until ctx ends. It observes
// less of the name only while there is nothing for more of it. A nil Source is a
// beginning that cannot be.
func searchPrefixes(
	ctx context.Context, name dtab.Path, set func(naming.State[bound]),
	observe func(context.Context, dtab.Path) (weft.Source[naming.State[verdict]], error),
) error {
	type candidate struct {
		verdict weft.Source[naming.State[verdict]]
		cancel  context.CancelFunc
	}
	open := make([]candidate, name.Len()+1)
	forget := func(below int) {
		for i, c := range open[:below] {
			if c.cancel != nil {
				c.cancel()
				open[i] = candidate{}
			}
		}
	}
	defer func() { forget(len(open)) }()
	var pub publisher[bound]
	for ctx.Err() == nil {
		answer := naming.Ok(bound{-1})
		var signals []<-chan struct{}
	search:
		for i := name.Len(); i >= 0; i-- {
			if open[i].cancel == nil {
				ctx, cancel := context.WithCancel(ctx)
				src, err := observe(ctx, name.Take(i))
				open[i] = candidate{src, cancel}
				if err != nil {
					answer = naming.Failed[bound](err)
					forget(i + 1) // it is as wrong the next time
					break search
				}
			}
			if open[i].verdict == nil {
				continue
			}
			s, stale := open[i].verdict.Load()
			signals = append(signals, stale)
			answer.Version = s.Version
			if answer.Err == nil {
				answer.Err = s.Err
			}
			switch {
			case !s.Known:
				answer = naming.State[bound]{Err: answer.Err}
			case s.Value == shorter:
				continue
			case s.Value == this:
				answer.Value.elems = i
			}
			forget(i)
			break
		}
		pub.publish(set, answer)
		_ = naming.Any(ctx, signals) // the loop looks at ctx
	}
	return nil
}

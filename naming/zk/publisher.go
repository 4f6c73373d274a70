package zk

import (
	"reflect"

	"github.com/weft-mesh/weft/naming"
)

// publisher publishes states that are made of other states: a value with an error
// that was published before is told as the error alone, as nothing was confirmed.
type publisher[T any] struct {
	last naming.State[T]
}

func (p *publisher[T]) publish(set func(naming.State[T]), s naming.State[T]) {
	same := p.last.Known && s.Known && reflect.DeepEqual(p.last.Value, s.Value)
	switch {
	case !s.Known:
		set(s)
		return
	case same && s.Err != nil:
		set(naming.Failed[T](s.Err))
	default:
		set(s)
	}
	p.last = s
}

package http1

import "sync"

// Spares is memory that exchanges need and idle connections do not. The pools of many
// endpoints share one, so that what they hold grows with the requests under way and not
// with the endpoints. The zero value is ready for use, by any number of goroutines; it
// must not be copied.
type Spares struct {
	turns   sync.Pool // of *turn
	buffers sync.Pool // of *[uploadBuffer]byte, to copy bodies with
}

// turn returns a turn of p.
func (s *Spares) turn(p *Pool) *turn {
	t, _ := s.turns.Get().(*turn)
	if t == nil {
		return newTurn(p)
	}
	if t.pool != p {
		t.pool, t.lim = p, p.lim
	}
	return t
}

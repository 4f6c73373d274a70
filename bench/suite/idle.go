package suite

import (
	"context"
	"fmt"
	"time"

	"github.com/weft-mesh/weft/bench/contender"
	"github.com/weft-mesh/weft/bench/load"
	"github.com/weft-mesh/weft/bench/report"
)

// settle is how long a process is left alone before its memory is read.
const settle = time.Second

// idle measures what the memory of each contender grows by when callers keep
// connections open. Each round has a process of its own, because memory that has been
// used once is not given back.
func (s *Suite) idle(ctx context.Context) error {
	name := fmt.Sprintf("%d connections", s.IdleConns)
	for round := range s.Rounds {
		for _, c := range s.present(contender.H1) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			a, err := s.open(ctx, contender.H1, []contender.Contender{c}, func(who, why string) {
				s.report.Miss(Idle, name, who, why)
			})
			if err != nil {
				return err
			}
			if len(a.entrants) == 1 {
				e := a.entrants[0]
				err = a.turn(e, func() error { return s.perIdle(ctx, name, e, round) })
				if err != nil {
					s.logf("idle: %s: %v", c.Name, err)
					s.report.Miss(Idle, name, c.Name, firstLine(err.Error()))
				}
			}
			a.close()
		}
	}
	return nil
}

func (s *Suite) perIdle(ctx context.Context, name string, e *entrant, round int) error {
	// What the first connections make is not what the next ones cost.
	warm, err := load.OpenIdle(ctx, e.site.Address(false), 100)
	if err != nil {
		return err
	}
	defer func() { _, _ = warm.Close() }()
	time.Sleep(settle)
	before, err := e.process.Usage()
	if err != nil {
		return err
	}
	idle, err := load.OpenIdle(ctx, e.site.Address(false), s.IdleConns)
	if err != nil {
		return err
	}
	time.Sleep(settle)
	after, err := e.process.Usage()
	alive, _ := idle.Close()
	if err != nil {
		return err
	}
	kb := float64(after.RSS-before.RSS) / 1000 / float64(s.IdleConns)
	s.report.Add(Idle, name, e.Name, map[string]float64{report.PerIdle: kb, report.Errors: float64(s.IdleConns - alive), report.RSS: float64(after.RSS) / 1e6})
	s.logf("idle, round %d: %-12s %6.2f kB per connection, %d of %d alive", round+1, e.Name, kb, alive, s.IdleConns)
	return nil
}

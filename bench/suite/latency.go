package suite

import (
	"context"
	"fmt"
	"math"
	"net/netip"
	"time"

	"github.com/weft-mesh/weft/bench/contender"
	"github.com/weft-mesh/weft/bench/load"
	"github.com/weft-mesh/weft/bench/report"
)

const (
	latencyConns = 64
	// headroom is the part of what a contender can do up to which it is measured:
	// beyond it the queue grows for as long as one measures.
	headroom = 0.85
)

// fixed is a rate that everybody is measured at.
type fixed struct {
	name string
	rate float64
}

// latency measures latencies at fixed rates: parts of what the slowest contender can
// do, and half of what nginx can.
func (s *Suite) latency(ctx context.Context) error {
	missing := map[string]string{}
	a, err := s.open(ctx, contender.H1, s.present(contender.H1), func(name, why string) { missing[name] = why })
	if err != nil {
		return err
	}
	defer a.close()
	can, err := s.saturate(ctx, a)
	if err != nil {
		return err
	}
	for _, f := range s.rates(can) {
		for name, why := range missing {
			s.report.Miss(Latency, f.name, name, why)
		}
	}
	for round := range s.Rounds {
		for _, f := range s.rates(can) {
			for _, e := range a.entrants {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				if f.rate > headroom*can[e.Name] {
					s.report.Miss(Latency, f.name, e.Name, fmt.Sprintf("the rate is too close to the %.0f requests per second that it can do", can[e.Name]))
					continue
				}
				err := a.turn(e, func() error { return s.atRate(ctx, f, e, round) })
				if err != nil {
					s.report.Miss(Latency, f.name, e.Name, firstLine(err.Error()))
				}
			}
		}
	}
	return nil
}

// saturate finds out what each contender can do.
func (s *Suite) saturate(ctx context.Context, a *arena) (map[string]float64, error) {
	can := map[string]float64{}
	for _, e := range a.entrants {
		err := a.turn(e, func() error {
			for _, d := range []time.Duration{time.Second, max(s.Time, time.Second)} { // the first warms up
				r, err := load.Wrk{URL: "http://" + e.site.Address(false) + "/", Conns: latencyConns, Time: d}.Run(ctx)
				if err != nil {
					return err
				}
				can[e.Name] = r.Rate()
				if s.Quick {
					break
				}
			}
			s.logf("latency: %s can do %.0f requests/s", e.Name, can[e.Name])
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return can, nil
}

func (s *Suite) rates(can map[string]float64) []fixed {
	slowest := math.Inf(1)
	for _, r := range can {
		slowest = min(slowest, r)
	}
	var all []fixed
	for _, percent := range []float64{25, 50, 75} {
		if s.Quick && percent != 50 {
			continue
		}
		rate := rounded(slowest * percent / 100)
		all = append(all, fixed{fmt.Sprintf("%.0f %% of the slowest: %.0f/s", percent, rate), rate})
	}
	if nginx, ok := can[contender.Nginx]; ok && !s.Quick {
		rate := rounded(nginx / 2)
		all = append(all, fixed{fmt.Sprintf("50 %% of nginx: %.0f/s", rate), rate})
	}
	return all
}

// rounded rounds a rate to hundreds, so that it can be talked about.
func rounded(rate float64) float64 { return max(math.Round(rate/100)*100, 100) }

func (s *Suite) atRate(ctx context.Context, f fixed, e *entrant, round int) error {
	addr, err := netip.ParseAddrPort(e.site.Address(false))
	if err != nil {
		return err
	}
	before, err := e.process.Usage()
	if err != nil {
		return err
	}
	skip := 500 * time.Millisecond
	r, err := load.OpenLoop{Addr: addr, Rate: f.rate, Conns: latencyConns, Time: max(s.Time, time.Second), Skip: skip}.Run(ctx)
	if err != nil {
		return err
	}
	after, err := e.process.Usage()
	if err != nil {
		return err
	}
	sent := f.rate * (r.Elapsed + skip).Seconds()
	values := map[string]float64{
		report.P50: micros(r.Latency.P50), report.P99: micros(r.Latency.P99), report.P999: micros(r.Latency.P999),
		report.Errors: float64(r.Errors), report.Rate: r.Rate(), report.CPU: micros(after.CPU-before.CPU) / sent,
	}
	s.report.Add(Latency, f.name, e.Name, values)
	s.logf("latency, %s, round %d: %-12s p50 %6.0f p99 %6.0f p99.9 %6.0f µs, %.2f µs CPU/request, %d errors",
		f.name, round+1, e.Name, values[report.P50], values[report.P99], values[report.P999], values[report.CPU], r.Errors)
	return nil
}

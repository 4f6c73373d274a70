package suite

import (
	"context"
	"fmt"
	"time"

	"github.com/weft-mesh/weft/bench/contender"
	"github.com/weft-mesh/weft/bench/load"
	"github.com/weft-mesh/weft/bench/report"
)

// cell is one kind of load.
type cell struct {
	section, name string
	family        contender.Family
	quick         bool // it is part of a quick run
	run           func(ctx context.Context, site contender.Site, d time.Duration) (load.Result, error)
}

// cells returns those of the closed loops.
func cells() []cell {
	return []cell{
		h1("1 × 12 B", 1, 0, false, true),
		h1("32 × 12 B", 32, 0, false, true),
		h1("256 × 12 B", 256, 0, false, false),
		h1("2,000 × 12 B", 2000, 0, false, true),
		h1("32 × 10 KB", 32, 10<<10, false, true),
		h1("32 × 1 MB", 32, 1<<20, false, true),
		h1("TLS 32 × 12 B", 32, 0, true, true),
		h1("TLS 32 × 10 KB", 32, 10<<10, true, false),
		h2("1 × 1", 1, 1, false, true),
		h2("8 × 16", 8, 16, false, true),
		h2("32 × 8", 32, 8, false, false),
		h2("TLS 8 × 16", 8, 16, true, false),
		grpcCell("unary 8 × 16", load.Unary, true),
		grpcCell("ping-pong 8 × 16", load.PingPong, true),
		grpcCell("download 8 × 16", load.Download, false),
	}
}

func h1(name string, conns, body int, secure, quick bool) cell {
	path := "/"
	if body > 0 {
		path = fmt.Sprintf("/%d", body)
	}
	return cell{H1, name, contender.H1, quick, func(ctx context.Context, s contender.Site, d time.Duration) (load.Result, error) {
		return load.Wrk{URL: scheme(secure) + s.Address(secure) + path, Conns: conns, Time: d}.Run(ctx)
	}}
}

func h2(name string, conns, streams int, secure, quick bool) cell {
	return cell{H2, name, contender.H2, quick, func(ctx context.Context, s contender.Site, d time.Duration) (load.Result, error) {
		return load.H2Load{URL: scheme(secure) + s.Address(secure) + "/", Conns: conns, Streams: streams, Time: d}.Run(ctx)
	}}
}

func grpcCell(name string, p load.Pattern, quick bool) cell {
	return cell{GRPC, name, contender.GRPC, quick, func(ctx context.Context, s contender.Site, d time.Duration) (load.Result, error) {
		return load.GRPC{Addr: s.Address(false), Conns: 8, Callers: 16, Pattern: p, Time: d}.Run(ctx)
	}}
}

func scheme(secure bool) string {
	if secure {
		return "https://"
	}
	return "http://"
}

// cell measures a cell: fresh processes, then round after round one contender after
// the other, so that whatever disturbs the machine disturbs all of them alike.
func (s *Suite) cell(ctx context.Context, c cell) error {
	a, err := s.open(ctx, c.family, s.present(c.family), func(name, why string) {
		s.report.Miss(c.section, c.name, name, why)
	})
	if err != nil {
		return err
	}
	defer a.close()
	if !s.Quick {
		for _, e := range a.entrants {
			_ = a.turn(e, func() error { _, err := c.run(ctx, e.site, time.Second); return err })
		}
	}
	for round := range s.Rounds {
		for _, e := range a.entrants {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			err := a.turn(e, func() error { return s.measure(ctx, c, e, round) })
			if err != nil {
				s.logf("%s, %s: %s: %v", c.section, c.name, e.Name, err)
				s.report.Miss(c.section, c.name, e.Name, firstLine(err.Error()))
			}
		}
	}
	return nil
}

// measure loads a contender and adds what it used to the report.
func (s *Suite) measure(ctx context.Context, c cell, e *entrant, round int) error {
	before, err := e.process.Usage()
	if err != nil {
		return err
	}
	r, err := c.run(ctx, e.site, s.Time)
	if err != nil {
		return err
	}
	after, err := e.process.Usage()
	if err != nil {
		return err
	}
	cpu := micros(after.CPU-before.CPU) / float64(r.Requests)
	values := map[string]float64{
		report.CPU: cpu, report.Rate: r.Rate(), report.Errors: float64(r.Errors), report.RSS: float64(after.RSS) / 1e6,
	}
	if r.Latency.P99 > 0 {
		values[report.P50], values[report.P99] = micros(r.Latency.P50), micros(r.Latency.P99)
	}
	s.report.Add(c.section, c.name, e.Name, values)
	s.logf("%s, %s, round %d: %-12s %8.2f µs/request %9.0f requests/s %6.1f MB %d errors",
		c.section, c.name, round+1, e.Name, cpu, r.Rate(), float64(after.RSS)/1e6, r.Errors)
	return nil
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

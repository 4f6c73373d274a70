package suite

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/weft-mesh/weft/bench/contender"
	"github.com/weft-mesh/weft/bench/report"
)

// The sections of a run, in their order.
const (
	H1        = "h1"
	H2        = "h2"
	GRPC      = "grpc"
	Latency   = "latency"
	Idle      = "idle"
	InProcess = "inprocess"
)

// Sections returns all of them.
func Sections() []string { return []string{H1, H2, GRPC, Latency, Idle, InProcess} }

// Options say what to measure. All fields except Only and Contenders are needed.
type Options struct {
	Rounds     int
	Time       time.Duration // of each measurement
	Quick      bool          // fewer cells, no warming up: figures that say only that it works
	Only       []string      // sections; none: all
	Contenders []string      // names; none: all
	IdleConns  int
	Repository string // root directory of weft
	Weft       string // binary of weft; "" builds it from Repository
	Cache      contender.Cache
	Dir        string    // for files of the run
	Log        io.Writer // progress
}

// Suite is one run. Not safe for concurrent use.
type Suite struct {
	Options
	report *report.Report
	cert   certificate
	broken map[string]string // contenders that did not start, by family and name, and why
}

// Run measures and fills r. It goes on when a contender or a section fails, and says
// so in r.
func Run(ctx context.Context, o Options, r *report.Report) error {
	s := &Suite{Options: o, report: r, broken: map[string]string{}}
	if err := s.build(ctx); err != nil {
		return err
	}
	var err error
	if s.cert, err = newCertificate(o.Dir); err != nil {
		return err
	}
	s.enter(ctx)
	for _, section := range Sections() {
		if len(s.Only) > 0 && !slices.Contains(s.Only, section) {
			continue
		}
		err := s.section(ctx, section)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			s.logf("%s: %v", section, err)
			r.Notes = append(r.Notes, fmt.Sprintf("The section %s is incomplete: %v", section, err))
		}
	}
	return nil
}

func (s *Suite) section(ctx context.Context, name string) error {
	switch name {
	case Latency:
		return s.latency(ctx)
	case Idle:
		return s.idle(ctx)
	case InProcess:
		return s.inProcess(ctx)
	default:
		for _, c := range cells() {
			if c.section != name || s.Quick && !c.quick {
				continue
			}
			if err := s.cell(ctx, c); err != nil {
				return err
			}
		}
		return nil
	}
}

// build builds weft and the programs of this module.
func (s *Suite) build(ctx context.Context) error {
	s.logf("building weft and the programs of bench/ into %s", s.Cache)
	if s.Weft != "" {
		if err := s.Cache.Take(s.Weft, "weft"); err != nil {
			return err
		}
	} else if err := s.Cache.Build(ctx, s.Repository, "./cmd/weft", "weft"); err != nil {
		return err
	}
	for _, program := range []string{"upstream", "grpcupstream", "reverseproxy", "fasthttpproxy"} {
		if err := s.Cache.Build(ctx, filepath.Join(s.Repository, "bench"), "./program/"+program, program); err != nil {
			return err
		}
	}
	return nil
}

// enter lists the contenders in the report, the missing ones as missing.
func (s *Suite) enter(ctx context.Context) {
	for _, c := range contender.All() {
		e := report.Entrant{Name: c.Name}
		if _, err := c.Binary(s.Cache); err != nil {
			e.Missing = "not installed: " + c.Get
		} else if !s.wanted(c.Name) {
			e.Missing = "not asked for"
		} else {
			e.Version = c.Version(ctx, s.Cache)
		}
		if c.Name == contender.Weft && s.Weft == "" {
			e.Version = revision(ctx, s.Repository) + ", " + e.Version
		}
		s.report.Entrants = append(s.report.Entrants, e)
	}
}

// revision names the commit that is checked out in dir, and tells whether it was changed.
func revision(ctx context.Context, dir string) string {
	out, err := exec.CommandContext(ctx, "git", "-C", dir, "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*").Output()
	if err != nil {
		return "unknown commit"
	}
	return strings.TrimSpace(string(out))
}

func (s *Suite) wanted(name string) bool {
	return len(s.Contenders) == 0 || slices.Contains(s.Contenders, name)
}

// present are the contenders that can carry a family here.
func (s *Suite) present(f contender.Family) []contender.Contender {
	var all []contender.Contender
	for _, c := range contender.All() {
		if _, err := c.Binary(s.Cache); err == nil && c.Speaks(f) && s.wanted(c.Name) {
			all = append(all, c)
		}
	}
	return all
}

func (s *Suite) logf(format string, args ...any) {
	fmt.Fprintf(s.Log, time.Now().Format("15:04:05 ")+format+"\n", args...)
}

package suite

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/weft-mesh/weft/bench/report"
)

// benchmark is the one that compares a client over weft with one over net/http.
const (
	benchmark    = "BenchmarkRoundTrip"
	benchPackage = "./transport/meshhttp"
	benchOps     = 50000
)

// inProcess runs the benchmark of package meshhttp: a client over weft in the same
// process against one over a plain http.Transport. CPU is that of the whole process,
// the server in it included, over a fixed number of requests.
func (s *Suite) inProcess(ctx context.Context) error {
	bin := filepath.Join(s.Dir, "meshhttp.test")
	cmd := exec.CommandContext(ctx, "go", "test", "-c", "-o", bin, benchPackage)
	cmd.Dir = s.Repository
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil { // a run without this section is still one
		s.report.Notes = append(s.report.Notes, "In-process: the tests of "+benchPackage+" do not compile: "+lastLine(string(out)))
		return nil //nolint:nilerr // it is in the report
	}
	names, err := s.benchNames(ctx, bin)
	if err != nil {
		return err
	}
	ops := benchOps
	if s.Quick {
		ops /= 5
	}
	for round := range s.Rounds {
		for _, name := range names {
			if err := s.inProcessRound(ctx, bin, name, ops, round); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Suite) inProcessRound(ctx context.Context, bin, name string, ops, round int) error {
	idle, _, err := s.bench(ctx, bin, name, 1)
	if err != nil {
		return err
	}
	busy, lines, err := s.bench(ctx, bin, name, ops)
	if err != nil {
		return err
	}
	_, entrant, _ := strings.Cut(name, "/")
	values := map[string]float64{report.CPU: micros(busy-idle) / float64(ops), report.Errors: 0}
	for _, l := range lines {
		for unit, metric := range map[string]string{"ns/op": report.WallNanos, "allocs/op": report.Allocs, "B/op": report.Bytes} {
			if v, ok := l.values[unit]; ok {
				values[metric] = v
			}
		}
	}
	s.report.Add(InProcess, "12 B", entrant, values)
	s.logf("inprocess, round %d: %-12s %8.2f µs/request %v allocations", round+1, entrant, values[report.CPU], values[report.Allocs])
	return nil
}

// benchNames returns the parts of the benchmark.
func (s *Suite) benchNames(ctx context.Context, bin string) ([]string, error) {
	_, lines, err := s.bench(ctx, bin, benchmark, 1)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, l := range lines {
		names = append(names, l.name)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s has no %s", benchPackage, benchmark)
	}
	return names, nil
}

// bench runs one part of the benchmark and returns the CPU time that the process used.
func (s *Suite) bench(ctx context.Context, bin, name string, ops int) (time.Duration, []benchLine, error) {
	top, sub, _ := strings.Cut(name, "/")
	pattern := "^" + top + "$"
	if sub != "" {
		pattern += "/^" + sub + "$"
	}
	cmd := exec.CommandContext(ctx, bin, "-test.run=^$", "-test.bench="+pattern, "-test.benchmem", "-test.benchtime="+strconv.Itoa(ops)+"x")
	cmd.Dir = filepath.Join(s.Repository, benchPackage)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return 0, nil, fmt.Errorf("%s: %w: %s", name, err, lastLine(string(out)))
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), parseBench(string(out)), nil
}

// benchLine is a line of a benchmark's output.
type benchLine struct {
	name   string // without the number of processors
	values map[string]float64
}

// parseBench reads the output of go test -bench.
func parseBench(out string) []benchLine {
	var all []benchLine
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		if len(f) < 4 || !strings.HasPrefix(f[0], "Benchmark") {
			continue
		}
		l := benchLine{name: f[0], values: map[string]float64{}}
		if i := strings.LastIndexByte(f[0], '-'); i > 0 {
			if _, err := strconv.Atoi(f[0][i+1:]); err == nil {
				l.name = f[0][:i]
			}
		}
		for i := 2; i+1 < len(f); i += 2 {
			if v, err := strconv.ParseFloat(f[i], 64); err == nil {
				l.values[f[i+1]] = v
			}
		}
		all = append(all, l)
	}
	return all
}

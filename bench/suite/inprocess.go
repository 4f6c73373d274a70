package suite

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/weft-mesh/weft/bench/report"
)

// The benchmark that compares a client over weft with one over net/http.
const (
	benchmark    = "BenchmarkClient"
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
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("the tests of %s do not compile: %w: %s", benchPackage, err, lastLine(string(out)))
	}
	ops := benchOps
	if s.Quick {
		ops /= 5
	}
	for round := range s.Rounds {
		cmd := exec.CommandContext(ctx, bin, "-test.run=^$", "-test.bench=^"+benchmark+"$", "-test.benchmem", "-test.benchtime="+strconv.Itoa(ops)+"x")
		cmd.Dir = filepath.Join(s.Repository, benchPackage)
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s: %w: %s", benchmark, err, lastLine(string(out)))
		}
		lines := parseBench(string(out))
		if len(lines) == 0 {
			return fmt.Errorf("%s has no %s", benchPackage, benchmark)
		}
		for _, l := range lines {
			s.inProcessLine(l, round)
		}
	}
	return nil
}

func (s *Suite) inProcessLine(l benchLine, round int) {
	_, name, _ := strings.Cut(l.name, "/")
	name = strings.ReplaceAll(name, "_", " ")
	values := map[string]float64{report.Errors: 0}
	for unit, metric := range map[string]string{"ns/op": report.WallNanos, "allocs/op": report.Allocs, "B/op": report.Bytes} {
		if v, ok := l.values[unit]; ok {
			values[metric] = v
		}
	}
	if v, ok := l.values["cpu-ns/op"]; ok {
		values[report.CPU] = v / 1000
	}
	s.report.Add(InProcess, "12 B", name, values)
	s.logf("inprocess, round %d: %-16s %8.2f µs/request %v allocations", round+1, name, values[report.CPU], values[report.Allocs])
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

package archtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/weft-mesh/weft"

// row is one line of the floor table.
type row struct {
	floor   int
	pattern string   // package path relative to the module, "." or "x/..."
	beside  []string // patterns of the same floor that it may import
}

// internals lists the internal packages that code other than tests may import,
// with the importers that may.
func internals() map[string][]string {
	return map[string][]string{
		"internal/inorder": {"telemetry", "telemetry/prom", "telemetry/influx"},
		"internal/signals": {"naming", "transport"},
		"internal/rawio":   {"transport/http1", "transport/http2", "transport/meshhttp"},
	}
}

func TestImportsGoDownwardsOnly(t *testing.T) {
	table := readTable(t, "../../ARCHITECTURE.md")
	require.NotEmpty(t, table)
	pkgs := listPackages(t)
	require.Greater(t, len(pkgs), 5)
	for _, p := range pkgs {
		for _, problem := range check(table, internals(), p.rel(), p.imports()) {
			t.Error(problem)
		}
	}
}

func TestEveryRowNamesAPackage(t *testing.T) {
	pkgs := listPackages(t)
	for _, r := range readTable(t, "../../ARCHITECTURE.md") {
		found := false
		for _, p := range pkgs {
			found = found || matches(r.pattern, p.rel())
		}
		assert.True(t, found, "ARCHITECTURE.md lists %q, which does not exist", r.pattern)
	}
}

func TestCheckFindsForbiddenArrows(t *testing.T) {
	table := []row{{0, "dtab", nil}, {1, "naming", nil}, {1, "retry", nil}, {3, "naming/...", nil}, {4, "proxy", []string{"proxy/config"}}, {4, "proxy/config", nil}, {6, "internal/...", nil}}
	assert.Empty(t, check(table, nil, "naming", []string{"dtab"}))
	assert.Empty(t, check(table, nil, "proxy", []string{"proxy/config", "naming/fs"}))
	assert.Len(t, check(table, nil, "dtab", []string{"naming"}), 1, "upwards")
	assert.Len(t, check(table, nil, "naming", []string{"retry"}), 1, "sideways")
	assert.Len(t, check(table, nil, "naming/fs", []string{"naming/inet"}), 1, "sideways within a family")
	assert.Len(t, check(table, nil, "attic", nil), 1, "not in the table")
	assert.Len(t, check(table, nil, "naming", []string{"internal/x"}), 1, "internal without permission")
	assert.Empty(t, check(table, map[string][]string{"internal/x": {"naming"}}, "naming", []string{"internal/x"}))
}

// check returns what is wrong with the imports of package pkg.
func check(table []row, internals map[string][]string, pkg string, imports []string) []string {
	from, ok := find(table, pkg)
	if !ok {
		return []string{fmt.Sprintf("package %s is not in the floor table of ARCHITECTURE.md", pkg)}
	}
	var problems []string
	for _, imp := range imports {
		to, ok := find(table, imp)
		switch {
		case !ok:
			problems = append(problems, fmt.Sprintf("%s imports %s, which is not in the floor table", pkg, imp))
		case strings.HasPrefix(imp, "internal/"):
			if !strings.HasPrefix(pkg, "internal/") && !anyMatches(internals[imp], pkg) {
				problems = append(problems, fmt.Sprintf("%s imports %s outside tests", pkg, imp))
			}
		case to.floor < from.floor:
		case to.floor == from.floor && anyMatches(from.beside, imp):
		default:
			problems = append(problems, fmt.Sprintf("%s (floor %d) imports %s (floor %d)", pkg, from.floor, imp, to.floor))
		}
	}
	return problems
}

// find returns the most specific row for pkg.
func find(table []row, pkg string) (row, bool) {
	best, ok := row{}, false
	for _, r := range table {
		if matches(r.pattern, pkg) && (!ok || len(r.pattern) > len(best.pattern) || r.pattern == pkg) {
			best, ok = r, true
			if r.pattern == pkg {
				break
			}
		}
	}
	return best, ok
}

func matches(pattern, pkg string) bool {
	if base, ok := strings.CutSuffix(pattern, "/..."); ok {
		return strings.HasPrefix(pkg, base+"/")
	}
	return pattern == pkg
}

func anyMatches(patterns []string, pkg string) bool {
	for _, p := range patterns {
		if matches(p, pkg) {
			return true
		}
	}
	return false
}

func readTable(t *testing.T, file string) []row {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(text), "<!-- floors:")
	require.True(t, ok, "no floor table in %s", file)
	rest, _, ok = strings.Cut(rest, "<!-- end of floors -->")
	require.True(t, ok)
	var table []row
	for line := range strings.SplitSeq(rest, "\n") {
		cells := strings.Split(line, "|")
		if len(cells) != 6 {
			continue
		}
		floor, err := strconv.Atoi(strings.TrimSpace(cells[1]))
		if err != nil {
			continue // the heading
		}
		r := row{floor: floor, pattern: strings.TrimSpace(cells[2])}
		for b := range strings.SplitSeq(cells[4], ",") {
			if b = strings.TrimSpace(b); b != "" {
				r.beside = append(r.beside, b)
			}
		}
		table = append(table, r)
	}
	return table
}

type goPackage struct {
	ImportPath string
	Imports    []string
}

func (p goPackage) rel() string { return rel(p.ImportPath) }

func (p goPackage) imports() []string {
	var in []string
	for _, i := range p.Imports {
		if i == module || strings.HasPrefix(i, module+"/") || strings.HasPrefix(i, module+" ") {
			in = append(in, rel(i))
		}
	}
	return in
}

func rel(path string) string {
	// Of a program that is built with a profile, go list names the package it is built
	// for beside each.
	path, _, _ = strings.Cut(path, " ")
	if path == module {
		return "."
	}
	return strings.TrimPrefix(path, module+"/")
}

func listPackages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	require.NoError(t, err)
	var pkgs []goPackage
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p goPackage
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return pkgs
		}
		require.NoError(t, err)
		pkgs = append(pkgs, p)
	}
}

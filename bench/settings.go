package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weft-mesh/weft/bench/contender"
	"github.com/weft-mesh/weft/bench/suite"
)

// settings are what the environment asks for.
type settings struct {
	options  suite.Options
	command  string // that gives the same settings
	out      string // directory for performance.{md,svg,json}
	baseline string // a performance.json to compare with
}

func (s *settings) file(ext string) string { return filepath.Join(s.out, "performance."+ext) }

// The variables that decide what is measured, in the order of the command.
func variables() []string {
	return []string{"WEFT", "QUICK", "ONLY", "CONTENDERS", "ROUNDS", "SECS", "IDLE"}
}

// settingsFrom reads the environment. A run of everything goes into docs/; any other
// would spoil what is published there and goes into the cache, unless OUT says where.
func settingsFrom(getenv func(string) string) (settings, error) {
	root, err := repository()
	if err != nil {
		return settings{}, err
	}
	cache := getenv("WEFT_BENCH_CACHE")
	if cache == "" {
		home, err := os.UserCacheDir()
		if err != nil {
			return settings{}, err
		}
		cache = filepath.Join(home, "weft-bench")
	}
	if cache, err = filepath.Abs(cache); err != nil {
		return settings{}, err
	}
	s := settings{command: "make bench-wire", out: filepath.Join(root, "docs"), baseline: getenv("BASELINE")}
	s.options = suite.Options{
		Rounds: 3, Time: 3 * time.Second, IdleConns: 10000, Repository: root, Cache: contender.Cache(cache),
		Quick: on(getenv("QUICK")), Weft: getenv("WEFT"), Only: list(getenv("ONLY")), Contenders: list(getenv("CONTENDERS")),
	}
	if s.options.Quick {
		s.options.Rounds, s.options.Time, s.options.IdleConns = 1, time.Second, 1000
	}
	for _, v := range variables() {
		if value := getenv(v); value != "" {
			s.command += " " + v + "=" + strconv.Quote(value)
			s.out = filepath.Join(cache, "last")
		}
	}
	if out := getenv("OUT"); out != "" {
		if s.out, err = filepath.Abs(out); err != nil {
			return settings{}, err
		}
	}
	return s, s.refine(getenv)
}

// refine reads the numbers and checks the names.
func (s *settings) refine(getenv func(string) string) error {
	o := &s.options
	secs := o.Time.Seconds()
	for _, n := range []struct {
		name string
		to   *int
	}{{"ROUNDS", &o.Rounds}, {"IDLE", &o.IdleConns}} {
		if v := getenv(n.name); v != "" {
			k, err := strconv.Atoi(v)
			if err != nil || k < 1 {
				return fmt.Errorf("%s=%q: want a number of at least 1", n.name, v)
			}
			*n.to = k
		}
	}
	if v := getenv("SECS"); v != "" {
		var err error
		if secs, err = strconv.ParseFloat(v, 64); err != nil || secs < 1 {
			return fmt.Errorf("SECS=%q: want seconds, at least 1", v)
		}
	}
	o.Time = time.Duration(secs * float64(time.Second))
	for _, name := range o.Only {
		if !slices.Contains(suite.Sections(), name) {
			return fmt.Errorf("ONLY: there is no %q: want some of %s", name, strings.Join(suite.Sections(), ","))
		}
	}
	var known []string
	for _, c := range contender.All() {
		known = append(known, c.Name)
	}
	for _, name := range o.Contenders {
		if !slices.Contains(known, name) {
			return fmt.Errorf("CONTENDERS: there is no %q: want some of %s", name, strings.Join(known, ","))
		}
	}
	return nil
}

// repository returns the root directory of weft: the parent of this module's.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if _, err := os.Stat(filepath.Join(d, "bench", "go.mod")); err == nil {
			return d, nil
		}
	}
	return "", fmt.Errorf("%s is neither the root of weft's repository nor its bench directory", dir)
}

func on(v string) bool { return v != "" && v != "0" && v != "false" }

func list(v string) []string {
	return strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ' ' })
}

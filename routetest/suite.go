package routetest

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/proxy/config"
)

// Suite is a file of tests.
type Suite struct {
	// Config is a proxy's configuration, relative to the suite's file, and Router the
	// label of the router that is tested, which may be left out if there is one. Without
	// a Config it is an http router with the defaults.
	Config string `yaml:"config"`
	Router string `yaml:"router"`

	// Dtab, or what is in DtabFile, are the rules that are tested. With a Config they
	// stand for what its interpreter keeps elsewhere, such as a namespace of namerd: the
	// router's own rules come after them, and win.
	Dtab     dtab.Dtab `yaml:"dtab"`
	DtabFile string    `yaml:"dtabFile"`

	// Endpoints is what namers know: by prefix, such as /#/io.l5d.fs, and by name below
	// it. An empty list is a name without endpoints.
	Endpoints map[string]map[string][]string `yaml:"endpoints"`

	Tests []Test `yaml:"tests" weft:"required,nonempty"`

	file string
	doc  *config.Document
}

// Test is one question and what the answer has to be.
type Test struct {
	// Title says what the test is about.
	Title string `yaml:"test" weft:"required,nonempty"`

	// Name is a logical name, or else Request is a request.
	Name    *dtab.Path `yaml:"name"`
	Request *Request   `yaml:"request"`

	// Override is the rules that the caller sends along, as in l5d-dtab.
	Override dtab.Dtab `yaml:"override"`

	// Identified is the name that the request must be given.
	Identified *dtab.Path `yaml:"identified"`

	// To is the only destination, Split several with their shares, Nowhere that there
	// is none, Error what the failure says. One of them must be set, unless Identified is.
	To      *dtab.Path       `yaml:"to"`
	Split   map[string]Share `yaml:"split"`
	Nowhere bool             `yaml:"nowhere"`
	Error   string           `yaml:"error"`

	// Residual is what is left of the name at the destination: it goes with To.
	Residual *dtab.Path `yaml:"residual"`

	// Endpoints are the addresses of all destinations together, in any order.
	Endpoints []string `yaml:"endpoints"`
}

// Request is what a caller sends.
type Request struct {
	Method  string            `yaml:"method"` // GET
	Target  string            `yaml:"target"` // /
	Headers map[string]string `yaml:"headers"`
}

// Share is a part of the traffic: 90%, or a weight such as 9.
type Share float64

// UnmarshalConfig implements config.Unmarshaler.
func (s *Share) UnmarshalConfig(value any) error {
	var f float64
	var err error
	switch v := value.(type) {
	case int64:
		f = float64(v)
	case float64:
		f = v
	case string:
		f, err = strconv.ParseFloat(strings.TrimSuffix(v, "%"), 64)
	default:
		err = errors.New("")
	}
	if err != nil || f < 0 || math.IsInf(f, 0) || math.IsNaN(f) {
		return fmt.Errorf("want a share such as 90%% or a weight such as 9, found %v", value)
	}
	*s = Share(f)
	return nil
}

// Validate implements the decoder's rules.
func (t *Test) Validate() error {
	var errs []error
	if (t.Name == nil) == (t.Request == nil) {
		errs = append(errs, keyError{"name", "a test asks about a name or a request: set one of them"})
	}
	if t.Name != nil && t.Name.IsEmpty() {
		errs = append(errs, keyError{"name", "the name is empty"})
	}
	wants := 0
	for _, set := range []bool{t.To != nil, t.Split != nil, t.Nowhere, t.Error != ""} {
		if set {
			wants++
		}
	}
	switch {
	case wants > 1:
		errs = append(errs, keyError{"test", "set one of to, split, nowhere and error"})
	case wants == 0 && t.Identified == nil:
		errs = append(errs, keyError{"test", "the test expects nothing: set to, split, nowhere, error or identified"})
	}
	if t.Residual != nil && t.To == nil {
		errs = append(errs, keyError{"residual", "residual goes with to"})
	}
	if t.Identified != nil && t.Request == nil {
		errs = append(errs, keyError{"identified", "identified goes with request"})
	}
	total := Share(0)
	for id, share := range t.Split {
		if _, err := dtab.ParsePath(id); err != nil {
			errs = append(errs, keyError{"split", err.Error()})
		}
		total += share
	}
	if t.Split != nil && total <= 0 {
		errs = append(errs, keyError{"split", "the shares add up to nothing"})
	}
	return errors.Join(errs...)
}

type keyError struct{ key, message string }

// Error implements error.
func (e keyError) Error() string { return e.message }

// ConfigKey returns the key that the error is reported at.
func (e keyError) ConfigKey() string { return e.key }

// Load reads a suite. The error is a config.Problems, with positions, unless a file
// cannot be read. Names of files in it are relative to its own.
func Load(file string) (*Suite, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return Parse(file, data)
}

// Parse reads a suite from data. The file name is used in positions and for names of
// files in it.
func Parse(file string, data []byte) (*Suite, error) {
	doc, err := config.Parse(file, data)
	if err != nil {
		return nil, err
	}
	s := &Suite{file: file, doc: doc}
	if err := doc.Decode(s, config.Options{}); err != nil {
		return nil, err
	}
	var problems config.Problems
	report := func(path, message string) {
		p := config.Problem{File: file, Path: path, Message: message}
		p.Line, p.Column = doc.At(path)
		problems = append(problems, p)
	}
	if s.Router != "" && s.Config == "" {
		report("router", "router is a label of the configuration: set config")
	}
	if s.DtabFile != "" {
		if s.Dtab != nil {
			report("dtabFile", "set dtab or dtabFile, not both")
		}
		text, err := os.ReadFile(s.path(s.DtabFile))
		if err == nil {
			s.Dtab, err = dtab.Parse(string(text))
		}
		if err != nil {
			report("dtabFile", s.DtabFile+": "+err.Error())
		}
	}
	for prefix := range s.Endpoints {
		p, err := dtab.ParsePath(prefix)
		if err != nil || p.Len() < 2 || p.Elem(0) != "#" {
			report("endpoints", fmt.Sprintf("%q is not the prefix of a namer, such as /#/io.l5d.fs", prefix))
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return s, nil
}

// path returns where a file that the suite names is.
func (s *Suite) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(s.file), name)
}

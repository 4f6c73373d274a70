package rewrite

import (
	"context"
	"errors"
	"fmt"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/match"
)

// Config is what a Namer rewrites. Both fields are required.
type Config struct {
	// Pattern is what a name must look like, such as /{service}/*/api.
	Pattern string `yaml:"pattern"`

	// Name is the path to look up instead. A {service} in it stands for what the
	// pattern captured.
	Name string `yaml:"name"`
}

// ErrMissing is in the chain of the error of New when a field is not set.
var ErrMissing = errors.New("is required")

// Namer rewrites names. It keeps nothing and is safe for concurrent use.
type Namer struct {
	pattern *match.Matcher
	name    string
}

// New returns a Namer. It fails if no name that fits the pattern could become a
// path, because Name is none or uses what Pattern does not capture.
func New(c Config) (*Namer, error) {
	if c.Pattern == "" {
		return nil, fmt.Errorf("rewrite: pattern: %w", ErrMissing)
	}
	if c.Name == "" {
		return nil, fmt.Errorf("rewrite: name: %w", ErrMissing)
	}
	pattern, err := match.Compile(c.Pattern)
	if err != nil {
		return nil, fmt.Errorf("rewrite: %w", err)
	}
	trial := map[string]string{}
	for _, capture := range pattern.Names() {
		trial[capture] = "x"
	}
	if _, err := dtab.ParsePath(match.Substitute(trial, c.Name)); err != nil {
		return nil, fmt.Errorf("rewrite: name %q: must be a path whose variables are among those of pattern %q: %w", c.Name, c.Pattern, err)
	}
	return &Namer{pattern: pattern, name: c.Name}, nil
}

// Lookup implements naming.Namer. The answer never changes.
func (n *Namer) Lookup(_ context.Context, p dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
	captures, ok := n.pattern.Match(p)
	if !ok {
		return naming.Answer(dtab.Tree[naming.Name]{})
	}
	text := match.Substitute(captures, n.name)
	to, err := dtab.ParsePath(text)
	if err != nil {
		return naming.AnswerErr(fmt.Errorf("rewrite: %s became %q, which is not a path: %w", p, text, err))
	}
	return naming.Answer(dtab.LeafOf(naming.Name{Path: to}))
}

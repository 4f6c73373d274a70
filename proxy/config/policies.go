package config

import (
	"reflect"

	"go.yaml.in/yaml/v3"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming/match"
)

// Policies is a client or service section: policies of type P by pattern. The kind
// io.l5d.global is one policy whose pattern matches every name. The zero Policies
// hold none.
type Policies[P any] struct {
	Kind    string
	Configs []PolicyFor[P]
}

// PolicyFor is the policy of the names that a pattern matches.
type PolicyFor[P any] struct {
	Prefix *match.Matcher
	Policy P
}

type patternKey struct {
	Prefix *Pattern `yaml:"prefix" weft:"required"`
}

// Pattern is a path pattern as a value of a key.
type Pattern struct{ *match.Matcher }

// UnmarshalConfig implements Unmarshaler.
func (p *Pattern) UnmarshalConfig(value any) (err error) {
	p.Matcher, err = match.Compile(show(value))
	return err
}

func (s *Policies[P]) decodeNode(d *decoder, n *yaml.Node, path string, _ field) {
	if n.Kind != yaml.MappingNode {
		d.wrongType(n, path, "an object")
		return
	}
	kind := valueOf(n, kindKeyName)
	switch {
	case kind == nil:
		d.doc.implied[n] = kindGlobal
		s.Kind = kindGlobal
	case kind.Kind != yaml.ScalarNode:
		d.wrongType(kind, join(path, kindKeyName), "the name of a kind")
		return
	case kind.Value != kindGlobal && kind.Value != kindStatic:
		known := []string{kindGlobal, kindStatic}
		d.report(kind, join(path, kindKeyName), `unknown kind "`+kind.Value+`"`+didYouMean(kind.Value, known)+"; known are "+list(known))
		return
	default:
		s.Kind = kind.Value
	}
	if s.Kind == kindGlobal {
		all := PolicyFor[P]{Prefix: &match.Matcher{}}
		d.object(n, path, reflect.ValueOf(&kindKey{}).Elem(), reflect.ValueOf(&all.Policy).Elem())
		s.Configs = []PolicyFor[P]{all}
		return
	}
	var static struct {
		kindKey `yaml:",inline"`
		Configs []staticEntry[P] `yaml:"configs" weft:"required"`
	}
	d.object(n, path, reflect.ValueOf(&static).Elem())
	for _, e := range static.Configs {
		s.Configs = append(s.Configs, PolicyFor[P](e))
	}
}

type staticEntry[P any] PolicyFor[P]

func (e *staticEntry[P]) decodeNode(d *decoder, n *yaml.Node, path string, _ field) {
	var pattern patternKey
	d.object(n, path, reflect.ValueOf(&pattern).Elem(), reflect.ValueOf(&e.Policy).Elem())
	if e.Prefix = (&match.Matcher{}); pattern.Prefix != nil {
		e.Prefix = pattern.Prefix.Matcher
	}
}

// policy merges the entries that match p. Captured gets a copy of each entry's
// policy with what its pattern captured; merge sees the policy so far and the next.
func (s Policies[P]) policy(p dtab.Path, captured func(*P, map[string]string), merge func(old, next *P)) P {
	var result P
	for _, e := range s.Configs {
		captures, ok := e.Prefix.Match(p)
		if !ok {
			continue
		}
		next := e.Policy
		if captured != nil {
			captured(&next, captures)
		}
		if merge != nil {
			merge(&result, &next)
		}
		overlay(reflect.ValueOf(&result).Elem(), reflect.ValueOf(&next).Elem())
	}
	return result
}

// overlay sets what next sets in old, both structs of fields whose zero is unset.
func overlay(old, next reflect.Value) {
	for i := range next.NumField() {
		switch f := next.Field(i); {
		case f.Kind() == reflect.Struct:
			overlay(old.Field(i), f)
		case !f.IsZero():
			old.Field(i).Set(f)
		}
	}
}

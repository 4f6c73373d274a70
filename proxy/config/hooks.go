package config

import (
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// hinter is implemented by configuration structs that know what has become of keys
// that they do not have any more.
type hinter interface {
	// KeyHint returns what to use instead of key, empty if key means nothing to it.
	KeyHint(key string) string
}

// validator is implemented by configuration structs with rules that tags cannot
// express. It is called when all keys could be read.
type validator interface {
	// Validate returns nil or an error; several are joined with errors.Join. An error
	// that has a method ConfigKey() string is reported at that key.
	Validate() error
}

// unknownKey reports a key that no field has, and returns the one that was probably
// meant, so that it is not reported as missing too.
func (d *decoder) unknownKey(key *yaml.Node, path string, targets []reflect.Value, all []field) (meant string) {
	var known []string
	hint := ""
	for _, f := range all {
		if f.applies(d.variant) {
			known = append(known, f.name)
		} else if f.name == key.Value {
			hint = "a key of " + strings.Join(f.only, " and ") + " routers only"
		}
	}
	for _, t := range targets {
		if h, ok := reflect.TypeAssert[hinter](t.Addr()); ok && hint == "" {
			hint = h.KeyHint(key.Value)
		}
	}
	message := fmt.Sprintf("Unrecognized field %q", key.Value)
	if hint != "" {
		message += ": " + hint
	} else {
		message += didYouMean(key.Value, known)
	}
	d.report(key, join(path, key.Value), message+"; known keys are "+list(known))
	return suggest(key.Value, known)
}

// validate calls the targets' own rules.
func (d *decoder) validate(n *yaml.Node, path string, targets []reflect.Value) {
	for _, t := range targets {
		v, ok := reflect.TypeAssert[validator](t.Addr())
		if !ok {
			continue
		}
		for _, err := range unjoin(v.Validate()) {
			at, place := n, path
			if k, ok := err.(interface{ ConfigKey() string }); ok {
				place = join(path, k.ConfigKey())
				if set := valueOf(n, k.ConfigKey()); set != nil {
					at = set
				}
			}
			d.report(at, place, err.Error())
		}
	}
}

func unjoin(err error) []error {
	if err == nil {
		return nil
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		return many.Unwrap()
	}
	return []error{err}
}

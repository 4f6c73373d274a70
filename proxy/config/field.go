package config

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// field is one key of a configuration struct, from its yaml and weft tags.
type field struct {
	name  string
	index []int

	required, nonempty, variant bool
	port, file, dir             bool
	readable, secret, single    bool

	min, max *float64
	enum     []string
	only     []string
	unit     time.Duration
	role     Role
}

// fields lists the keys of struct type t, those of embedded structs with the tag
// `yaml:",inline"` included.
func fields(t reflect.Type) ([]field, error) {
	var all []field
	for i := range t.NumField() {
		sf := t.Field(i)
		name, opts, _ := strings.Cut(sf.Tag.Get("yaml"), ",")
		if opts == "inline" && sf.Type.Kind() == reflect.Struct {
			inner, err := fields(sf.Type)
			if err != nil {
				return nil, err
			}
			for _, f := range inner {
				f.index = append([]int{i}, f.index...)
				all = append(all, f)
			}
			continue
		}
		if name == "" || name == "-" || !sf.IsExported() {
			continue
		}
		f := field{name: name, index: []int{i}}
		if err := f.parse(sf.Tag.Get("weft")); err != nil {
			return nil, fmt.Errorf("config: field %s of %s: %w", sf.Name, t, err)
		}
		all = append(all, f)
	}
	return all, nil
}

// parse reads a weft tag.
func (f *field) parse(tag string) error {
	if tag == "" {
		return nil
	}
	flags := map[string]*bool{
		"required": &f.required, "nonempty": &f.nonempty, "variant": &f.variant,
		"port": &f.port, "file": &f.file, "dir": &f.dir,
		"readable": &f.readable, "secret": &f.secret, "single": &f.single,
	}
	for opt := range strings.SplitSeq(tag, ",") {
		name, value, _ := strings.Cut(opt, "=")
		if flag, ok := flags[name]; ok {
			*flag = true
			continue
		}
		switch name {
		case "min", "max":
			x, err := strconv.ParseFloat(value, 64)
			if err != nil {
				return fmt.Errorf("weft tag %q: %w", tag, err)
			}
			if name == "min" {
				f.min = &x
			} else {
				f.max = &x
			}
		case "enum":
			f.enum = strings.Split(value, "|")
		case "only":
			f.only = strings.Split(value, "|")
		case "role":
			f.role = Role(value)
		case "unit":
			unit, ok := map[string]time.Duration{"ms": time.Millisecond, "s": time.Second}[value]
			if !ok {
				return fmt.Errorf("weft tag %q: the unit is ms or s", tag)
			}
			f.unit = unit
		default:
			return fmt.Errorf("weft tag %q: unknown option %q", tag, name)
		}
	}
	return nil
}

// applies reports whether the key exists in the given variant of its object. In an
// unknown variant every key does, so that one mistake is not reported as many.
func (f *field) applies(variant string) bool {
	return f.only == nil || variant == "" || slices.Contains(f.only, variant)
}

// bounds describes the range of the key's values: "1 to 60", "at least 1".
func (f *field) bounds() string {
	show := func(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }
	switch {
	case f.min != nil && f.max != nil:
		return show(*f.min) + " to " + show(*f.max)
	case f.min != nil:
		return "at least " + show(*f.min)
	default:
		return "at most " + show(*f.max)
	}
}

func (f *field) inRange(x float64) bool {
	return !(f.min != nil && x < *f.min || f.max != nil && x > *f.max)
}

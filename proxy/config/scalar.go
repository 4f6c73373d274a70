package config

import (
	"encoding"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/weft-mesh/weft/dtab"
)

// Unmarshaler is implemented by types that read themselves from a scalar: the value
// is a string, int64, float64 or bool. The error says what would be right. Types
// that implement encoding.TextUnmarshaler are read from strings.
type Unmarshaler interface {
	UnmarshalConfig(value any) error
}

// scalar reads n into v if v is of a type that is written as a scalar.
func (d *decoder) scalar(n *yaml.Node, path string, v reflect.Value, f field) bool {
	switch x := v.Addr().Interface().(type) {
	case *dtab.Path:
		d.parsed(n, path, "a path", func(s string) (err error) { *x, err = dtab.ParsePath(s); return err }, x)
	case *dtab.Dtab:
		d.parsed(n, path, "a dtab", func(s string) (err error) { *x, err = dtab.Parse(s); return err }, x)
	case *netip.Addr:
		d.address(n, path, x)
	case *time.Duration:
		d.duration(n, path, x, f)
	case Unmarshaler:
		d.custom(n, path, x)
	case encoding.TextUnmarshaler:
		d.parsed(n, path, "a string", func(s string) error { return x.UnmarshalText([]byte(s)) }, nil)
	default:
		return d.basic(n, path, v, f)
	}
	return true
}

func (d *decoder) basic(n *yaml.Node, path string, v reflect.Value, f field) bool {
	switch {
	case v.Kind() == reflect.String:
		s, ok := d.text(n, path, "a string")
		if ok && d.stringOK(n, path, s, f) {
			v.SetString(s)
		}
	case v.Kind() == reflect.Bool:
		if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" {
			d.wrongType(n, path, "true or false"+unquoted(n, "true", "false"))
			return true
		}
		v.SetBool(strings.EqualFold(n.Value, "true"))
		d.doc.canonical[n] = v.Bool()
	case v.CanInt():
		if i, ok := d.integer(n, path, f); ok {
			if v.OverflowInt(i) {
				d.report(n, path, fmt.Sprintf("%d is too large", i))
				return true
			}
			v.SetInt(i)
		}
	case v.CanFloat():
		if x, ok := d.number(n, path, f); ok {
			v.SetFloat(x)
		}
	default:
		return false
	}
	return true
}

// text returns a string. Like the original it takes other plain scalars as what
// they are written as, so that an id of digits needs no quotes.
func (d *decoder) text(n *yaml.Node, path, want string) (string, bool) {
	if n.Kind != yaml.ScalarNode {
		d.wrongType(n, path, want)
		return "", false
	}
	d.doc.canonical[n] = n.Value
	return n.Value, true
}

func (d *decoder) stringOK(n *yaml.Node, path, s string, f field) bool {
	switch {
	case f.secret:
		d.doc.canonical[n] = "(secret)"
	case f.enum != nil && !slices.Contains(f.enum, s):
		d.report(n, path, fmt.Sprintf("want %s, found %q%s", strings.Join(f.enum, " or "), s, didYouMean(s, f.enum)))
		return false
	case f.nonempty && s == "":
		d.report(n, path, "must not be empty")
		return false
	case (f.file || f.dir || f.readable) && !d.opts.IgnoreFiles:
		return d.fileOK(n, path, s, f)
	}
	return true
}

// fileOK checks what the file system has under a name. Files that are read again
// for every connection may turn up later, so that those get a warning.
func (d *decoder) fileOK(n *yaml.Node, path, name string, f field) bool {
	full := name
	if !filepath.IsAbs(name) {
		full = filepath.Join(d.opts.Dir, name)
	}
	info, err := os.Stat(full)
	switch {
	case f.dir && (err != nil || !info.IsDir()):
		d.report(n, path, name+" is not a directory")
		return false
	case f.file && (err != nil || !info.Mode().IsRegular()):
		d.report(n, path, name+" is not a file")
		return false
	case f.readable:
		file, err := os.Open(full) //nolint:gosec // reading what the configuration names is the purpose
		if err == nil {
			err = file.Close()
		}
		if err != nil {
			d.report(n, path, "cannot be read: "+err.Error())
			d.problems[len(d.problems)-1].Warning = true
		}
	}
	return true
}

// parsed reads a string with parse and reports a syntax error at its place inside
// the scalar. Shown, if not nil, is the canonical form.
func (d *decoder) parsed(n *yaml.Node, path, want string, parse func(string) error, shown encoding.TextMarshaler) {
	s, ok := d.text(n, path, want)
	if !ok {
		return
	}
	if err := parse(s); err != nil {
		line, column, message := n.Line, n.Column, err.Error()
		if syntax, ok := errors.AsType[*dtab.SyntaxError](err); ok {
			line, column = d.doc.inside(n, syntax.Offset)
			if strings.Contains(s, "\n") || utf8.RuneCountInString(s) > 80 {
				message = syntax.Expected + " expected but " + syntax.Found + " found"
			}
		}
		d.reportAt(line, column, path, message)
		return
	}
	if shown != nil {
		if text, err := shown.MarshalText(); err == nil {
			d.doc.canonical[n] = string(text)
		}
	}
}

// address reads a literal IP address.
func (d *decoder) address(n *yaml.Node, path string, into *netip.Addr) {
	const want = "a literal IPv4 or IPv6 address"
	s, ok := d.text(n, path, want)
	if !ok {
		return
	}
	addr, err := netip.ParseAddr(s)
	if err != nil || addr.Zone() != "" {
		d.report(n, path, fmt.Sprintf("want %s, found %q", want, s))
		return
	}
	*into = addr
}

func (d *decoder) custom(n *yaml.Node, path string, into Unmarshaler) {
	var value any
	switch tag := n.ShortTag(); {
	case n.Kind != yaml.ScalarNode:
		d.wrongType(n, path, "a single value")
		return
	case tag == "!!bool":
		value = strings.EqualFold(n.Value, "true")
	case tag == "!!int":
		if i, err := strconv.ParseInt(n.Value, 10, 64); err == nil {
			value = i
		}
	case tag == "!!float":
		if x, err := strconv.ParseFloat(n.Value, 64); err == nil && x-x == 0 {
			value = x
		}
	}
	if value == nil {
		value = n.Value
	}
	d.doc.canonical[n] = value
	if err := into.UnmarshalConfig(value); err != nil {
		d.report(n, path, err.Error())
	}
}

// unquoted is what to add for a value in quotes that would be right without them.
func unquoted(n *yaml.Node, values ...string) string {
	if n.ShortTag() == "!!str" && slices.Contains(values, n.Value) {
		return " (without quotes)"
	}
	return ""
}

// describe says what n is, for messages.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "an object"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	case yaml.ScalarNode, yaml.DocumentNode:
	}
	value := n.Value
	if r := []rune(value); len(r) > 40 {
		value = string(r[:40]) + "…"
	}
	switch n.ShortTag() {
	case "!!null":
		return "nothing"
	case "!!str":
		return fmt.Sprintf("the string %q", value)
	default:
		return value
	}
}

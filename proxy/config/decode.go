package config

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// Options say how a document is decoded. The zero Options know no kinds and look at
// the file system.
type Options struct {
	// Registry holds the kinds that the document may use.
	Registry Registry

	// Dir is what relative file names are relative to; empty means the working
	// directory.
	Dir string

	// IgnoreFiles accepts names of files and directories that do not exist.
	IgnoreFiles bool

	// AllowNotBuilt accepts kinds that are only declared. Such parts can be checked
	// and shown, not built.
	AllowNotBuilt bool
}

// Decode reads the document into the struct that into points to. It does not stop
// at the first problem; the error is a Problems with all of them, and the struct
// then holds what could be read. Warnings count as problems here.
func (doc *Document) Decode(into any, opts Options) error {
	return doc.decode(into, opts).sorted().err()
}

func (doc *Document) decode(into any, opts Options) Problems {
	d := &decoder{doc: doc, opts: opts}
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return Problems{{File: doc.file, Message: fmt.Sprintf("config: decode wants a pointer to a struct, not %T", into)}}
	}
	d.value(doc.root, "", v.Elem(), field{})
	return d.problems
}

// decoder reads one document. Its methods report what is wrong and go on.
type decoder struct {
	doc      *Document
	opts     Options
	problems Problems

	// variant is the protocol of the router that is being read.
	variant string
}

// nodeDecoder is implemented by types of this package that are not read field by
// field.
type nodeDecoder interface {
	decodeNode(d *decoder, n *yaml.Node, path string, f field)
}

func (d *decoder) report(n *yaml.Node, path, message string) {
	d.reportAt(n.Line, n.Column, path, message)
}

func (d *decoder) reportAt(line, column int, path, message string) {
	d.problems = append(d.problems, Problem{File: d.doc.file, Line: line, Column: column, Path: path, Message: message})
}

func (d *decoder) wrongType(n *yaml.Node, path, want string) {
	d.report(n, path, "want "+want+", found "+describe(n))
}

// value reads n into v as the tags f say.
func (d *decoder) value(n *yaml.Node, path string, v reflect.Value, f field) {
	d.doc.nodes[path] = n
	switch {
	case n.Kind == yaml.AliasNode:
		d.report(n, path, "aliases are not supported: write the value of *"+n.Value+" out")
		return
	case isNull(n):
		return // as if the key were absent
	case !slices.Contains([]string{"!!str", "!!int", "!!float", "!!bool", "!!timestamp", "!!map", "!!seq", "!!merge"}, n.ShortTag()):
		d.report(n, path, "tags are not supported: remove "+n.ShortTag())
		return
	}
	if custom, ok := reflect.TypeAssert[nodeDecoder](v.Addr()); ok {
		custom.decodeNode(d, n, path, f)
		return
	}
	if d.scalar(n, path, v, f) {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		before := len(d.problems)
		elem := reflect.New(v.Type().Elem())
		d.value(n, path, elem.Elem(), f)
		if len(d.problems) == before || elem.Elem().Kind() == reflect.Struct {
			v.Set(elem)
		}
	case reflect.Struct:
		d.object(n, path, v)
	case reflect.Slice:
		d.list(n, path, v, f)
	case reflect.Map:
		d.table(n, path, v, f)
	default:
		d.report(n, path, fmt.Sprintf("config: cannot read a %v", v.Type()))
	}
}

func (d *decoder) list(n *yaml.Node, path string, v reflect.Value, f field) {
	items := []*yaml.Node{n}
	switch {
	case n.Kind == yaml.SequenceNode:
		items = n.Content
	case !f.single || n.Kind != yaml.MappingNode:
		d.wrongType(n, path, "a list")
		return
	}
	if f.nonempty && len(items) == 0 {
		d.report(n, path, "the list must not be empty")
	}
	v.Set(reflect.MakeSlice(v.Type(), len(items), len(items)))
	for i, item := range items {
		at := path
		if n.Kind == yaml.SequenceNode {
			at = path + "[" + strconv.Itoa(i) + "]"
		}
		if isNull(item) {
			d.report(item, at, "the list item is empty")
			continue
		}
		d.value(item, at, v.Index(i), f)
	}
}

func (d *decoder) table(n *yaml.Node, path string, v reflect.Value, f field) {
	if n.Kind != yaml.MappingNode {
		d.wrongType(n, path, "an object")
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for key, item := range d.keys(n, path) {
		elem := reflect.New(v.Type().Elem()).Elem()
		d.value(item, join(path, key.Value), elem, f)
		v.SetMapIndex(reflect.ValueOf(key.Value).Convert(v.Type().Key()), elem)
	}
}

// keys yields the pairs of an object, reporting keys that come twice or are no text.
func (d *decoder) keys(n *yaml.Node, path string) func(yield func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		first := map[string]*yaml.Node{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, v := n.Content[i], n.Content[i+1]
			switch old := first[key.Value]; {
			case key.Kind != yaml.ScalarNode:
				d.report(key, path, "a key must be plain text, found "+describe(key))
				continue
			case old != nil:
				d.report(key, join(path, key.Value), fmt.Sprintf("duplicate key %q, first set in line %d", key.Value, old.Line))
				continue
			}
			first[key.Value] = key
			if !yield(key, v) {
				return
			}
		}
	}
}

// object reads the keys of n into the fields of the targets. A key that several of
// them have goes to each.
func (d *decoder) object(n *yaml.Node, path string, targets ...reflect.Value) {
	d.doc.nodes[path] = n
	if n.Kind != yaml.MappingNode {
		d.wrongType(n, path, "an object")
		return
	}
	before := len(d.problems)
	all := make([][]field, len(targets))
	for i, t := range targets {
		fs, err := fields(t.Type())
		if err != nil {
			d.report(n, path, err.Error())
			return
		}
		all[i] = fs
		for _, f := range fs {
			if v := valueOf(n, f.name); f.variant && v != nil {
				defer func(old string) { d.variant = old }(d.variant)
				d.variant = v.Value
			}
		}
	}
	seen := map[string]bool{} // keys that are not missing
	for key, v := range d.keys(n, path) {
		seen[key.Value] = !isNull(v)
		found := false
		for i, t := range targets {
			for _, f := range all[i] {
				if f.name == key.Value && f.applies(d.variant) {
					found = true
					d.value(v, join(path, key.Value), t.FieldByIndex(f.index), f)
				}
			}
		}
		if !found {
			seen[d.unknownKey(key, path, targets, slices.Concat(all...))] = true
		}
	}
	for _, f := range slices.Concat(all...) {
		if f.required && f.applies(d.variant) && !seen[f.name] {
			d.report(n, path, fmt.Sprintf("missing key %q", f.name))
			seen[f.name] = true
		}
	}
	if len(d.problems) == before {
		d.validate(n, path, targets)
	}
}

func join(path, key string) string {
	if path == "" || key == "" {
		return path + key
	}
	return path + "." + key
}

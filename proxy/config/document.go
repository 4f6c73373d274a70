package config

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Document is a parsed configuration text. It remembers what Decode read from it,
// for positions and for JSON; it is not safe for concurrent use while it is being
// decoded.
type Document struct {
	file   string
	source []string // lines, for positions inside scalars
	root   *yaml.Node

	nodes     map[string]*yaml.Node // by path
	canonical map[*yaml.Node]any    // what a scalar was read as
	implied   map[*yaml.Node]string // the kind of an object that names none
}

// Parse reads the syntax of data: JSON if its first character that is not blank is
// "{", YAML otherwise. The file name is used in positions only. The error is a
// Problems.
//
// Both are read strictly. YAML is a single document without aliases, which the
// original has no use for either; JSON is that of RFC 8259.
func Parse(file string, data []byte) (*Document, error) {
	doc := &Document{
		file:      file,
		source:    lines(data),
		nodes:     map[string]*yaml.Node{},
		canonical: map[*yaml.Node]any{},
		implied:   map[*yaml.Node]string{},
	}
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	var p *Problem
	switch first := bytes.TrimLeft(data, " \t\r\n"); {
	case !utf8.Valid(data):
		p = &Problem{Line: 1, Column: 1, Message: "the text is not UTF-8"}
	case bytes.HasPrefix(first, []byte("{")):
		doc.root, p = parseJSON(data)
	default:
		doc.root, p = parseYAML(data)
	}
	if p == nil && doc.root == nil {
		p = &Problem{Line: 1, Column: 1, Message: "the document is empty"}
	}
	if p != nil {
		p.File = file
		return nil, Problems{*p}
	}
	return doc, nil
}

func parseYAML(data []byte) (*yaml.Node, *Problem) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var first, second yaml.Node
	switch err := dec.Decode(&first); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, yamlProblem(err)
	}
	switch err := dec.Decode(&second); {
	case err == nil:
		return nil, &Problem{Line: second.Line, Column: max(second.Column, 1), Message: "a configuration is a single YAML document, found a second one"}
	case !errors.Is(err, io.EOF):
		return nil, yamlProblem(err)
	}
	if first.Kind != yaml.DocumentNode || len(first.Content) != 1 {
		return nil, nil
	}
	if root := first.Content[0]; !isNull(root) {
		return root, nil
	}
	return nil, nil
}

// yamlProblem takes the line out of the library's message, which knows no column.
func yamlProblem(err error) *Problem {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	p := &Problem{Line: 1, Column: 1, Message: "not YAML: " + text}
	if m := regexp.MustCompile(`^line (\d+): `).FindStringSubmatch(text); m != nil {
		p.Line, _ = strconv.Atoi(m[1])
		p.Message = "not YAML: " + text[len(m[0]):]
	}
	return p
}

func lines(data []byte) []string {
	text := strings.ReplaceAll(string(data), "\r\n", "\n")
	return strings.Split(strings.ReplaceAll(text, "\r", "\n"), "\n")
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// At returns the position of the value at path, or of the nearest object around it
// that is in the document.
func (doc *Document) At(path string) (line, column int) {
	for {
		if n, ok := doc.nodes[path]; ok {
			return n.Line, n.Column
		}
		i := strings.LastIndexAny(path, ".[")
		if i < 0 {
			break
		}
		path = path[:i]
	}
	return doc.root.Line, doc.root.Column
}

// problem returns a problem at path.
func (doc *Document) problem(path, message string) Problem {
	line, column := doc.At(path)
	return Problem{File: doc.file, Line: line, Column: column, Path: path, Message: message}
}

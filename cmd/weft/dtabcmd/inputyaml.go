package dtabcmd

import (
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/weft-mesh/weft/dtab"
)

// parseYAML reads a list of rules, a dtab as text, or an object with one of them as
// dtab.
func parseYAML(name string, b []byte) (*input, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(b, &root); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(root.Content) == 0 {
		return nil, placed(name, 1, 1, "%s", wantYAML)
	}
	node, version := root.Content[0], ""
	if node.Kind == yaml.MappingNode {
		var doc struct {
			Version string    `yaml:"version"`
			Dtab    yaml.Node `yaml:"dtab"`
		}
		if err := node.Decode(&doc); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if doc.Dtab.IsZero() {
			return nil, placed(name, node.Line, node.Column, "%s", wantYAML)
		}
		node, version = &doc.Dtab, doc.Version
	}
	switch node.Kind {
	case yaml.ScalarNode:
		return yamlText(name, node, version)
	case yaml.SequenceNode:
	default:
		return nil, placed(name, node.Line, node.Column, "%s", wantYAML)
	}
	doc := document{Dtab: []*rule{}}
	var d dtab.Dtab
	for _, n := range node.Content {
		var r *rule
		if err := n.Decode(&r); err != nil {
			return nil, placed(name, n.Line, n.Column, "rule %d: %v", len(d)+1, err)
		}
		e, err := r.parse()
		if err != nil {
			return nil, placed(name, n.Line, n.Column, "rule %d: %v", len(d)+1, err)
		}
		d = append(d, e)
		doc.Dtab = append(doc.Dtab, r)
	}
	return structured(d, doc, version)
}

const wantYAML = "want a list of rules, the text of a dtab, or an object with one of them as dtab"

// yamlText reads a dtab in a string. Its lines are those of the file if the string is
// a literal block, and begin a line below its head.
func yamlText(name string, node *yaml.Node, version string) (*input, error) {
	d, err := dtab.Parse(node.Value)
	if bad, ok := errors.AsType[*dtab.SyntaxError](err); ok {
		line, column := node.Line, node.Column
		if node.Style == yaml.LiteralStyle {
			line, column = node.Line+bad.Line, 1
		}
		return nil, placed(name, line, column, "%s expected but %s found", bad.Expected, bad.Found)
	}
	if err != nil {
		return nil, placed(name, node.Line, node.Column, "%v", err)
	}
	return &input{dtab: d, version: version, body: []byte(node.Value), contentType: "application/dtab"}, nil
}

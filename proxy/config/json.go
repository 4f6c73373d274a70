package config

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxDepth bounds the nesting of JSON, whose reader recurses.
const maxDepth = 200

// jsonReader reads RFC 8259 JSON into the nodes that YAML is read into, so that
// everything after syntax is the same for both. YAML's own reader is not used
// because it takes much that is not JSON and refuses tabs.
type jsonReader struct {
	rest         string
	line, column int
}

func parseJSON(data []byte) (root *yaml.Node, problem *Problem) {
	r := &jsonReader{rest: string(data), line: 1, column: 1}
	root, problem = r.value(0)
	if problem != nil {
		return nil, problem
	}
	if r.blank(); r.rest != "" {
		return nil, r.expected("the end of the text")
	}
	return root, nil
}

// skip moves past the first n bytes of the rest.
func (r *jsonReader) skip(n int) {
	for _, c := range r.rest[:n] {
		if r.column++; c == '\n' {
			r.line, r.column = r.line+1, 1
		}
	}
	r.rest = r.rest[n:]
}

func (r *jsonReader) blank() {
	r.skip(len(r.rest) - len(strings.TrimLeft(r.rest, " \t\r\n")))
}

// take moves past c if it comes next after blanks.
func (r *jsonReader) take(c byte) bool {
	r.blank()
	if r.rest == "" || r.rest[0] != c {
		return false
	}
	r.skip(1)
	return true
}

func (r *jsonReader) expected(what string) *Problem {
	found := "the end of the text"
	if r.rest != "" {
		c, _ := utf8.DecodeRuneInString(r.rest)
		found = fmt.Sprintf("%q", c)
	}
	return &Problem{Line: r.line, Column: r.column, Message: "not JSON: want " + what + ", found " + found}
}

func (r *jsonReader) node(kind yaml.Kind, tag string) *yaml.Node {
	return &yaml.Node{Kind: kind, Tag: tag, Line: r.line, Column: r.column}
}

func (r *jsonReader) value(depth int) (*yaml.Node, *Problem) {
	r.blank()
	if depth > maxDepth {
		return nil, &Problem{Line: r.line, Column: r.column, Message: fmt.Sprintf("nested more than %d levels deep", maxDepth)}
	}
	if r.rest == "" {
		return nil, r.expected("a value")
	}
	switch c := r.rest[0]; {
	case c == '{':
		return r.object(depth)
	case c == '[':
		return r.list(depth)
	case c == '"':
		return r.text("a value")
	case c == '-' || c >= '0' && c <= '9':
		return r.number()
	}
	for word, tag := range map[string]string{"true": "!!bool", "false": "!!bool", "null": "!!null"} {
		if strings.HasPrefix(r.rest, word) {
			n := r.node(yaml.ScalarNode, tag)
			n.Value = word
			r.skip(len(word))
			return n, nil
		}
	}
	return nil, r.expected("a value")
}

func (r *jsonReader) object(depth int) (*yaml.Node, *Problem) {
	n := r.node(yaml.MappingNode, "!!map")
	r.skip(1)
	if r.take('}') {
		return n, nil
	}
	for {
		r.blank()
		key, p := r.text("a key in double quotes")
		if p != nil {
			return nil, p
		}
		if !r.take(':') {
			return nil, r.expected(`":"`)
		}
		v, p := r.value(depth + 1)
		if p != nil {
			return nil, p
		}
		n.Content = append(n.Content, key, v)
		if r.take('}') {
			return n, nil
		}
		if !r.take(',') {
			return nil, r.expected(`"," or "}"`)
		}
	}
}

func (r *jsonReader) list(depth int) (*yaml.Node, *Problem) {
	n := r.node(yaml.SequenceNode, "!!seq")
	r.skip(1)
	if r.take(']') {
		return n, nil
	}
	for {
		v, p := r.value(depth + 1)
		if p != nil {
			return nil, p
		}
		n.Content = append(n.Content, v)
		if r.take(']') {
			return n, nil
		}
		if !r.take(',') {
			return nil, r.expected(`"," or "]"`)
		}
	}
}

func (r *jsonReader) text(what string) (*yaml.Node, *Problem) {
	if !strings.HasPrefix(r.rest, `"`) {
		return nil, r.expected(what)
	}
	n := r.node(yaml.ScalarNode, "!!str")
	n.Style = yaml.DoubleQuotedStyle
	end := 1
	for end < len(r.rest) && r.rest[end] != '"' && r.rest[end] != '\n' {
		if r.rest[end] == '\\' {
			end++
		}
		end++
	}
	if end >= len(r.rest) || r.rest[end] != '"' {
		return nil, &Problem{Line: r.line, Column: r.column, Message: "not JSON: the string has no end on its line"}
	}
	if err := json.Unmarshal([]byte(r.rest[:end+1]), &n.Value); err != nil {
		return nil, &Problem{Line: r.line, Column: r.column, Message: "not JSON: " + err.Error()}
	}
	r.skip(end + 1)
	return n, nil
}

func (r *jsonReader) number() (*yaml.Node, *Problem) {
	end := len(r.rest) - len(strings.TrimLeft(r.rest, "+-.0123456789eE"))
	n := r.node(yaml.ScalarNode, "!!int")
	n.Value = r.rest[:end]
	if !json.Valid([]byte(n.Value)) {
		return nil, &Problem{Line: r.line, Column: r.column, Message: fmt.Sprintf("not JSON: %q is not a number", n.Value)}
	}
	if strings.ContainsAny(n.Value, ".eE") {
		n.Tag = "!!float"
	}
	r.skip(end)
	return n, nil
}

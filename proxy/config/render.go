package config

import (
	"bytes"
	"encoding/json"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// JSON returns the decoded document as JSON: the keys that it sets, in its order,
// with scalars as they were read (dtabs and paths in canonical form) and the kind of
// objects that name none. What no field was read from is left out.
func (doc *Document) JSON() ([]byte, error) {
	var b bytes.Buffer
	if err := doc.render(&b, doc.root); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func (doc *Document) render(b *bytes.Buffer, n *yaml.Node) error {
	switch n.Kind {
	case yaml.MappingNode:
		b.WriteByte('{')
		sep := ""
		if kind, ok := doc.implied[n]; ok {
			b.WriteString(`"kind":` + strconv.Quote(kind))
			sep = ","
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			if !doc.known(value) {
				continue
			}
			b.WriteString(sep)
			if err := scalarJSON(b, key.Value); err != nil {
				return err
			}
			b.WriteByte(':')
			if err := doc.render(b, value); err != nil {
				return err
			}
			sep = ","
		}
		b.WriteByte('}')
	case yaml.SequenceNode:
		b.WriteByte('[')
		for i, item := range n.Content {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := doc.render(b, item); err != nil {
				return err
			}
		}
		b.WriteByte(']')
	case yaml.ScalarNode, yaml.DocumentNode, yaml.AliasNode:
		return scalarJSON(b, doc.canonical[n])
	}
	return nil
}

// scalarJSON writes v without the escapes that JSON inside HTML needs, so that dtabs
// stay legible.
func scalarJSON(b *bytes.Buffer, v any) error {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	b.Truncate(b.Len() - 1) // the encoder ends with a newline
	return nil
}

// known reports whether something was read from n.
func (doc *Document) known(n *yaml.Node) bool {
	if n.Kind == yaml.ScalarNode {
		_, ok := doc.canonical[n]
		return ok
	}
	return n.Kind == yaml.MappingNode || n.Kind == yaml.SequenceNode
}

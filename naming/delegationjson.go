package naming

import (
	"bytes"
	"encoding/json"
	"net"
	"strconv"
	"strings"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
)

// MarshalJSON returns the form of Linkerd's /delegator.json, in its order of
// fields. json.Marshal escapes the & of unions in it; an Encoder with
// SetEscapeHTML(false) leaves it as it is.
func (d Delegation) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(newJSONNode(d)); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

type jsonNode struct {
	Type     Kind         `json:"type"`
	Path     string       `json:"path"`
	Dentry   *jsonDentry  `json:"dentry,omitempty"`
	Delegate *jsonNode    `json:"delegate,omitempty"`
	Alt      []*jsonNode  `json:"alt,omitempty"`
	Union    []jsonBranch `json:"union,omitempty"`
	Message  *string      `json:"message,omitempty"`
	Name     string       `json:"name,omitempty"`
	Bound    *jsonBound   `json:"bound,omitempty"`
	Tree     *jsonNode    `json:"tree,omitempty"`
}

type jsonDentry struct {
	Prefix string `json:"prefix"`
	Dst    string `json:"dst"`
}

type jsonBranch struct {
	Weight jsonWeight `json:"weight"`
	Tree   *jsonNode  `json:"tree"`
}

// jsonWeight is a number with a decimal point, as the original's are: clients compare
// texts.
type jsonWeight float64

// MarshalJSON implements json.Marshaler.
func (w jsonWeight) MarshalJSON() ([]byte, error) {
	text := strconv.FormatFloat(float64(w), 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return []byte(text), nil
}

type jsonBound struct {
	Addr jsonAddr `json:"addr"`
	ID   string   `json:"id"`
	Path string   `json:"path"` // the residual
}

// jsonAddr has pointers so that a bound set shows its fields even if they are
// empty and the other types do not have them.
type jsonAddr struct {
	Type  string          `json:"type"`
	Addrs *[]jsonEndpoint `json:"addrs,omitempty"`
	Meta  *map[string]any `json:"meta,omitempty"`
	Cause string          `json:"cause,omitempty"`
}

type jsonEndpoint struct {
	IP   string         `json:"ip"`
	Port int            `json:"port"`
	Meta map[string]any `json:"meta"`
}

func newJSONNode(d Delegation) *jsonNode {
	n := &jsonNode{Type: d.Kind, Path: d.shownPath(), Name: d.Name}
	if d.Dentry != nil && !d.Dentry.Equal(dtab.Nop()) {
		n.Dentry = &jsonDentry{d.Dentry.Prefix.String(), dtab.ShowTree(d.Dentry.Dst)}
	}
	if d.Bound != nil {
		n.Bound = &jsonBound{newJSONAddr(d.Addr), d.Bound.ID.String(), d.Bound.Residual.String()}
	}
	switch d.Kind {
	case KindAlt:
		for _, k := range d.Kids {
			n.Alt = append(n.Alt, newJSONNode(k))
		}
	case KindUnion:
		for _, k := range d.Kids {
			n.Union = append(n.Union, jsonBranch{jsonWeight(k.Weight), newJSONNode(k)})
		}
	case KindException:
		text := ""
		if d.Err != nil {
			text = d.Err.Error()
		}
		n.Message = &text
	case KindDelegate:
		if len(d.Kids) > 0 {
			n.Delegate = newJSONNode(d.Kids[0])
		}
	case KindTransformation:
		if len(d.Kids) > 0 {
			n.Tree = newJSONNode(d.Kids[0])
		}
	case KindNeg, KindFail, KindEmpty, KindLeaf:
	}
	return n
}

// shownPath is the node's path, or the constant that stands where a path could.
func (d Delegation) shownPath() string {
	switch {
	case d.Kind == KindNeg && d.Path.IsEmpty():
		return "~"
	case d.Kind == KindFail && !d.Path.HasPrefix(dtab.MustPath("/$/fail")):
		return "!"
	default:
		return d.Path.String()
	}
}

func newJSONAddr(s State[weft.EndpointSet]) jsonAddr {
	switch {
	case s.Pending():
		return jsonAddr{Type: "pending"}
	case !s.Known:
		return jsonAddr{Type: "failed", Cause: s.Err.Error()}
	case s.Value.Neg:
		return jsonAddr{Type: "neg"}
	}
	addrs := make([]jsonEndpoint, 0, len(s.Value.Endpoints))
	for _, e := range s.Value.Endpoints {
		if e.Local != "" {
			continue // it has no address
		}
		host, port, err := net.SplitHostPort(e.Addr)
		if err != nil {
			host = e.Addr
		}
		j := jsonEndpoint{IP: host, Meta: jsonMeta(e.Meta)}
		j.Port, _ = strconv.Atoi(port)
		if e.Weight != 0 {
			j.Meta["endpoint_addr_weight"] = e.Share()
		}
		addrs = append(addrs, j)
	}
	meta := jsonMeta(s.Value.Meta)
	return jsonAddr{Type: "bound", Addrs: &addrs, Meta: &meta}
}

func jsonMeta(m map[string]string) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

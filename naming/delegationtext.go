package naming

import (
	"errors"
	"fmt"
	"strings"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
)

// Text returns the explanation for people: one node per line, what follows from
// it indented below, with the rule that led to it in parentheses, what the
// namers said in brackets, and, where there is a choice, which branch the name is
// bound to and why the others are not.
func (d Delegation) Text() string {
	var b strings.Builder
	d.text(&b, 0, "", "", true)
	return b.String()
}

// text writes the node and all below it. live says that the name is really bound
// through here, as opposed to a branch that is shown for completeness.
func (d Delegation) text(b *strings.Builder, depth int, mark, why string, live bool) {
	b.WriteString(strings.Repeat("  ", depth))
	b.WriteString(mark)
	b.WriteString(d.shownPath())
	if d.Dentry != nil {
		fmt.Fprintf(b, " (%s)", d.Dentry)
	}
	for _, a := range d.Asked {
		fmt.Fprintf(b, " [%s: %s]", a.Prefix, a.Answer)
	}
	b.WriteString(d.remark())
	if why != "" {
		b.WriteString("  <- " + why)
	}
	b.WriteByte('\n')
	if d.Note != "" {
		fmt.Fprintf(b, "%snote: %s\n", strings.Repeat("  ", depth+1), d.Note)
	}
	switch d.Kind {
	case KindAlt:
		d.textAlt(b, depth+1, live)
	case KindUnion:
		for _, k := range d.Kids {
			out := k.verdict()
			kept := live && out != KindNeg && out != KindFail && out != KindException
			why := ""
			if live && !kept && d.verdict() != out {
				why = "left out of the split"
			}
			k.text(b, depth+1, fmt.Sprintf("%g * ", k.Weight), why, kept)
		}
	default:
		for _, k := range d.Kids {
			k.text(b, depth+1, "", "", live)
		}
	}
}

// textAlt writes the branches of an Alt up to the one that answers, and then
// those that are not reached.
func (d Delegation) textAlt(b *strings.Builder, depth int, live bool) {
	reached := live
	for _, k := range d.Kids {
		mark, why := "- ", ""
		out := k.verdict()
		switch {
		case !live:
		case !reached:
			why = "not reached: an earlier branch answered"
		case out == KindNeg:
			why = "neg"
		case out == KindFail:
			why = "fail stops here"
		case k.waits():
			why = "the name waits for this"
		case out == KindException:
			why = "an error stops here: failover is for names that do not exist"
		default:
			mark, why = "+ ", "taken"
		}
		k.text(b, depth, mark, why, reached)
		if out != KindNeg {
			reached = false
		}
	}
}

// remark says what the node came to.
func (d Delegation) remark() string {
	switch d.Kind {
	case KindNeg:
		if d.Path.IsEmpty() {
			return ": the rule says that there is no such name"
		}
		return ": no rule and no namer knows this name"
	case KindFail:
		return ": fail"
	case KindEmpty:
		return ": exists and has no members"
	case KindException:
		if d.waits() {
			return ": no answer yet"
		}
		return fmt.Sprintf(": error: %v", d.Err)
	case KindAlt:
		return ", the first of:"
	case KindUnion:
		return ", split over:"
	case KindLeaf:
		return d.boundText()
	case KindTransformation:
		return d.boundText() + ", transformed by " + d.Name
	default:
		return ""
	}
}

// waits reports whether the node has no verdict yet because a namer has not
// answered.
func (d Delegation) waits() bool {
	for d.Kind == KindDelegate && len(d.Kids) > 0 {
		d = d.Kids[0]
	}
	return d.Kind == KindException && errors.Is(d.Err, errUnanswered)
}

func (d Delegation) boundText() string {
	if d.Bound == nil {
		return ""
	}
	text := " = " + d.Bound.ID.String()
	if !d.Bound.Residual.IsEmpty() {
		text += " + " + d.Bound.Residual.String()
	}
	if d.Kind == KindLeaf {
		text += ": " + setText(d.Addr)
	}
	return text
}

// setText returns an endpoint set in one line.
func setText(s State[weft.EndpointSet]) string {
	switch {
	case s.Pending():
		return "endpoints are pending"
	case !s.Known:
		return "no endpoints: " + s.Err.Error()
	case s.Value.Neg:
		return "no such endpoint set"
	case len(s.Value.Endpoints) == 0:
		return "no endpoints"
	}
	const show = 8
	var addrs []string
	for i, e := range s.Value.Endpoints {
		if i == show {
			addrs = append(addrs, fmt.Sprintf("and %d more", len(s.Value.Endpoints)-show))
			break
		}
		addrs = append(addrs, e.Addr)
	}
	text := strings.Join(addrs, ", ")
	if s.Err != nil {
		text += " (stale: " + s.Err.Error() + ")"
	}
	return text
}

// verdict is what the node is bound to: KindLeaf for anything with members, or
// the constant or the exception that it comes to.
func (d Delegation) verdict() Kind {
	switch d.Kind {
	case KindDelegate, KindTransformation:
		if len(d.Kids) == 0 {
			return KindNeg
		}
		return d.Kids[0].verdict()
	case KindAlt:
		for _, k := range d.Kids {
			if v := k.verdict(); v != KindNeg {
				return v
			}
		}
		return KindNeg
	case KindUnion:
		var t dtab.Tree[Kind]
		t.Op = dtab.Union
		for _, k := range d.Kids {
			switch v := k.verdict(); v {
			case KindException:
			case KindNeg:
				t.Kids = append(t.Kids, dtab.Tree[Kind]{})
			case KindFail:
				t.Kids = append(t.Kids, dtab.Tree[Kind]{Op: dtab.Fail, Value: v})
			default:
				t.Kids = append(t.Kids, dtab.LeafOf(v))
			}
		}
		if len(t.Kids) == 0 && len(d.Kids) > 0 {
			return KindException
		}
		switch t = dtab.Simplify(t); t.Op {
		case dtab.Neg:
			return KindNeg
		case dtab.Union:
			return KindLeaf
		default:
			return t.Value
		}
	default:
		return d.Kind
	}
}

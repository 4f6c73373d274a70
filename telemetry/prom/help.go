package prom

import "strings"

// helpText is the help of the metrics whose name, element by element, matches a pattern: *
// is any element, ** any number of them, and a|b either of two. Those of a table are tried in
// their order. Names are those of metrics, so without what has become a label.
//
// A text that is for whatever else there may be in a scope begins with "About".
type helpText struct{ pattern, text string }

// unknownHelp is for metrics that others than weft have put into the tree.
const unknownHelp = "A metric without a description."

// help returns what the metric is whose name has these elements.
func help(elems []string) string {
	texts := otherHelp[:]
	if len(elems) > 0 && elems[0] == "rt" {
		texts, elems = routerHelp[:], elems[1:]
	}
	for _, h := range texts {
		if matches(h.pattern, elems) {
			return h.text
		}
	}
	return unknownHelp
}

// helpSuffix is what the families of a stat have behind that.
func helpSuffix(suffix string) string {
	switch suffix {
	case "_avg":
		return " The average of the last closed window."
	case "_histogram":
		return " Since the start."
	}
	return ""
}

func matches(pattern string, elems []string) bool {
	for {
		p, rest, more := strings.Cut(pattern, " ")
		switch {
		case p == "**":
			return !more || len(elems) > 0 && elems[len(elems)-1] == rest // one element can follow it
		case len(elems) == 0:
			return false
		case p == "*":
		default:
			found := false
			for one := range strings.SplitSeq(p, "|") {
				found = found || one == elems[0]
			}
			if !found {
				return false
			}
		}
		elems = elems[1:]
		if !more {
			return len(elems) == 0
		}
		pattern = rest
	}
}

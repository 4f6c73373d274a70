package prom

import (
	"strconv"

	"github.com/weft-mesh/weft/telemetry"
)

// series is the name and the labels that the path of one metric becomes. It is
// reused from metric to metric.
type series struct {
	name   []byte // with the prefix, characters replaced
	labels []byte // key="value" pairs with ", " between, without the braces

	elems []string // what is left of the path for the name
	exc   []string // elements of the exception label
}

// The labels that a path can have been given so far.
const (
	hasRouter = 1 << iota
	hasStack
	hasService
)

// rewrite turns path into a name and labels. The elements of a path are read one
// after the other; whenever those kept so far are a known prefix, the last one
// moves to a label:
//
//	rt, R                            rt="R"
//	rt, service|client|server, X     service|client|server="X"
//	rt, client, service, X           service="X"
//	rt, <stack>, failures, X, …      exception="X:…"
//	rt, <stack>, exn, X, …           exception="X:…", and exn is called exceptions
//
// Failures below rt, client, service are too deep for the last two, and keep
// their names in the metric's name, as in the original.
func (s *series) rewrite(prefix string, path []string) {
	s.elems, s.exc, s.labels = s.elems[:0], s.exc[:0], s.labels[:0]
	has := 0
	for i, e := range path {
		switch n := len(s.elems); {
		case n == 0 || s.elems[0] != "rt":
			s.elems = append(s.elems, e)
		case n == 1 && has&hasRouter == 0:
			s.label("rt", e)
			has |= hasRouter
		case n == 2 && has&hasStack == 0 && isStack(s.elems[1]):
			s.label(s.elems[1], e)
			has |= hasStack
			if s.elems[1] == "service" {
				has |= hasService
			}
		case n == 3 && has&hasService == 0 && s.elems[1] == "client" && s.elems[2] == "service":
			s.label("service", e)
			has |= hasService
		case n == 3 && isStack(s.elems[1]) && (s.elems[2] == "failures" || s.elems[2] == "exn"):
			if s.elems[2] == "exn" {
				s.elems[2] = "exceptions"
			}
			s.exc = append(s.exc, path[i:]...)
		default:
			s.elems = append(s.elems, e)
		}
		if len(s.exc) > 0 {
			break
		}
	}
	if len(s.exc) > 0 {
		s.label("exception", s.exc...)
	}
	s.name = append(s.name[:0], prefix...)
	for i, e := range s.elems {
		if i > 0 {
			s.name = append(s.name, ':')
		}
		s.name = append(s.name, e...)
	}
	for i, c := range s.name {
		if !isNameChar(c) {
			s.name[i] = '_'
		}
	}
}

// label adds a label whose value is parts joined by colons.
func (s *series) label(key string, parts ...string) {
	if len(s.labels) > 0 {
		s.labels = append(s.labels, ", "...)
	}
	s.labels = append(s.labels, key...)
	s.labels = append(s.labels, '=', '"')
	for i, p := range parts {
		if i > 0 {
			s.labels = append(s.labels, ':')
		}
		for j := range len(p) {
			switch p[j] {
			case '\\', '"', '\n':
				s.labels = append(s.labels, '\\', '\\')
			default:
				s.labels = append(s.labels, p[j])
			}
		}
	}
	s.labels = append(s.labels, '"')
}

// append appends the samples of m to out.
func (s *series) append(out []byte, m telemetry.Metric) []byte {
	switch m.Kind {
	case telemetry.KindCounter:
		out = s.appendInt(out, "", "", m.Int)
	case telemetry.KindGauge:
		out = s.appendFloat(out, "", m.Float)
	case telemetry.KindStat:
		if m.Summary.Count > 0 {
			out = s.appendSummary(out, m.Summary)
		}
	}
	return out
}

func (s *series) appendSummary(out []byte, sum *telemetry.Summary) []byte {
	out = s.appendInt(out, "_count", "", sum.Count)
	out = s.appendInt(out, "_sum", "", sum.Sum)
	out = s.appendFloat(out, "_avg", sum.Avg)
	return s.appendQuantiles(out, sum)
}

func (s *series) appendQuantiles(out []byte, sum *telemetry.Summary) []byte {
	out = s.appendInt(out, "", "0", sum.Min)
	out = s.appendInt(out, "", "0.5", sum.P50)
	out = s.appendInt(out, "", "0.9", sum.P90)
	out = s.appendInt(out, "", "0.95", sum.P95)
	out = s.appendInt(out, "", "0.99", sum.P99)
	out = s.appendInt(out, "", "0.999", sum.P9990)
	out = s.appendInt(out, "", "0.9999", sum.P9999)
	return s.appendInt(out, "", "1", sum.Max)
}

func (s *series) appendInt(out []byte, suffix, quantile string, n int64) []byte {
	out = s.appendKey(out, suffix, quantile)
	out = strconv.AppendInt(out, n, 10)
	return append(out, '\n')
}

func (s *series) appendFloat(out []byte, suffix string, f float64) []byte {
	out = s.appendKey(out, suffix, "")
	out = telemetry.AppendFloat(out, f)
	return append(out, '\n')
}

func (s *series) appendKey(out []byte, suffix, quantile string) []byte {
	out = append(out, s.name...)
	out = append(out, suffix...)
	if len(s.labels) > 0 || quantile != "" {
		out = append(out, '{')
		out = append(out, s.labels...)
		if quantile != "" {
			if len(s.labels) > 0 {
				out = append(out, ", "...)
			}
			out = append(out, `quantile="`...)
			out = append(out, quantile...)
			out = append(out, '"')
		}
		out = append(out, '}')
	}
	return append(out, ' ')
}

func isStack(e string) bool { return e == "service" || e == "client" || e == "server" }

func isNameChar(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == ':'
}

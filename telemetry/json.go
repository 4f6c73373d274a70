package telemetry

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// ErrNoSubtree is returned by WriteJSON when the tree has no scope at
// JSONOptions.Subtree. Its text is the one that metrics.json answers with.
var ErrNoSubtree = errors.New("No such subtree") //nolint:staticcheck // the text is part of the HTTP interface

// JSONOptions say in which form WriteJSON writes. The zero value writes all
// metrics as one flat object.
type JSONOptions struct {
	// Pretty sorts by name and puts every metric on a line. It has no effect on
	// Tree.
	Pretty bool

	// Tree writes nested objects, one for each scope.
	Tree bool

	// Subtree limits the output to the scope with this path, elements joined by
	// slashes. Elements that contain slashes are found too. Empty is the root.
	Subtree string
}

// ParseJSONOptions reads the query of a metrics.json request: pretty and tree
// ("1", "true" or "t"), and q. Other values are taken as false.
func ParseJSONOptions(q url.Values) JSONOptions {
	is := func(key string) bool {
		switch strings.ToLower(q.Get(key)) {
		case "1", "true", "t":
			return true
		}
		return false
	}
	return JSONOptions{Pretty: is("pretty"), Tree: is("tree"), Subtree: q.Get("q")}
}

// WriteJSON writes the tree as the metrics.json of Linkerd's admin server does. It
// returns an error that wraps ErrNoSubtree, before anything is written, or the
// error of w.
func WriteJSON(w io.Writer, t *Tree, opts JSONOptions) error {
	at := t.Scope()
	if q := strings.Trim(opts.Subtree, "/"); q != "" {
		if at = at.find(q); at == nil {
			return fmt.Errorf("%w: %s", ErrNoSubtree, opts.Subtree)
		}
	}
	j := &jsonWriter{w: w}
	switch {
	case at == nil:
		j.buf = append(j.buf, "{}"...)
	case opts.Tree:
		j.tree(at)
	case opts.Pretty:
		j.pretty(at)
	default:
		j.buf = append(j.buf, '{')
		j.flat(at, "")
		j.buf = append(j.buf, '}')
	}
	j.flush()
	return j.err
}

// find returns the scope below s whose path joined by slashes is q, nil if there
// is none. Where several readings of q exist the one that splits at the earliest
// slash wins, which is the only one that the original knows.
func (s *Scope) find(q string) *Scope {
	if s == nil {
		return nil
	}
	for end := 0; end < len(q); end++ {
		slash := strings.IndexByte(q[end:], '/')
		if slash < 0 {
			return s.lookup(q)
		}
		end += slash
		if k := s.lookup(q[:end]); k != nil {
			if found := k.find(q[end+1:]); found != nil {
				return found
			}
		}
	}
	return s.lookup(q)
}

// lookup returns the scope called name in s, nil if there is none.
func (s *Scope) lookup(name string) *Scope {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.kids[name]; k != nil {
		return k
	}
	return s.grouped(name)
}

// jsonWriter builds the text in pieces that it hands to w. After an error it
// writes nothing more.
type jsonWriter struct {
	w    io.Writer
	buf  []byte
	sep  string // goes before the next key
	next string // what sep is after that
	kv   string // between key and value
	err  error
}

func (j *jsonWriter) flat(s *Scope, name string) {
	j.next, j.kv = ",", ":"
	if m, ok := s.read(); ok {
		j.metric(name, m)
	}
	for _, k := range s.sorted() {
		if name == "" {
			j.flat(k, k.name)
		} else {
			j.flat(k, name+"/"+k.name)
		}
	}
}

func (j *jsonWriter) pretty(s *Scope) {
	type named struct {
		name string
		m    Metric
	}
	var all []named
	for path, m := range s.All() {
		all = append(all, named{strings.Join(path, "/"), m})
	}
	slices.SortStableFunc(all, func(a, b named) int { return strings.Compare(a.name, b.name) })
	j.sep, j.next, j.kv = "\n  ", ",\n  ", " : "
	j.buf = append(j.buf, '{')
	for _, n := range all {
		j.metric(n.name, n.m)
	}
	if len(all) == 0 {
		j.buf = append(j.buf, " }"...)
	} else {
		j.buf = append(j.buf, "\n}"...)
	}
}

func (j *jsonWriter) tree(s *Scope) {
	j.next, j.kv = ",", ":"
	j.buf = append(j.buf, '{')
	j.sep = ""
	if m, ok := s.read(); ok {
		j.metric(m.Kind.String(), m)
	}
	for _, k := range s.sorted() {
		j.key(k.name)
		j.tree(k)
		j.sep = j.next
	}
	j.buf = append(j.buf, '}')
}

func (j *jsonWriter) metric(name string, m Metric) {
	switch m.Kind {
	case KindCounter:
		j.int(name, m.Int)
	case KindGauge:
		j.float(name, m.Float)
	case KindStat:
		sum := m.Summary
		j.int(name+".count", sum.Count)
		if sum.Count == 0 {
			return
		}
		j.int(name+".max", sum.Max)
		j.int(name+".min", sum.Min)
		j.int(name+".p50", sum.P50)
		j.int(name+".p90", sum.P90)
		j.int(name+".p95", sum.P95)
		j.int(name+".p99", sum.P99)
		j.int(name+".p9990", sum.P9990)
		j.int(name+".p9999", sum.P9999)
		j.int(name+".sum", sum.Sum)
		j.float(name+".avg", sum.Avg)
	}
}

func (j *jsonWriter) int(name string, n int64) {
	j.key(name)
	j.buf = strconv.AppendInt(j.buf, n, 10)
}

func (j *jsonWriter) float(name string, f float64) {
	j.key(name)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		j.buf = append(j.buf, "null"...) // JSON has no such numbers
		return
	}
	j.buf = AppendFloat(j.buf, f)
}

func (j *jsonWriter) key(name string) {
	if len(j.buf) > 32<<10 {
		j.flush()
	}
	j.buf = append(j.buf, j.sep...)
	j.sep = j.next
	j.buf = appendJSONString(j.buf, name)
	j.buf = append(j.buf, j.kv...)
}

func (j *jsonWriter) flush() {
	if j.err == nil {
		_, j.err = j.w.Write(j.buf)
	}
	j.buf = j.buf[:0]
}

func appendJSONString(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x7f {
			quoted, _ := json.Marshal(s) // a string always has a JSON form
			return append(dst, quoted...)
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}

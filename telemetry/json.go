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

	"github.com/weft-mesh/weft/internal/inorder"
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

	// Subtree limits the output to the scope with this path, see Scope.Find. Empty is
	// the root.
	Subtree string
}

// ParseJSONOptions reads the query of a metrics.json request: pretty and tree
// ("1", "true" or "t" for yes; "0", "false", "f" or nothing for no), and q. Keys that it
// does not know are left alone. The error says what is wrong with the query.
func ParseJSONOptions(query string) (JSONOptions, error) {
	q, err := url.ParseQuery(query)
	if err != nil {
		return JSONOptions{}, fmt.Errorf("malformed query: %w", err)
	}
	o := JSONOptions{Subtree: q.Get("q")}
	for key, into := range map[string]*bool{"pretty": &o.Pretty, "tree": &o.Tree} {
		switch v := q.Get(key); strings.ToLower(v) {
		case "1", "true", "t":
			*into = true
		case "0", "false", "f", "":
		default:
			return JSONOptions{}, fmt.Errorf("%s is %q; want 1, true or t, or nothing", key, v)
		}
	}
	return o, nil
}

// WriteJSON writes the tree as the metrics.json of Linkerd's admin server does. It
// returns an error that wraps ErrNoSubtree, before anything is written, or the
// error of w.
func WriteJSON(w io.Writer, t *Tree, opts JSONOptions) error {
	at := t.Scope()
	if strings.Trim(opts.Subtree, "/") != "" {
		if at = at.Find(opts.Subtree); at == nil {
			return fmt.Errorf("%w: %s", ErrNoSubtree, opts.Subtree)
		}
	}
	j := &jsonWriter{w: w, of: t}
	switch {
	case at == nil:
		j.buf = append(j.buf, "{}"...)
	case opts.Tree:
		j.nested(at)
	case opts.Pretty:
		j.pretty(at)
	default:
		j.flat(at)
	}
	j.flush()
	return j.err
}

// jsonWriter builds the text in pieces that it hands to w. After an error it
// writes nothing more.
type jsonWriter struct {
	w    io.Writer // nil for a part of the text, which is in buf as a whole
	of   *Tree
	buf  []byte
	sep  string // goes before the next key
	next string // what sep is after that
	kv   string // between key and value
	err  error
}

// flat writes what s carries and the metrics below it.
func (j *jsonWriter) flat(s *Scope) {
	j.buf = append(j.buf, '{')
	j.next, j.kv = ",", ":"
	if m, ok := s.read(j.of); ok && !m.early() {
		j.metric(nil, m)
	}
	j.parts(s.Parts(), func(x *jsonWriter, _ int, p *Part) { x.part(p) }, j.piece)
	j.buf = append(j.buf, '}')
}

// jsonTeam writes parts of a tree.
type jsonTeam struct {
	*inorder.Team
	writers []jsonWriter
}

func newJSONTeam() *jsonTeam {
	t := &jsonTeam{Team: inorder.New()}
	t.writers = make([]jsonWriter, t.Len())
	return t
}

// parts has several writers write the parts of a tree, and take what they have written.
func (j *jsonWriter) parts(parts []Part, write func(x *jsonWriter, i int, p *Part), take func([]byte) error) {
	team := j.of.writers.Swap(nil)
	if team == nil {
		team = newJSONTeam()
	}
	defer j.of.writers.Store(team)
	_ = team.Do(len(parts), func(worker, i int, buf []byte) []byte {
		x := &team.writers[worker]
		*x = jsonWriter{of: j.of, buf: buf, next: j.next, kv: j.kv}
		write(x, i, &parts[i])
		return x.buf
	}, take)
}

// piece writes the members that are next in an object.
func (j *jsonWriter) piece(text []byte) error {
	if len(text) > 0 {
		j.buf = append(append(j.buf, j.sep...), text...)
		j.sep = j.next
	}
	if len(j.buf) > 64<<10 {
		j.flush()
	}
	return j.err
}

func (j *jsonWriter) part(p *Part) {
	var room [256]byte
	name := room[:0]
	for _, elem := range p.path {
		name = append(appendJSONText(name, elem), '/')
	}
	p.each(j.of, func(k string, m Metric, ok bool, below *Scope) bool {
		j.named(name, k, m, ok, below)
		return true
	})
}

// named writes what is called k in a scope whose name is name, with the slash that
// follows: text as it stands between quotes.
func (j *jsonWriter) named(name []byte, k string, m Metric, ok bool, below *Scope) {
	name = appendJSONText(name, k)
	if ok && !m.early() {
		j.metric(name, m)
	}
	if below != nil {
		name = append(name, '/')
		below.each(j.of, func(k string, m Metric, ok bool, below *Scope) bool {
			j.named(name, k, m, ok, below)
			return true
		})
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
		j.metric(appendJSONText(nil, n.name), n.m)
	}
	if len(all) == 0 {
		j.buf = append(j.buf, " }"...)
	} else {
		j.buf = append(j.buf, "\n}"...)
	}
}

// nested writes nested objects. The object of a scope that has parts of its own is left
// open for them.
func (j *jsonWriter) nested(s *Scope) {
	j.next, j.kv = ",", ":"
	m, ok := s.read(j.of)
	j.begin(m, ok)
	parts := s.Parts()
	var (
		seps  []string // of the objects around the one that is being written
		after = make([]string, len(parts))
		i     = 0
	)
	j.parts(parts, func(x *jsonWriter, i int, p *Part) {
		p.each(j.of, func(k string, m Metric, ok bool, below *Scope) bool {
			x.member(k, m, ok, below)
			return true
		})
		if p.cut { // take back the end
			x.buf = x.buf[:len(x.buf)-1]
			if x.buf[len(x.buf)-1] != '{' {
				after[i] = x.next
			}
		}
	}, func(text []byte) error {
		for ; len(seps) > len(parts[i].path); seps = seps[:len(seps)-1] {
			j.end(seps[len(seps)-1])
		}
		err := j.piece(text)
		if parts[i].cut {
			seps, j.sep = append(seps, j.sep), after[i]
		}
		i++
		return err
	})
	for range seps {
		j.end("")
	}
	j.end("")
}

// begin begins the object of a scope with what it carries.
func (j *jsonWriter) begin(m Metric, ok bool) {
	j.buf = append(j.buf, '{')
	j.sep = ""
	if ok && !m.early() {
		j.metric([]byte(m.Kind.String()), m)
	}
}

// end ends an object. Sep goes before what follows.
func (j *jsonWriter) end(sep string) {
	j.buf = append(j.buf, '}')
	j.sep = sep
}

// member writes what is called k in an object.
func (j *jsonWriter) member(k string, m Metric, ok bool, below *Scope) {
	var name [64]byte
	j.key(appendJSONText(name[:0], k), "")
	j.begin(m, ok)
	if below != nil {
		below.each(j.of, func(k string, m Metric, ok bool, below *Scope) bool {
			j.member(k, m, ok, below)
			return true
		})
	}
	j.end(j.next)
}

func (j *jsonWriter) metric(name []byte, m Metric) {
	switch m.Kind {
	case KindCounter:
		j.int(name, "", m.Int)
	case KindGauge:
		j.float(name, "", m.Float)
	case KindStat:
		sum := m.Summary
		j.int(name, ".count", sum.Count)
		if sum.Count == 0 {
			return
		}
		j.int(name, ".max", sum.Max)
		j.int(name, ".min", sum.Min)
		j.int(name, ".p50", sum.P50)
		j.int(name, ".p90", sum.P90)
		j.int(name, ".p95", sum.P95)
		j.int(name, ".p99", sum.P99)
		j.int(name, ".p9990", sum.P9990)
		j.int(name, ".p9999", sum.P9999)
		j.int(name, ".sum", sum.Sum)
		j.float(name, ".avg", sum.Avg)
	}
}

func (j *jsonWriter) int(name []byte, suffix string, n int64) {
	j.key(name, suffix)
	j.buf = strconv.AppendInt(j.buf, n, 10)
}

func (j *jsonWriter) float(name []byte, suffix string, f float64) {
	j.key(name, suffix)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		j.buf = append(j.buf, "null"...) // JSON has no such numbers
		return
	}
	j.buf = AppendFloat(j.buf, f)
}

func (j *jsonWriter) key(name []byte, suffix string) {
	if j.w != nil && len(j.buf) > 64<<10 {
		j.flush()
	}
	j.buf = append(j.buf, j.sep...)
	j.sep = j.next
	j.buf = append(j.buf, '"')
	j.buf = append(j.buf, name...)
	j.buf = append(j.buf, suffix...)
	j.buf = append(j.buf, '"')
	j.buf = append(j.buf, j.kv...)
}

func (j *jsonWriter) flush() {
	if j.err == nil {
		_, j.err = j.w.Write(j.buf)
	}
	j.buf = j.buf[:0]
}

// appendJSONText appends s as it stands between the quotes of a JSON string.
func appendJSONText(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x7f {
			quoted, _ := json.Marshal(s) // a string always has a JSON form
			return append(dst, quoted[1:len(quoted)-1]...)
		}
	}
	return append(dst, s...)
}

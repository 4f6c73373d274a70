package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Table is a table of one metric: a row for each contender, a column for each cell.
type Table struct {
	Section, Metric string
	Title           string
	Format          string   // of a value, for fmt; default "%.1f"
	Ratio           string   // a contender, or "" for no rows of ratios …
	To              []string // … to these
	Brief           bool     // does not say why something is missing, as another table has
}

// Write writes the table as Markdown; nothing if the section was not measured.
func (t Table) Write(w io.Writer, r *Report) {
	cells, entrants := r.cells(t.Section), r.entrants(t.Section)
	if len(cells) == 0 {
		return
	}
	fmt.Fprintf(w, "### %s\n\n| |%s\n|---|%s\n", t.Title, row(cells), strings.Repeat("---:|", len(cells)))
	for _, e := range entrants {
		values := make([]string, len(cells))
		for i, c := range cells {
			values[i] = t.value(r, c, e)
		}
		fmt.Fprintf(w, "| %s |%s\n", e, row(values))
	}
	for _, to := range t.To {
		if t.Ratio == to || !slices.Contains(entrants, t.Ratio) || !slices.Contains(entrants, to) {
			continue
		}
		values := make([]string, len(cells))
		for i, c := range cells {
			values[i] = "–"
			a, okA := r.Value(t.Section, c, t.Ratio, t.Metric)
			b, okB := r.Value(t.Section, c, to, t.Metric)
			if okA && okB && b > 0 {
				values[i] = fmt.Sprintf("**%.2f**", a/b)
			}
		}
		fmt.Fprintf(w, "| *%s ÷ %s* |%s\n", t.Ratio, to, row(values))
	}
	fmt.Fprintf(w, "\n%s", t.notes(r, cells, entrants))
}

func row(values []string) string {
	var b strings.Builder
	for _, v := range values {
		b.WriteString(" " + v + " |")
	}
	return b.String()
}

func (t Table) value(r *Report, cell, entrant string) string {
	v, ok := r.Value(t.Section, cell, entrant, t.Metric)
	if !ok {
		return "–"
	}
	format := t.Format
	if format == "" {
		format = "%.1f"
	}
	text := fmt.Sprintf(format, v)
	if r.failed(t.Section, cell, entrant) > 0 {
		text += " †"
	}
	return text
}

// failed returns how many requests failed in all rounds.
func (r *Report) failed(section, cell, entrant string) (n float64) {
	if s := r.find(section, cell, entrant); s != nil {
		for _, v := range s.Values[Errors] {
			n += v
		}
	}
	return n
}

// notes tells how far the rounds lie apart, what failed and what is missing.
func (t Table) notes(r *Report, cells, entrants []string) string {
	var b strings.Builder
	var spreads []float64
	worst, where := 0.0, ""
	why := map[string][]string{}
	for _, e := range entrants {
		for _, c := range cells {
			s := r.find(t.Section, c, e)
			if s == nil {
				continue
			}
			if len(s.Values[t.Metric]) > 1 {
				d := Spread(s.Values[t.Metric])
				spreads = append(spreads, d)
				if d > worst {
					worst, where = d, e+", "+c
				}
			}
			if n := r.failed(t.Section, c, e); n > 0 {
				fmt.Fprintf(&b, "† %s, %s: %.0f requests failed.\n", e, c, n)
			}
			if s.Missing != "" && !slices.Contains(why[e], s.Missing) {
				why[e] = append(why[e], s.Missing)
			}
		}
		for _, m := range why[e] {
			if t.Brief {
				break
			}
			fmt.Fprintf(&b, "– %s: %s.\n", e, strings.TrimRight(m, ". \n"))
		}
	}
	if worst > 0 {
		fmt.Fprintf(&b, "The rounds lie %.0f %% apart (median over the cells), at most %.0f %% (%s).\n", 100*Median(spreads), 100*worst, where)
	}
	if b.Len() == 0 {
		return ""
	}
	return strings.ReplaceAll(strings.TrimSpace(b.String()), "\n", "  \n") + "\n\n"
}

package report

import (
	"encoding/xml"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		in   []float64
		want float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 3, 2}, 2.5}} {
		assert.InDelta(t, c.want, Median(c.in), 1e-9, "%v", c.in)
	}
	in := []float64{3, 1, 2}
	Median(in)
	assert.Equal(t, []float64{3, 1, 2}, in, "the argument is left alone")
	assert.InDelta(t, 1.0, Spread(in), 1e-9)
	assert.Zero(t, Spread([]float64{0, 0}))
}

func sample() *Report {
	r := &Report{
		Date: "2026-11-21", Command: "make bench-wire", Machine: []string{"2 cores"}, Rounds: 3, Seconds: 1, Minutes: 2,
		Entrants: []Entrant{{Name: "weft", Version: "1"}, {Name: "nginx"}, {Name: "traefik", Missing: "not installed"}},
	}
	for _, v := range []float64{18, 20, 30} {
		r.Add("h1", "32 × 12 B", "nginx", map[string]float64{CPU: v, Errors: 0})
		r.Add("h1", "32 × 12 B", "weft", map[string]float64{CPU: v / 2, Errors: 1})
	}
	r.Miss("h1", "1 × 12 B", "weft", "it <crashed>.")
	r.Add("h1", "1 × 12 B", "nginx", map[string]float64{CPU: 40, Errors: 0})
	return r
}

func TestTable(t *testing.T) {
	var b strings.Builder
	Table{Section: "h1", Metric: CPU, Title: "T", Ratio: "weft", To: []string{"nginx", "haproxy"}}.Write(&b, sample())
	assert.Equal(t, `### T

| | 32 × 12 B | 1 × 12 B |
|---|---:|---:|
| weft | 10.0 † | – |
| nginx | 20.0 | 40.0 |
| *weft ÷ nginx* | **0.50** | – |

† weft, 32 × 12 B: 3 requests failed.`+"  "+`
– weft: it <crashed>.`+"  "+`
The rounds lie 60 % apart (median over the cells), at most 60 % (weft, 32 × 12 B).

`, b.String())

	b.Reset()
	Table{Section: "h2", Metric: CPU}.Write(&b, sample())
	assert.Empty(t, b.String())
}

func TestMarkdownNamesWhatIsMissing(t *testing.T) {
	var b strings.Builder
	Markdown(&b, sample())
	assert.Contains(t, b.String(), "Contenders: weft (1); nginx\n")
	assert.Contains(t, b.String(), "Missing: traefik (not installed)\n")
	assert.Contains(t, b.String(), "2026-11-21")
	assert.Contains(t, b.String(), "`make bench-wire`")
}

func TestInsert(t *testing.T) {
	doc, err := Insert("a\n"+begin+"\nold\n"+end+"\nz\n", "\nnew\n")
	require.NoError(t, err)
	assert.Equal(t, "a\n"+begin+"\n\nnew\n\n"+end+"\nz\n", doc)
	again, err := Insert(doc, "new")
	require.NoError(t, err)
	assert.Equal(t, doc, again)
	_, err = Insert("a\n"+end, "new")
	assert.Error(t, err)
}

func TestPlotIsXMLWithABarForEveryValue(t *testing.T) {
	svg := Plot(sample(), []Panel{{"h1", "32 × 12 B", CPU, "a < b"}, {"h2", "none", CPU, "not measured"}})
	d := xml.NewDecoder(strings.NewReader(svg))
	var widths []string
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		if e, ok := tok.(xml.StartElement); ok && e.Name.Local == "rect" {
			for _, a := range e.Attr {
				if a.Name.Local == "width" {
					widths = append(widths, a.Value)
				}
			}
		}
	}
	assert.Equal(t, []string{"114.0", "228.0"}, widths, "half as long, and as long as there is room")
	assert.NotContains(t, svg, "not measured")
	assert.Contains(t, svg, "prefers-color-scheme: dark")
}

func TestJSONRoundTripAndCompare(t *testing.T) {
	file := filepath.Join(t.TempDir(), "r.json")
	require.NoError(t, sample().Write(file))
	old, err := Read(file)
	require.NoError(t, err)
	assert.Equal(t, sample().Entrants, old.Entrants)
	now := sample()
	now.find("h1", "1 × 12 B", "nginx").Values[CPU] = []float64{60}
	var b strings.Builder
	Compare(&b, old, now, CPU)
	assert.Contains(t, b.String(), "| h1, 1 × 12 B, nginx | 40.0 | 60.0 | 1.50 |")
	assert.NotContains(t, b.String(), "1 × 12 B, weft")
}

package report

import (
	"fmt"
	"html"
	"strings"
)

// Panel is a part of a plot: the bars of the contenders in one cell.
type Panel struct {
	Section, Cell, Metric string
	Title                 string
}

// Panels are those of the document; the ones that were not measured are left out.
func Panels() []Panel {
	return []Panel{
		{"h1", "32 × 12 B", CPU, "HTTP/1.1, 32 connections, 12 B"},
		{"h1", "32 × 10 KB", CPU, "HTTP/1.1, 32 connections, 10 KB"},
		{"h1", "TLS 32 × 12 B", CPU, "HTTP/1.1 over TLS, 32 connections, 12 B"},
		{"h2", "8 × 16", CPU, "HTTP/2, 8 connections × 16 streams"},
		{"grpc", "unary 8 × 16", CPU, "gRPC unary, 8 connections × 16 calls"},
		{"grpc", "ping-pong 8 × 16", CPU, "gRPC streams, per message"},
	}
}

// The measures of a plot, in pixels.
const (
	panelWidth = 380
	labelWidth = 96
	valueWidth = 56
	barHeight  = 14
	barStep    = 20
	titleSpace = 30
	gap        = 20
	columns    = 2
)

// The colours follow the reader's preference, also where the file is an <img>.
const style = `<style>
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600 }
.note { fill: #57606a }
.other { fill: #8c959f }
.weft { fill: #0969da }
.axis { stroke: #8c959f }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.note { fill: #9198a1 }
.other { fill: #656c76 }
.weft { fill: #4493f8 }
.axis { stroke: #656c76 }
}
</style>
`

// Plot returns an SVG of the panels that were measured. A bar is a median; shorter is
// better; each panel has its own scale.
func Plot(r *Report, panels []Panel) string {
	var shown []Panel
	rows := 0
	for _, p := range panels {
		if n := len(p.bars(r)); n > 0 {
			shown, rows = append(shown, p), max(rows, n)
		}
	}
	height := titleSpace + rows*barStep + gap
	lines := (len(shown) + columns - 1) / columns
	width, total := columns*panelWidth+(columns-1)*gap, lines*height+2*gap
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">`+"\n", width, total, width, total)
	fmt.Fprintf(&b, "<title>CPU microseconds of the proxy per request</title>\n%s", style)
	for i, p := range shown {
		p.draw(&b, r, i%columns*(panelWidth+gap), i/columns*height)
	}
	fmt.Fprintf(&b, `<text class="note" x="0" y="%d">CPU µs of the proxy per request, %s. Shorter is better; each panel has its own scale.</text>`+"\n", total-gap/2, html.EscapeString(r.Date))
	b.WriteString("</svg>\n")
	return b.String()
}

type bar struct {
	name  string
	value float64
}

func (p Panel) bars(r *Report) []bar {
	var all []bar
	for _, e := range r.entrants(p.Section) {
		if v, ok := r.Value(p.Section, p.Cell, e, p.Metric); ok {
			all = append(all, bar{e, v})
		}
	}
	return all
}

func (p Panel) draw(b *strings.Builder, r *Report, x, y int) {
	bars := p.bars(r)
	longest := 0.0
	for _, s := range bars {
		longest = max(longest, s.value)
	}
	fmt.Fprintf(b, `<text class="title" x="%d" y="%d">%s</text>`+"\n", x, y+16, html.EscapeString(p.Title))
	left, room := x+labelWidth, float64(panelWidth-labelWidth-valueWidth)
	for i, s := range bars {
		top := y + titleSpace + i*barStep
		class := "other"
		if s.name == "weft" {
			class = "weft"
		}
		w := 0.0
		if longest > 0 {
			w = room * s.value / longest
		}
		fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end">%s</text>`, left-6, top+barHeight-3, html.EscapeString(s.name))
		fmt.Fprintf(b, `<rect class="%s" x="%d" y="%d" width="%.1f" height="%d"/>`, class, left, top, w, barHeight)
		fmt.Fprintf(b, `<text x="%.1f" y="%d">%.1f</text>`+"\n", float64(left)+w+5, top+barHeight-3, s.value)
	}
	fmt.Fprintf(b, `<line class="axis" x1="%d" y1="%d" x2="%d" y2="%d"/>`+"\n", left, y+titleSpace-4, left, y+titleSpace+len(bars)*barStep)
}

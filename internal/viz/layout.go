package viz

import (
	"bytes"
	"encoding/json"
)

// section is a part of a dashboard: a headline, if it has a title, and charts that
// fill lines of 24 columns from the left.
type section struct {
	title, repeat string
	charts        []chart
}

// chart is a panel before it has a place.
type chart struct {
	kind, title, about string
	unit               string
	width, height      int
	queries            []query
	share              bool      // from 0 to 1
	steps              []float64 // where it turns from red to yellow to green
	bad                []float64 // where it turns from green to yellow to red
}

// query is an expression and the name of what it yields.
type query struct{ expr, legend string }

// variables.
const (
	source   = "datasource"
	columns  = 24
	headline = 1 // rows
)

func ref() *Ref { return &Ref{Type: "prometheus", UID: "${" + source + "}"} }

// dashboard lays sections out below each other.
func dashboard(d Dashboard, sections ...section) Dashboard {
	d.SchemaVersion, d.Version, d.Editable, d.GraphTooltip = schemaVersion, 1, true, 1
	d.Timezone, d.Tags = "browser", []string{"weft"}
	d.Links = []Link{{Title: "weft", Type: "dashboards", Tags: d.Tags, KeepTime: true}}
	d.Templating.List = append([]Variable{{
		Name: source, Label: "Data source", Type: "datasource", Query: "prometheus", Refresh: 1,
		Current: struct{}{}, Options: []any{},
	}}, d.Templating.List...)
	id, y := 0, 0
	place := func(p Panel, g Grid) {
		id++
		p.ID, p.Grid = id, g
		d.Panels = append(d.Panels, p)
	}
	for _, s := range sections {
		if s.title != "" {
			no := false
			place(Panel{Type: "row", Title: s.title, Repeat: s.repeat, Collapsed: &no, Panels: &[]Panel{}}, Grid{Y: y, W: columns, H: headline})
			y += headline
		}
		x, line := 0, 0
		for _, c := range s.charts {
			if x+c.width > columns {
				x, y, line = 0, y+line, 0
			}
			place(c.panel(), Grid{X: x, Y: y, W: c.width, H: c.height})
			x, line = x+c.width, max(line, c.height)
		}
		y += line
	}
	return d
}

// panel returns the chart as Grafana has it.
func (c chart) panel() Panel {
	p := Panel{Type: c.kind, Title: c.title, Description: c.about, Source: ref(), Options: options(c.kind)}
	for i, q := range c.queries {
		p.Targets = append(p.Targets, Target{
			RefID: string(rune('A' + i)), Source: ref(), Expr: q.expr, Legend: q.legend, Range: true, EditorMode: "code",
		})
	}
	f := FieldDefaults{Unit: c.unit, Min: new(float64)}
	if c.share {
		one := 1.0
		f.Max = &one
	}
	switch {
	case len(c.steps) == 2:
		f.Thresholds = thresholds("red", "orange", "green", c.steps)
	case len(c.bad) == 2:
		f.Thresholds = thresholds("green", "orange", "red", c.bad)
	}
	if c.kind == "timeseries" {
		f.Color = map[string]any{"mode": "palette-classic"}
		f.Custom = map[string]any{"drawStyle": "line", "lineWidth": 1, "fillOpacity": 0, "showPoints": "auto", "spanNulls": true}
	} else {
		f.Color = map[string]any{"mode": "thresholds"}
		if f.Thresholds == nil {
			f.Thresholds = &Thresholds{Mode: "absolute", Steps: []Step{{Color: "text"}}}
		}
	}
	p.Fields = &FieldConfig{Defaults: f, Overrides: []any{}}
	return p
}

func thresholds(low, middle, high string, at []float64) *Thresholds {
	return &Thresholds{Mode: "absolute", Steps: []Step{{Color: low}, {Color: middle, Value: &at[0]}, {Color: high, Value: &at[1]}}}
}

// options are those of a kind of panel.
func options(kind string) any {
	last := map[string]any{"calcs": []string{"lastNotNull"}, "fields": "", "values": false}
	switch kind {
	case "stat":
		return map[string]any{
			"reduceOptions": last, "colorMode": "value", "graphMode": "area", "textMode": "value",
			"orientation": "auto", "justifyMode": "auto",
		}
	case "gauge":
		return map[string]any{
			"reduceOptions": last, "orientation": "auto", "showThresholdLabels": false, "showThresholdMarkers": true,
		}
	default:
		return map[string]any{
			"legend":  map[string]any{"displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": []string{}},
			"tooltip": map[string]any{"mode": "multi", "sort": "desc"},
		}
	}
}

// choose returns a variable with the values of a label; many may be chosen, and All.
func choose(name, label, values string, many bool) Variable {
	v := Variable{
		Name: name, Label: label, Type: "query", Source: ref(), Definition: values,
		Query:   VariableQuery{Type: 1, Query: values, RefID: "PrometheusVariableQueryEditor-VariableQuery"},
		Refresh: 2, Sort: 1, Multi: many, IncludeAll: many, Current: struct{}{}, Options: []any{},
	}
	if many {
		v.AllValue = ".*"
		v.Current = map[string]any{"selected": true, "text": []string{"All"}, "value": []string{"$__all"}}
	}
	return v
}

// Encode returns the dashboard as its file has it.
func (d Dashboard) Encode() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(d)
	return b.Bytes(), err
}

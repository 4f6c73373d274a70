package viz

// schemaVersion is the one of Grafana 11 and 12, which migrate it to theirs.
const schemaVersion = 39

// Dashboard is a dashboard as Grafana stores it.
type Dashboard struct {
	UID           string     `json:"uid"`
	Title         string     `json:"title"`
	Description   string     `json:"description"`
	Tags          []string   `json:"tags"`
	SchemaVersion int        `json:"schemaVersion"`
	Version       int        `json:"version"`
	Editable      bool       `json:"editable"`
	GraphTooltip  int        `json:"graphTooltip"` // 1: one crosshair in all panels
	Refresh       string     `json:"refresh"`
	Time          TimeRange  `json:"time"`
	Timezone      string     `json:"timezone"`
	Templating    Templating `json:"templating"`
	Links         []Link     `json:"links"`
	Panels        []Panel    `json:"panels"`
}

// TimeRange is what is shown at first.
type TimeRange struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Link leads to the dashboards with a tag.
type Link struct {
	Title       string   `json:"title"`
	Type        string   `json:"type"`
	Tags        []string `json:"tags"`
	AsDropdown  bool     `json:"asDropdown"`
	KeepTime    bool     `json:"keepTime"`
	IncludeVars bool     `json:"includeVars"`
	TargetBlank bool     `json:"targetBlank"`
}

// Templating are the variables.
type Templating struct {
	List []Variable `json:"list"`
}

// Variable is something to choose at the top of a dashboard.
type Variable struct {
	Name       string `json:"name"`
	Label      string `json:"label"`
	Type       string `json:"type"` // datasource, query
	Source     *Ref   `json:"datasource,omitempty"`
	Definition string `json:"definition,omitempty"`
	Query      any    `json:"query"`
	Refresh    int    `json:"refresh"` // 1: when the dashboard is loaded, 2: when the time range changes
	Sort       int    `json:"sort"`    // 1: alphabetically
	Multi      bool   `json:"multi"`
	IncludeAll bool   `json:"includeAll"`
	AllValue   string `json:"allValue,omitempty"`
	Hide       int    `json:"hide"`
	Current    any    `json:"current"`
	Options    []any  `json:"options"`
}

// VariableQuery is what a query variable asks a Prometheus for.
type VariableQuery struct {
	Type  int    `json:"qryType"` // 1: the values of a label
	Query string `json:"query"`
	RefID string `json:"refId"`
}

// Ref names a data source.
type Ref struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

// Panel is a chart, a number, or the headline of a section.
type Panel struct {
	ID          int          `json:"id"`
	Type        string       `json:"type"` // row, stat, gauge, timeseries
	Title       string       `json:"title"`
	Description string       `json:"description,omitempty"`
	Source      *Ref         `json:"datasource,omitempty"`
	Grid        Grid         `json:"gridPos"`
	Targets     []Target     `json:"targets,omitempty"`
	Fields      *FieldConfig `json:"fieldConfig,omitempty"`
	Options     any          `json:"options,omitempty"`

	// Of rows only. A row that is repeated is there once for each value of the
	// variable, with all panels below it.
	Repeat    string   `json:"repeat,omitempty"`
	Collapsed *bool    `json:"collapsed,omitempty"`
	Panels    *[]Panel `json:"panels,omitempty"`
}

// Grid is where a panel is: 24 columns, rows of 30 pixels.
type Grid struct {
	X int `json:"x"`
	Y int `json:"y"`
	W int `json:"w"`
	H int `json:"h"`
}

// Target is a query.
type Target struct {
	RefID      string `json:"refId"`
	Source     *Ref   `json:"datasource"`
	Expr       string `json:"expr"`
	Legend     string `json:"legendFormat"`
	Range      bool   `json:"range"`
	EditorMode string `json:"editorMode"`
}

// FieldConfig is how values look.
type FieldConfig struct {
	Defaults  FieldDefaults `json:"defaults"`
	Overrides []any         `json:"overrides"`
}

// FieldDefaults is how all values of a panel look.
type FieldDefaults struct {
	Unit       string      `json:"unit"`
	Decimals   *int        `json:"decimals,omitempty"`
	Min        *float64    `json:"min,omitempty"`
	Max        *float64    `json:"max,omitempty"`
	Thresholds *Thresholds `json:"thresholds,omitempty"`
	Color      any         `json:"color,omitempty"`
	Custom     any         `json:"custom,omitempty"`
}

// Thresholds colour values.
type Thresholds struct {
	Mode  string `json:"mode"`
	Steps []Step `json:"steps"`
}

// Step is a colour from a value on; the first one has none.
type Step struct {
	Color string   `json:"color"`
	Value *float64 `json:"value"`
}

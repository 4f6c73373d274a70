package viz_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// board is a dashboard as its file has it, read without the package that wrote it.
type board struct {
	UID, Title    string
	SchemaVersion int
	Refresh       string
	Templating    struct{ List []variable }
	Panels        []panel
}

type variable struct {
	Name, Type, Definition string
	Query                  json.RawMessage
	Multi, IncludeAll      bool
}

type panel struct {
	ID          int
	Type, Title string
	Repeat      string
	GridPos     struct{ X, Y, W, H int }
	Datasource  struct{ Type, UID string }
	FieldConfig struct{ Defaults struct{ Unit string } }
	Targets     []struct {
		RefID, Expr, LegendFormat string
		Datasource                struct{ Type, UID string }
	}
	Panels []panel
}

// boards reads the shipped dashboards.
func boards(t *testing.T) []board {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "grafana/dashboards/*.json"))
	require.NoError(t, err)
	require.Len(t, files, 2)
	var all []board
	for _, f := range files {
		text, err := os.ReadFile(f)
		require.NoError(t, err)
		var b board
		require.NoError(t, json.Unmarshal(text, &b), f)
		all = append(all, b)
	}
	return all
}

// TestDashboards checks what Grafana would trip over.
func TestDashboards(t *testing.T) {
	// The units of Grafana that make sense here.
	units := regexp.MustCompile(`^(short|reqps|cps|ms|bytes|percentunit)$`)
	variables := regexp.MustCompile(`\$\{?(\w+)`)
	uids := map[string]bool{}
	for _, b := range boards(t) {
		t.Run(b.UID, func(t *testing.T) {
			assert.False(t, uids[b.UID], "two dashboards have the uid %s", b.UID)
			uids[b.UID] = true
			assert.NotEmpty(t, b.UID)
			assert.NotEmpty(t, b.Title)
			assert.GreaterOrEqual(t, b.SchemaVersion, 39)
			known := map[string]bool{"__rate_interval": true, "__all": true}
			use := func(text, where string) {
				for _, m := range variables.FindAllStringSubmatch(text, -1) {
					assert.True(t, known[m[1]], "%s: there is no variable $%s", where, m[1])
				}
			}
			for _, v := range b.Templating.List {
				use(v.Definition, v.Name) // one may refer to those before it only
				use(string(v.Query), v.Name)
				known[v.Name] = true
				if v.Type == "query" {
					var q struct{ Query string }
					require.NoError(t, json.Unmarshal(v.Query, &q))
					assert.Equal(t, v.Definition, q.Query, v.Name)
					assert.Equal(t, v.Multi, v.IncludeAll, v.Name)
				}
			}
			require.True(t, known["datasource"])

			ids, cells, titles := map[int]string{}, map[[2]int]string{}, map[string]bool{}
			rows := 0
			for _, p := range b.Panels {
				where := fmt.Sprintf("panel %d %q", p.ID, p.Title)
				assert.NotEmpty(t, p.Title, where)
				assert.False(t, titles[p.Title], "%s: another one has this title", where)
				titles[p.Title] = true
				assert.Positive(t, p.ID, where)
				assert.Empty(t, ids[p.ID], "%s: another one has this id", where)
				ids[p.ID] = p.Title
				g := p.GridPos
				assert.True(t, g.X >= 0 && g.Y >= 0 && g.W > 0 && g.H > 0 && g.X+g.W <= 24, "%s: %+v", where, g)
				for x := g.X; x < g.X+g.W; x++ {
					for y := g.Y; y < g.Y+g.H; y++ {
						assert.Empty(t, cells[[2]int{x, y}], "%s overlaps another one", where)
						cells[[2]int{x, y}] = p.Title
					}
				}
				use(p.Title, where)
				if p.Type == "row" {
					rows++
					assert.True(t, g.X == 0 && g.W == 24 && g.H == 1, "%s: %+v", where, g)
					assert.Empty(t, p.Panels, "%s: only collapsed rows hold panels", where)
					if p.Repeat != "" {
						assert.True(t, known[p.Repeat], "%s: there is no variable $%s", where, p.Repeat)
					}
					continue
				}
				assert.Regexp(t, `^(stat|gauge|timeseries)$`, p.Type, where)
				assert.Regexp(t, units, p.FieldConfig.Defaults.Unit, where)
				assert.Equal(t, "${datasource}", p.Datasource.UID, where)
				assert.NotEmpty(t, p.Targets, where)
				refs, legends := map[string]bool{}, map[string]bool{}
				for _, q := range p.Targets {
					assert.NotEmpty(t, q.Expr, where)
					assert.False(t, q.RefID == "" || refs[q.RefID], "%s: refId %q", where, q.RefID)
					assert.False(t, q.LegendFormat == "" || legends[q.LegendFormat], "%s: legend %q", where, q.LegendFormat)
					assert.Equal(t, "${datasource}", q.Datasource.UID, where)
					refs[q.RefID], legends[q.LegendFormat] = true, true
					use(q.Expr, where)
					assert.NotRegexp(t, `\[\d`, q.Expr, "%s: a window that does not follow the scrape interval", where)
				}
			}
			assert.GreaterOrEqual(t, rows, 3, "sections")
		})
	}
}

// TestSections are those that linkerd-viz has had.
func TestSections(t *testing.T) {
	for _, b := range boards(t) {
		if b.UID != "linkerd-viz" {
			continue
		}
		var rows []string
		for _, p := range b.Panels {
			if p.Type == "row" {
				rows = append(rows, p.Title+" "+p.Repeat)
			}
		}
		assert.Equal(t, []string{"TOP LINE ", "SERVICE METRICS: $service service", "PER-INSTANCE METRICS ", "ENDPOINTS AND RETRIES "}, rows)
		assert.Equal(t, "5s", b.Refresh)
		var names []string
		for _, v := range b.Templating.List {
			names = append(names, v.Name)
		}
		assert.Equal(t, []string{"datasource", "router", "service", "instance"}, names)
	}
}

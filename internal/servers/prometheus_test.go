package servers_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/servers"
)

func TestPrometheusScrapesAndAnswers(t *testing.T) {
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, `a:b{c="d"} 7`)
	}))
	defer target.Close()
	s := servers.StartPrometheus(t, servers.PrometheusOptions{
		Config: `
global: {scrape_interval: 1s}
rule_files: [rules/r.yml]
scrape_configs:
- job_name: x
  static_configs: [{targets: ['` + strings.TrimPrefix(target.URL, "http://") + `']}]
`,
		Files: map[string]string{"rules/r.yml": "groups: [{name: g, interval: 1s, rules: [{record: twice, expr: 'a:b * 2'}]}]"},
	})
	s.AwaitScrapes(1)
	all := s.Query("a:b")
	require.Len(t, all, 1)
	assert.InDelta(t, 7, all[0].Value, 0)
	assert.Equal(t, "d", all[0].Labels["c"])
	assert.Equal(t, "x", all[0].Labels["job"])
	assert.Empty(t, s.Query("a:nothing"))
	assert.InDelta(t, 3, s.Value("scalar(vector(3))"), 0)
	var rules struct{ Groups []struct{ Name string } }
	s.API("rules", &rules)
	require.Len(t, rules.Groups, 1)
	assert.Equal(t, "g", rules.Groups[0].Name)

	s.Kill()
	s.Start()
	assert.InDelta(t, 7, s.Value("last_over_time(a:b[5m])"), 0, "what it knows is on disk")
}

package config_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"github.com/weft-mesh/weft/proxy/config"
)

// TestPositionsInsideScalars hides one character that no dtab has in the dtab of a
// document, in every style of scalar, and wants its position back.
func TestPositionsInsideScalars(t *testing.T) {
	styles := map[string]yaml.Style{
		"plain": 0, "single": yaml.SingleQuotedStyle, "double": yaml.DoubleQuotedStyle,
		"literal": yaml.LiteralStyle, "folded": yaml.FoldedStyle,
	}
	for name, style := range styles {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				entry := rapid.SampledFrom([]string{"/a => /b ;", "/svc=>/#/io.l5d.fs;", "/x  =>  1 * /y\n  & /z ;", "/e => /f ; # \u00e9t\u00e9 'q' \"d\"", "/long => " + strings.Repeat("/a | ", 30) + "/z;"})
				before := strings.Join(rapid.SliceOfN(entry, 0, 4).Draw(t, "before"), "\n")
				after := strings.Join(rapid.SliceOfN(entry, 0, 2).Draw(t, "after"), "\n")
				dtab := strings.TrimSpace(before + "\n)\n" + after)

				text, err := yaml.Marshal(map[string]any{"a": []any{map[string]any{"dtab": &yaml.Node{
					Kind: yaml.ScalarNode, Style: style, Tag: "!!str", Value: dtab,
				}}}})
				require.NoError(t, err)
				doc, err := config.Parse("", text)
				require.NoError(t, err)
				var into struct {
					A []shapes `yaml:"a"`
				}
				var ps config.Problems
				require.ErrorAs(t, doc.Decode(&into, config.Options{}), &ps)
				require.Len(t, ps, 1)
				line := []rune(strings.Split(string(text), "\n")[ps[0].Line-1])
				require.LessOrEqual(t, ps[0].Column, len(line), "%s\n%v", text, ps)
				require.Equal(t, ")", string(line[ps[0].Column-1]), "%s\n%v", text, ps)
			})
		})
	}
}

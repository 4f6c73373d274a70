package suite

import (
	"crypto/tls"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/bench/report"
)

func TestCellsAreDistinctAndKnownToThePlot(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range cells() {
		key := c.section + ", " + c.name
		assert.False(t, seen[key], key)
		seen[key] = true
		assert.Contains(t, Sections(), c.section)
	}
	for _, p := range report.Panels() {
		assert.True(t, seen[p.Section+", "+p.Cell], "the plot shows %s, %s, which is not measured", p.Section, p.Cell)
	}
	for _, table := range report.Tables() {
		assert.Contains(t, Sections(), table.Section)
	}
}

func TestParseBench(t *testing.T) {
	lines := parseBench(`goos: linux
BenchmarkRoundTrip/plain-2         	   50000	     31234 ns/op	    4016 B/op	      47 allocs/op
BenchmarkRoundTrip/a-b         	   50000	     31.5 ns/op	 7.5 cpu-µs/op
PASS
`)
	require.Len(t, lines, 2)
	assert.Equal(t, "BenchmarkRoundTrip/plain", lines[0].name)
	assert.Equal(t, map[string]float64{"ns/op": 31234, "B/op": 4016, "allocs/op": 47}, lines[0].values)
	assert.Equal(t, "BenchmarkRoundTrip/a-b", lines[1].name)
	assert.InDelta(t, 7.5, lines[1].values["cpu-µs/op"], 0)
}

func TestRates(t *testing.T) {
	can := map[string]float64{"nginx": 30000, "weft": 20030}
	s := &Suite{}
	all := s.rates(can)
	require.Len(t, all, 4)
	assert.Equal(t, []float64{5000, 10000, 15000, 15000}, []float64{all[0].rate, all[1].rate, all[2].rate, all[3].rate})
	s.Quick = true
	assert.Len(t, s.rates(can), 1)
	assert.InDelta(t, 100.0, rounded(3), 0)
}

func TestCertificateLoads(t *testing.T) {
	c, err := newCertificate(t.TempDir())
	require.NoError(t, err)
	_, err = tls.LoadX509KeyPair(c.cert, c.key)
	require.NoError(t, err)
	_, err = tls.LoadX509KeyPair(c.both, c.both)
	require.NoError(t, err)
}

func TestParseMachine(t *testing.T) {
	used, stolen, err := parseMachine("cpu  100 20 30 4000 5 6 7 8 0 0\ncpu0 1 2 3")
	require.NoError(t, err)
	assert.Equal(t, 1500*time.Millisecond, used)
	assert.Equal(t, 80*time.Millisecond, stolen)
	for _, bad := range []string{"", "cpu0 1 2 3 4 5 6 7 8", "cpu 1 2 3 4 5 6 7 x"} {
		_, _, err = parseMachine(bad)
		assert.Error(t, err, bad)
	}
	m, err := StartMeter()
	require.NoError(t, err)
	note, err := m.Note()
	require.NoError(t, err)
	assert.Contains(t, note, "% of the machine")
}

func TestField(t *testing.T) {
	assert.Equal(t, "AMD EPYC", field([]byte("flags\t: a\nmodel name\t: AMD EPYC\n"), "model name"))
	assert.Equal(t, `"Debian: 12"`, field([]byte("NAME=x\nPRETTY_NAME=\"Debian: 12\"\n"), "PRETTY_NAME"))
	assert.Equal(t, "?", field(nil, "x"))
	assert.Equal(t, "24 GiB", gigabytes("24684100 kB"))
	assert.Equal(t, "?", gigabytes("?"))
	assert.Len(t, Machine(), 2)
	assert.Equal(t, "b", lastLine("a\nb\n"))
	assert.Equal(t, "a", firstLine("a\nb\n"))
}

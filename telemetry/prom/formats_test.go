package prom_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/telemetry/prom"
)

// samples are the lines that are none of HELP.
func samples(s string) string {
	var kept []string
	for line := range strings.Lines(s) {
		if !strings.HasPrefix(line, "# HELP ") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

// mixed is a tree with a bit of everything.
func mixed(t *testing.T) *telemetry.Tree {
	t.Helper()
	tree := newTree(t)
	for i, c := range []string{"#/b", "#/a"} {
		client := tree.Scope("rt", "http", "client", c)
		client.Counter("requests").Add(int64(i + 1))
		client.UpDown("pending").Inc()
		client.Stat("idle")
	}
	tree.Scope("lookups").Counter("all_total").Add(5)
	lat := tree.Scope("a").Stat("lat")
	lat.Record(0)
	lat.Record(3)
	tree.CloseWindow()
	lat.Record(4)
	return tree
}

func TestText(t *testing.T) {
	tree := mixed(t)
	assert.Equal(t, lines(
		"# TYPE a:lat summary",
		`a:lat{quantile="0"} 0`, `a:lat{quantile="0.5"} 0`, `a:lat{quantile="0.9"} 3`, `a:lat{quantile="0.95"} 3`,
		`a:lat{quantile="0.99"} 3`, `a:lat{quantile="0.999"} 3`, `a:lat{quantile="0.9999"} 3`, `a:lat{quantile="1"} 3`,
		"a:lat_sum 7", "a:lat_count 3",
		"# TYPE a:lat_avg gauge", "a:lat_avg 1.5",
		"# TYPE lookups:all_total counter", "lookups:all_total 5",
		"# TYPE rt:client:pending gauge",
		`rt:client:pending{rt="http", client="#/a"} 1.0`, `rt:client:pending{rt="http", client="#/b"} 1.0`,
		"# TYPE rt:client:requests counter",
		`rt:client:requests{rt="http", client="#/a"} 2`, `rt:client:requests{rt="http", client="#/b"} 1`,
	), samples(write(t, tree, prom.Options{})))
	tree.CloseWindow()
	tree.CloseWindow()
	assert.Contains(t, samples(write(t, tree, prom.Options{Prefix: "p-"})), lines(
		"# TYPE p_a:lat summary", "p_a:lat_sum 7", "p_a:lat_count 3", "# TYPE p_lookups:all_total counter",
	), "an empty window has no quantiles, and what was counted stays")
}

func TestOpenMetrics(t *testing.T) {
	tree := mixed(t)
	got := write(t, tree, prom.Options{Format: prom.OpenMetrics})
	assert.Equal(t, lines(
		"# TYPE a:lat summary",
		`a:lat{quantile="0.0"} 0`, `a:lat{quantile="0.5"} 0`, `a:lat{quantile="0.9"} 3`, `a:lat{quantile="0.95"} 3`,
		`a:lat{quantile="0.99"} 3`, `a:lat{quantile="0.999"} 3`, `a:lat{quantile="0.9999"} 3`, `a:lat{quantile="1.0"} 3`,
		"a:lat_sum 7", "a:lat_count 3",
		"# TYPE a:lat_avg gauge", "a:lat_avg 1.5",
		"# TYPE lookups:all counter", "lookups:all_total 5",
		"# TYPE rt:client:pending gauge",
		`rt:client:pending{rt="http",client="#/a"} 1.0`, `rt:client:pending{rt="http",client="#/b"} 1.0`,
		"# TYPE rt:client:requests counter",
		`rt:client:requests_total{rt="http",client="#/a"} 2`, `rt:client:requests_total{rt="http",client="#/b"} 1`,
		"# EOF",
	), samples(got))
	assert.Contains(t, got, "# HELP lookups:all A metric without a description.\n", "the family of a counter does not end in _total")
	assert.Equal(t, "# EOF\n", write(t, newTree(t), prom.Options{Format: prom.OpenMetrics}))

	tree = newTree(t)
	tree.Scope().Counter("x").Inc()
	tree.Scope().Counter("x_total").Inc()
	assert.Equal(t, lines("# TYPE x unknown", "x 1.0", "# TYPE x_total unknown", "x_total 1.0", "# EOF"),
		samples(write(t, tree, prom.Options{Format: prom.OpenMetrics})), "a name for two counters")
}

func TestClassicHistograms(t *testing.T) {
	tree := newTree(t)
	s := tree.Scope("rt", "in", "client", "c").Stat("lat")
	for _, v := range []int64{0, 1, 2, 3, 4, 5, 1000, math.MaxInt32} {
		s.Record(v)
	}
	got := samples(write(t, tree, prom.Options{ClassicHistograms: true}))
	_, got, _ = strings.Cut(got, "# TYPE rt:client:lat_histogram histogram\n")
	all := strings.Split(strings.TrimSpace(got), "\n")
	require.Len(t, all, 36, "33 bounds, infinity, sum and count")
	for _, want := range []string{
		`_bucket{rt="in", client="c", le="0"} 1`, `_bucket{rt="in", client="c", le="1"} 2`, `_bucket{rt="in", client="c", le="2"} 3`,
		`_bucket{rt="in", client="c", le="4"} 5`, `_bucket{rt="in", client="c", le="8"} 6`, `_bucket{rt="in", client="c", le="512"} 6`,
		`_bucket{rt="in", client="c", le="1024"} 7`, `_bucket{rt="in", client="c", le="2147483648"} 8`, `_bucket{rt="in", client="c", le="+Inf"} 8`,
		`_sum{rt="in", client="c"} 2147484662`, `_count{rt="in", client="c"} 8`,
	} {
		assert.Contains(t, all, "rt:client:lat_histogram"+want)
	}
	assert.Contains(t, write(t, tree, prom.Options{ClassicHistograms: true, Format: prom.OpenMetrics}),
		`rt:client:lat_histogram_bucket{rt="in",client="c",le="1.0"} 2`+"\n")
	assert.NotContains(t, write(t, tree, prom.Options{}), "histogram")
}

func TestProtobuf(t *testing.T) {
	tree := mixed(t)
	families := decodeProto(t, write(t, tree, prom.Options{Format: prom.Protobuf}))
	var names []string
	for _, f := range families {
		names = append(names, f.GetName()+" "+f.GetType().String())
		assert.NotEmpty(t, f.GetHelp())
		assert.NotEmpty(t, f.GetMetric())
	}
	assert.Equal(t, []string{
		"a:lat SUMMARY", "a:lat_avg GAUGE", "a:lat_histogram HISTOGRAM",
		"lookups:all_total COUNTER", "rt:client:pending GAUGE", "rt:client:requests COUNTER",
	}, names, "names are those of the text format")

	sum := families[0].Metric[0].Summary
	assert.Equal(t, uint64(3), sum.GetSampleCount())
	assert.InDelta(t, 7, sum.GetSampleSum(), 0)
	require.Len(t, sum.Quantile, 8)
	assert.InDelta(t, 0.99, sum.Quantile[4].GetQuantile(), 0)
	assert.InDelta(t, 3, sum.Quantile[4].GetValue(), 0)
	assert.InDelta(t, 1.5, families[1].Metric[0].Gauge.GetValue(), 0)

	h := families[2].Metric[0].Histogram
	assert.Equal(t, uint64(3), h.GetSampleCount())
	assert.InDelta(t, 7, h.GetSampleSum(), 0)
	assert.Equal(t, int32(telemetry.HistogramSchema), h.GetSchema())
	assert.Equal(t, uint64(1), h.GetZeroCount())
	assert.Equal(t, map[int32]int64{26: 1, 32: 1}, native(t, h))

	requests := families[5].Metric
	require.Len(t, requests, 2)
	assert.InDelta(t, 2, requests[0].Counter.GetValue(), 0)
	assert.Equal(t, []string{"rt", "http", "client", "#/a"}, []string{
		requests[0].Label[0].GetName(), requests[0].Label[0].GetValue(), requests[0].Label[1].GetName(), requests[0].Label[1].GetValue(),
	})
}

func TestProtobufHistograms(t *testing.T) {
	for name, values := range map[string][]int64{
		"zeros alone": {0, 0},
		"neighbours":  {100, 104, 108, 112, 104},
		"gaps":        {1, 2, 3, 1000, 1_000_000, math.MaxInt32, 3},
	} {
		t.Run(name, func(t *testing.T) {
			tree := newTree(t)
			s := tree.Scope().Stat("x")
			for _, v := range values {
				s.Record(v)
			}
			families := decodeProto(t, write(t, tree, prom.Options{Format: prom.Protobuf}))
			require.Len(t, families, 2)
			h := families[1].Metric[0].Histogram
			var want telemetry.Histogram
			s.Histogram(&want)
			counts := map[int32]int64{}
			for _, b := range want.Buckets {
				counts[b.Index] = b.Count
			}
			assert.Equal(t, counts, native(t, h))
			assert.NotEmpty(t, h.PositiveSpan, "or it is taken for a classic one")
			assert.Equal(t, uint64(len(values)), h.GetSampleCount())
		})
	}
}

// native are the counts of a native histogram by bucket.
func native(t *testing.T, h *dto.Histogram) map[int32]int64 {
	t.Helper()
	counts, index, count := map[int32]int64{}, int32(0), int64(0)
	deltas := h.PositiveDelta
	for _, s := range h.PositiveSpan {
		index += s.GetOffset()
		for range s.GetLength() {
			count += deltas[0]
			deltas = deltas[1:]
			counts[index] = count
			index++
		}
	}
	assert.Empty(t, deltas)
	return counts
}

func decodeProto(t *testing.T, text string) []*dto.MetricFamily {
	t.Helper()
	d := expfmt.NewDecoder(strings.NewReader(text), expfmt.NewFormat(expfmt.TypeProtoDelim))
	var all []*dto.MetricFamily
	for {
		var f dto.MetricFamily
		err := d.Decode(&f)
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		all = append(all, &f)
	}
}

// TestEscaping: what was put into labels is what a reader finds in them, in all formats
// but the original's.
func TestEscaping(t *testing.T) {
	values := []string{`a\b`, `a"b`, "a\nb", `\n`, `a\\b`, `\"`, "", "é\u2028", `{}, ="`}
	tree := newTree(t)
	for _, v := range values {
		tree.Scope("rt", "http", "service", v).Counter("requests").Inc()
	}
	tree.Scope("rt", "http", "service", "bad\xffbyte").Counter("requests").Inc()
	want := append(slices.Clone(values), "bad\ufffdbyte")
	slices.Sort(want)

	p := expfmt.NewTextParser(model.LegacyValidation)
	parsed, err := p.TextToMetricFamilies(strings.NewReader(write(t, tree, prom.Options{})))
	require.NoError(t, err)
	assert.Equal(t, want, services(parsed["rt:service:requests"]))
	assert.Equal(t, want, services(decodeProto(t, write(t, tree, prom.Options{Format: prom.Protobuf}))[0]))
	open := write(t, tree, prom.Options{Format: prom.OpenMetrics})
	assert.Contains(t, open, `rt:service:requests_total{rt="http",service="a\\b"} 1`+"\n")
	assert.Contains(t, open, `rt:service:requests_total{rt="http",service="a\"b"} 1`+"\n")
	assert.Contains(t, open, `rt:service:requests_total{rt="http",service="a\nb"} 1`+"\n")
}

func services(f *dto.MetricFamily) []string {
	var all []string
	for _, m := range f.GetMetric() {
		for _, l := range m.Label {
			if l.GetName() == "service" {
				all = append(all, l.GetValue())
			}
		}
	}
	slices.Sort(all)
	return all
}

// TestClashes: whatever the names in a tree, no family and no series is there twice.
func TestClashes(t *testing.T) {
	tree := newTree(t)
	tree.Scope("x.y").Counter().Inc()
	tree.Scope("x_y").UpDown().Inc()
	tree.Scope("rt", "in", "service", "s").Counter("failures", "A:B").Add(2)
	tree.Scope("rt", "in", "service", "s").Counter("failures", "A", "B").Add(3)
	tree.Scope("rt", "in", "service", "s").Counter("failures", "A").Add(3)
	tree.Scope("rt", "in", "service", "s").Counter("failures", "C:D").Add(4)
	tree.Scope("a").Stat("lat").Record(1)
	tree.Scope("a").Counter("lat_avg").Add(9)
	tree.Scope("a.lat").Counter().Inc()
	tree.Scope("a:lat").Counter().Inc()
	tree.Scope("k/1").Counter("n").Inc()
	tree.Scope("k_1").Counter("n").Add(5)
	tree.Scope("k_1").Counter("m").Add(6)
	tree.Scope("9lives").Counter().Inc()
	tree.CloseWindow()
	assert.Equal(t, lines(
		"# TYPE _9lives counter", "_9lives 1",
		"# TYPE a:lat summary",
		`a:lat{quantile="0"} 1`, `a:lat{quantile="0.5"} 1`, `a:lat{quantile="0.9"} 1`, `a:lat{quantile="0.95"} 1`,
		`a:lat{quantile="0.99"} 1`, `a:lat{quantile="0.999"} 1`, `a:lat{quantile="0.9999"} 1`, `a:lat{quantile="1"} 1`,
		"a:lat_sum 1", "a:lat_count 1",
		"# TYPE a:lat_avg counter", "a:lat_avg 9",
		"# TYPE a_lat counter", "a_lat 1",
		"# TYPE k_1:m counter", "k_1:m 6",
		"# TYPE k_1:n counter", "k_1:n 1",
		"# TYPE rt:service:failures counter",
		`rt:service:failures{rt="in", service="s", exception="A"} 3`,
		`rt:service:failures{rt="in", service="s", exception="A:B"} 3`,
		`rt:service:failures{rt="in", service="s", exception="C:D"} 4`,
		"# TYPE x_y counter", "x_y 1",
	), samples(write(t, tree, prom.Options{})))

	tree = newTree(t)
	tree.Scope("rt", "a", "x.y").Counter().Inc()
	tree.Scope("rt", "b", "x_y").UpDown().Inc()
	assert.Equal(t, lines("# TYPE rt:x_y untyped", `rt:x_y{rt="a"} 1.0`, `rt:x_y{rt="b"} 1.0`), samples(write(t, tree, prom.Options{})))
	assert.Equal(t, dto.MetricType_UNTYPED, decodeProto(t, write(t, tree, prom.Options{Format: prom.Protobuf}))[0].GetType())
}

// TestNamesAreThoseOfTheOriginal: what differs from the original are comments, the
// escaping of labels, and the counts of stats.
func TestNamesAreThoseOfTheOriginal(t *testing.T) {
	tree := mixed(t)
	for _, p := range [][]string{
		{"rt", "in", "service", "svc/x", "failures", "A", "B"},
		{"rt", "in", "client", "c", "service", "s", "failures", "com.x.E"},
		{"rt", "in", "client", "c", "exn", "E"},
		{"rt", "client", "client", "client", "client"},
		{"rt", "in", "service", "s", "service", "x"},
		{"x", "rt", "in", "client", "c"},
	} {
		tree.Scope().Counter(p...).Inc()
	}
	series := func(o prom.Options) []string {
		var all []string
		for line := range strings.Lines(write(t, tree, o)) {
			if !strings.HasPrefix(line, "#") {
				all = append(all, line[:strings.LastIndexByte(line, ' ')])
			}
		}
		slices.Sort(all)
		return all
	}
	assert.Equal(t, series(compatible), series(prom.Options{}))
}

func TestHelp(t *testing.T) {
	for _, v := range []struct {
		path []string
		want string
	}{
		{[]string{"rt", "in", "server", "0.0.0.0/1", "requests"}, "Requests that were answered, or given up."},
		{[]string{"rt", "in", "client", "c", "service", "s", "failures", "x", "y"}, "Failed attempts that failed like this, by logical name."},
		{[]string{"rt", "in", "client", "c", "exn", "x"}, "Exceptions on connections, by name."},
		{[]string{"rt", "in", "client", "c", "status", "5XX"}, "Responses by the class of their status."},
		{[]string{"rt", "in", "client", "c", "status", "503"}, "Responses with this status."},
		{[]string{"rt", "in", "interpreter", "watches"}, "What a router's interpreter watches: names, or what it binds them with."},
		{[]string{"rt", "in", "client", "c", "status", "other"}, "Responses with one of the statuses that were seen first when there were 64 already."},
		{[]string{"rt", "in", "interpreter", "a", "b", "opens"}, "About the interpreter of a router, which binds names."},
		{[]string{"what", "ever"}, "A metric without a description."},
	} {
		tree := newTree(t)
		tree.Scope().Counter(v.path...).Inc()
		got, _, _ := strings.Cut(write(t, tree, prom.Options{Prefix: "p_"}), "\n")
		_, got, _ = strings.Cut(strings.TrimPrefix(got, "# HELP "), " ")
		assert.Equal(t, v.want, got, "%q", v.path)
	}
}

func TestNegotiate(t *testing.T) {
	const (
		prometheus2 = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
		native2     = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
		prometheus3 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
		onlyOpen3   = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,*/*;q=0.4"
	)
	for _, v := range []struct {
		accept string
		query  string
		want   prom.Options
	}{
		{"", "", prom.Options{}},
		{"*/*", "", prom.Options{}},
		{prometheus2, "", prom.Options{}},
		{prometheus3, "", prom.Options{}},
		{native2, "", prom.Options{Format: prom.Protobuf}},
		{onlyOpen3, "", prom.Options{Format: prom.OpenMetrics}},
		{"application/openmetrics-text", "", prom.Options{Format: prom.OpenMetrics}},
		{"application/openmetrics-text; version=1.0.0", "", prom.Options{Format: prom.OpenMetrics}},
		{"application/openmetrics-text; version=2.0.0", "", prom.Options{}},
		{"application/vnd.google.protobuf;encoding=text", "", prom.Options{}},
		{"application/vnd.google.protobuf;q=0.4,text/plain;q=0.5", "", prom.Options{}},
		{"application/vnd.google.protobuf;q=0", "", prom.Options{}},
		{"application/vnd.google.protobuf;q=2", "", prom.Options{}},
		{"application/vnd.google.protobuf;q=nan", "", prom.Options{}},
		{"image/png", "", prom.Options{}},
		{";;,text/;=\"", "", prom.Options{}},
		{prometheus2, "format=openmetrics", prom.Options{Format: prom.OpenMetrics}},
		{native2, "format=text&histograms=classic", prom.Options{ClassicHistograms: true}},
		{"", "format=protobuf&other=x", prom.Options{Format: prom.Protobuf}},
		{native2, "format=linkerd", prom.Options{Compatible: true}},
	} {
		got, err := prom.Options{}.Negotiate(strings.SplitN(v.accept, ",", 2), v.query)
		require.NoError(t, err)
		assert.Equal(t, v.want, got, "%q %q", v.accept, v.query)
	}
	got, err := prom.Options{Compatible: true}.Negotiate([]string{native2}, "")
	require.NoError(t, err)
	assert.True(t, got.Compatible)
	assert.Equal(t, "text/plain; version=0.0.4; charset=utf-8", got.ContentType())
	got, err = prom.Options{Compatible: true}.Negotiate(nil, "format=text")
	require.NoError(t, err)
	assert.False(t, got.Compatible)

	for query, want := range map[string]string{
		"format=xml":       `format is "xml"; want text, openmetrics, protobuf or linkerd`,
		"histograms=1":     `histograms is "1"; want classic`,
		"format=%":         `malformed query: invalid URL escape "%"`,
		"format=text;x=%2": "malformed query: invalid semicolon separator in query",
	} {
		_, err := prom.Options{}.Negotiate(nil, query)
		require.EqualError(t, err, want)
	}
	assert.Equal(t, "application/openmetrics-text; version=1.0.0; charset=utf-8", prom.Options{Format: prom.OpenMetrics}.ContentType())
	assert.Contains(t, prom.Options{Format: prom.Protobuf}.ContentType(), "encoding=delimited")
}

// FuzzNegotiate: no header and no query does harm.
func FuzzNegotiate(f *testing.F) {
	f.Add("application/openmetrics-text;version=1.0.0,*/*;q=0.1", "format=text&histograms=classic")
	f.Add("text/plain;q=-1;q", "%zz;")
	f.Fuzz(func(t *testing.T, accept, query string) {
		o, err := prom.Options{}.Negotiate([]string{accept}, query)
		if err == nil {
			assert.NotEmpty(t, o.ContentType())
			require.NoError(t, prom.Write(&bytes.Buffer{}, nil, o))
		}
	})
}

// FuzzText: whatever is in a tree, the text is valid.
func FuzzText(f *testing.F) {
	f.Add("rt", "in", "service", "svc/x", "requests")
	f.Add("rt", "in", "client", "a\"\\\n\xff", "failures")
	f.Fuzz(func(t *testing.T, a, b, c, d, e string) {
		tree := telemetry.NewTree(telemetry.Options{Window: -1})
		defer tree.Close()
		tree.Scope().Counter(a, b, c, d, e).Inc()
		tree.Scope().Stat(a, b, c, d+"s").Record(1)
		tree.Scope(a, b).UpDown(c).Inc()
		tree.CloseWindow()
		for _, o := range []prom.Options{{}, {ClassicHistograms: true}} {
			var out bytes.Buffer
			require.NoError(t, prom.Write(&out, tree, o))
			p := expfmt.NewTextParser(model.LegacyValidation)
			_, err := p.TextToMetricFamilies(&out)
			require.NoError(t, err)
		}
	})
}

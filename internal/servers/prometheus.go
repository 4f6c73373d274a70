package servers

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/weft-mesh/weft/internal/testtool"
)

// PrometheusOptions are the settings of a Prometheus.
type PrometheusOptions struct {
	// Config is its configuration file. Names of files in it are relative to it.
	Config string

	// Files are written beside Config: rules, and lists of targets.
	Files map[string]string

	// Features are given to --enable-feature.
	Features []string
}

// Prometheus is a running Prometheus server. What it knows is on disk.
type Prometheus struct {
	*Server
	// Addr is where it listens, 127.0.0.1:PORT, and URL the same with http://.
	Addr, URL string
	// Dir is where its configuration is.
	Dir string
}

// PromSample is one element of what a query returned: a series and its value, which
// is a number or a native histogram.
type PromSample struct {
	Labels    map[string]string
	Time      time.Time
	Value     float64        // of a number, and the count of a histogram
	Histogram *PromHistogram // nil for a number
}

// PromHistogram is a native histogram as the query API gives it.
type PromHistogram struct {
	Count, Sum float64
	Buckets    []PromBucket // in ascending order
}

// PromBucket is a bucket of a native histogram.
type PromBucket struct{ Lower, Upper, Count float64 }

// StartPrometheus starts a Prometheus whose data lives as long as the test. Its
// targets are first scraped some 5 s after the start, however short the interval is.
func StartPrometheus(tb testing.TB, o PrometheusOptions) *Prometheus {
	tb.Helper()
	bin, dir := testtool.Installed(tb, "prometheus", "prometheus"), tb.TempDir()
	files := map[string]string{"prometheus.yml": o.Config}
	maps.Copy(files, o.Files)
	for name, text := range files {
		path := filepath.Join(dir, name)
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if err == nil {
			err = os.WriteFile(path, []byte(text), 0o600)
		}
		if err != nil {
			tb.Fatalf("servers: %v", err)
		}
	}
	addr := loopback(ports(tb, 1)[0])
	args := []string{
		"--config.file=" + filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path=" + filepath.Join(dir, "data"),
		"--web.listen-address=" + addr, "--web.enable-lifecycle", "--log.level=warn",
		"--storage.tsdb.retention.time=1d", "--query.lookback-delta=1m",
	}
	for _, f := range o.Features {
		args = append(args, "--enable-feature="+f)
	}
	p := &Prometheus{Addr: addr, URL: "http://" + addr, Dir: dir}
	p.Server = start(tb, "prometheus",
		func() *exec.Cmd { return exec.Command(bin, args...) }, //nolint:noctx // it ends with the test
		func(ctx context.Context) error { return get(ctx, p.URL+"/-/ready", "Ready") })
	return p
}

// Query evaluates a PromQL expression now and returns the elements of the vector, or
// the one of a scalar. An expression that Prometheus refuses ends the test.
func (p *Prometheus) Query(expr string) []PromSample {
	p.tb.Helper()
	return p.QueryAt(expr, time.Time{})
}

// QueryAt is Query as of a time; zero is now.
func (p *Prometheus) QueryAt(expr string, at time.Time) []PromSample {
	p.tb.Helper()
	q := url.Values{"query": {expr}}
	if !at.IsZero() {
		q.Set("time", strconv.FormatFloat(float64(at.UnixMilli())/1000, 'f', 3, 64))
	}
	var data struct {
		ResultType string          `json:"resultType"`
		Result     json.RawMessage `json:"result"`
	}
	p.API("query?"+q.Encode(), &data)
	all, err := samples(data.ResultType, data.Result)
	if err != nil {
		p.tb.Fatalf("servers: prometheus: %s: %v: %s", expr, err, data.Result)
	}
	return all
}

// Value is the value of an expression that must yield exactly one number.
func (p *Prometheus) Value(expr string) float64 {
	p.tb.Helper()
	all := p.Query(expr)
	if len(all) != 1 || all[0].Histogram != nil {
		p.tb.Fatalf("servers: prometheus: %s has %d values: %v", expr, len(all), all)
	}
	return all[0].Value
}

// API asks for a path below /api/v1/ and reads the data of the answer into data. An
// error that Prometheus answers with ends the test.
func (p *Prometheus) API(path string, data any) {
	p.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL+"/api/v1/"+path, nil)
	if err != nil {
		p.tb.Fatalf("servers: %v", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.tb.Fatalf("servers: prometheus: %v", err)
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.tb.Fatalf("servers: prometheus: %v", err)
	}
	answer := struct {
		Status string          `json:"status"`
		Error  string          `json:"error"`
		Data   json.RawMessage `json:"data"`
	}{}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Status != "success" {
		p.tb.Fatalf("servers: prometheus: %s: %s: %s", path, resp.Status, body)
	}
	if err := json.Unmarshal(answer.Data, data); err != nil {
		p.tb.Fatalf("servers: prometheus: %s: %v: %s", path, err, answer.Data)
	}
}

// AwaitScrapes waits until n targets are up and each was scraped after this call. A
// target that cannot be scraped is told of when the test has waited for too long.
func (p *Prometheus) AwaitScrapes(n int) {
	p.tb.Helper()
	began := time.Now()
	for {
		var data struct {
			Active []struct {
				URL       string    `json:"scrapeUrl"`
				Health    string    `json:"health"`
				LastError string    `json:"lastError"`
				At        time.Time `json:"lastScrape"`
			} `json:"activeTargets"`
		}
		p.API("targets?state=active", &data)
		up := 0
		for _, t := range data.Active {
			if t.Health == "up" && t.At.After(began) {
				up++
			}
		}
		switch {
		case up >= n:
			return
		case time.Since(began) > patience:
			p.tb.Fatalf("servers: prometheus has scraped %d of %d targets: %+v", up, n, data.Active)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// samples reads the result of a query.
func samples(kind string, text json.RawMessage) ([]PromSample, error) {
	type element struct {
		Metric    map[string]string  `json:"metric"`
		Value     [2]json.RawMessage `json:"value"`
		Histogram [2]json.RawMessage `json:"histogram"`
	}
	var list []element
	switch kind {
	case "vector":
		if err := json.Unmarshal(text, &list); err != nil {
			return nil, err
		}
	case "scalar":
		list = make([]element, 1)
		if err := json.Unmarshal(text, &list[0].Value); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("a result of type %s", kind)
	}
	all := make([]PromSample, 0, len(list))
	for _, e := range list {
		s := PromSample{Labels: e.Metric}
		at := e.Value[0]
		if e.Histogram[0] != nil {
			at = e.Histogram[0]
		}
		var seconds float64
		err := json.Unmarshal(at, &seconds)
		s.Time = time.UnixMilli(int64(seconds * 1000))
		if err == nil && e.Histogram[0] != nil {
			s.Histogram, err = histogram(e.Histogram[1])
		} else if err == nil {
			s.Value, err = number(e.Value[1])
		}
		if err != nil {
			return nil, err
		}
		if s.Histogram != nil {
			s.Value = s.Histogram.Count
		}
		all = append(all, s)
	}
	return all, nil
}

func histogram(text json.RawMessage) (*PromHistogram, error) {
	var raw struct {
		Count, Sum json.RawMessage
		Buckets    [][4]json.RawMessage
	}
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, err
	}
	h := &PromHistogram{}
	var err error
	read := func(into *float64, text json.RawMessage) {
		if err == nil {
			*into, err = number(text)
		}
	}
	read(&h.Count, raw.Count)
	read(&h.Sum, raw.Sum)
	for _, b := range raw.Buckets { // which bounds belong to it, lower, upper, count
		var x PromBucket
		read(&x.Lower, b[1])
		read(&x.Upper, b[2])
		read(&x.Count, b[3])
		h.Buckets = append(h.Buckets, x)
	}
	return h, err
}

// number reads a number in a string.
func number(text json.RawMessage) (float64, error) {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return 0, err
	}
	return strconv.ParseFloat(s, 64)
}

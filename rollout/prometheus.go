package rollout

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// PrometheusOptions say which server is asked what. URL, Old and New are required.
type PrometheusOptions struct {
	// URL is that of the server, such as http://prometheus:9090. A path in it is kept
	// as a prefix.
	URL string

	// Old and New are the clients of the branches, as the server has the label.
	Old, New Clients

	// Router is the label of the only router that counts. Empty is all.
	Router string

	// Prefix is that of the metrics' names, if the proxies have one configured.
	Prefix string

	// Queries are what is asked. Those that are empty are the defaults.
	Queries Queries

	// Timeout bounds each query. Zero is 10 s.
	Timeout time.Duration

	// Header is sent with every query, such as an Authorization.
	Header http.Header

	// HTTP sends the queries. Nil is http.DefaultClient.
	HTTP *http.Client
}

// Prometheus is a Meter that asks a Prometheus server that scrapes the proxies. The
// window of a query must hold two scrapes, or there is nothing that it can know: a
// step must be watched for longer than that.
type Prometheus struct {
	opts     PrometheusOptions
	url      string
	branches [2]string // what selects the series of each
}

// NewPrometheus returns a Prometheus. There is nothing to close.
func NewPrometheus(o PrometheusOptions) (*Prometheus, error) {
	u, err := url.Parse(o.URL)
	switch {
	case err != nil:
		return nil, fmt.Errorf("rollout: the URL of Prometheus: %w", err)
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, fmt.Errorf("rollout: %q is not the URL of a Prometheus server; want one such as http://127.0.0.1:9090", o.URL)
	}
	_, errOld := o.Old.compile("old")
	_, errNew := o.New.compile("new")
	if err := errors.Join(errOld, errNew); err != nil {
		return nil, err
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.HTTP == nil {
		o.HTTP = http.DefaultClient
	}
	o.Queries = o.Queries.withDefaults()
	m := &Prometheus{opts: o, url: u.JoinPath("api/v1/query").String()}
	for i, c := range []Clients{o.Old, o.New} {
		m.branches[i] = "client=~" + strconv.Quote(string(c))
		if o.Router != "" {
			m.branches[i] += ",rt=" + strconv.Quote(o.Router)
		}
	}
	return m, nil
}

// Measure implements Meter.
func (m *Prometheus) Measure(ctx context.Context, window time.Duration) (older, newer Sample, err error) {
	ctx, cancel := context.WithTimeout(ctx, m.opts.Timeout)
	defer cancel()
	var (
		all   sync.WaitGroup
		lock  sync.Mutex
		first error
	)
	for i, s := range []*Sample{&older, &newer} {
		for query, set := range m.opts.Queries.into(s) {
			all.Go(func() {
				v, err := m.ask(ctx, m.query(query, m.branches[i], window))
				lock.Lock()
				defer lock.Unlock()
				if first == nil {
					first = err
				}
				set(v)
			})
		}
	}
	all.Wait()
	if first != nil {
		return Sample{}, Sample{}, first
	}
	return older, newer, nil
}

// query fills in what the placeholders of a query stand for.
func (m *Prometheus) query(text, series string, window time.Duration) string {
	seconds := max(int64(math.Ceil(window.Seconds())), 1)
	return strings.NewReplacer("$prefix", m.opts.Prefix, "$series", series, "$window", strconv.FormatInt(seconds, 10)+"s").Replace(text)
}

// answer is that of /api/v1/query.
type answer struct {
	Status string `json:"status"`
	Error  string `json:"error"`
	Data   struct {
		Type   string          `json:"resultType"`
		Result json.RawMessage `json:"result"`
	} `json:"data"`
}

// largestAnswer is more than one number takes.
const largestAnswer = 1 << 20

func (m *Prometheus) ask(ctx context.Context, query string) (float64, error) {
	bad := func(err error) (float64, error) {
		return 0, fmt.Errorf("rollout: asking Prometheus at %s for %s: %w", m.opts.URL, query, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.url, strings.NewReader(url.Values{"query": {query}}.Encode()))
	if err != nil {
		return bad(err)
	}
	maps.Copy(req.Header, m.opts.Header)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	rsp, err := m.opts.HTTP.Do(req)
	if err != nil {
		return bad(err)
	}
	defer rsp.Body.Close() //nolint:errcheck // it was read
	body, err := io.ReadAll(io.LimitReader(rsp.Body, largestAnswer))
	if err != nil {
		return bad(err)
	}
	v, err := parseAnswer(body)
	if err != nil && rsp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %w", rsp.Status, err)
	}
	if err != nil {
		return bad(err)
	}
	return v, nil
}

// parseAnswer returns the one number of an answer: 0 if there is none, or it is none.
func parseAnswer(body []byte) (float64, error) {
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return 0, fmt.Errorf("the answer is not that of /api/v1/query: %w", err)
	}
	if a.Status != "success" {
		return 0, fmt.Errorf("status %q: %s", a.Status, a.Error)
	}
	value := a.Data.Result
	if a.Data.Type == "vector" {
		var vector []struct {
			Value json.RawMessage `json:"value"`
		}
		if err := json.Unmarshal(a.Data.Result, &vector); err != nil {
			return 0, fmt.Errorf("the answer is not a vector: %w", err)
		}
		switch len(vector) {
		case 0:
			return 0, nil
		case 1:
			value = vector[0].Value
		default:
			return 0, fmt.Errorf("there are %d answers; want one, such as a sum", len(vector))
		}
	} else if a.Data.Type != "scalar" {
		return 0, fmt.Errorf("the answer is a %q; want a vector or a scalar", a.Data.Type)
	}
	var (
		at   float64
		text string
	)
	if err := json.Unmarshal(value, &[]any{&at, &text}); err != nil {
		return 0, fmt.Errorf("the answer is not a number: %w", err)
	}
	v, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || math.IsInf(v, 0) || v < 0:
		return 0, fmt.Errorf("the answer is %q; want a number", text)
	case math.IsNaN(v):
		return 0, nil
	}
	return v, nil
}

package rollout

import (
	"errors"
	"io"
	"regexp"
	"time"
)

// reading says what of a proxy's metrics is looked at.
type reading struct {
	prefix   string
	router   string
	service  *regexp.Regexp // nil for all
	branches [2]*regexp.Regexp
}

// seriesKey is one client of one router, for one service if those are told apart.
type seriesKey struct{ router, client, service string }

// counters are those of a series.
type counters struct {
	branch            int // 0 old, 1 new
	success, failures float64

	// The last closed window of latencies.
	timed, sum    float64
	p50, p95, p99 time.Duration
}

// seen is what a proxy said.
type seen struct {
	uptime float64 // ms
	series map[seriesKey]*counters
}

// errNoMetrics says that it was not a proxy that answered.
var errNoMetrics = errors.New("there are no metrics of a proxy, such as jvm:uptime or rt:server:requests")

func (r *reading) read(from io.Reader) (*seen, error) {
	all := &seen{series: map[seriesKey]*counters{}}
	scope := "rt:client:"
	if r.service != nil {
		scope = "rt:client:service:"
	}
	known := false
	err := readMetrics(from, r.prefix, func(m metric) {
		name := m.name[len(r.prefix):]
		if name == "jvm:uptime" {
			known, all.uptime = true, m.value
			return
		}
		if len(name) > 3 && name[:3] == "rt:" {
			known = true
		}
		if len(name) > len(scope) && name[:len(scope)] == scope {
			r.take(all, name[len(scope):], m)
		}
	})
	if err == nil && !known {
		err = errNoMetrics
	}
	return all, err
}

func (r *reading) take(all *seen, name string, m metric) {
	switch name {
	case "success", "failures", "request_latency_ms", "request_latency_ms_count", "request_latency_ms_sum":
	default:
		return
	}
	if _, part := m.labels["exception"]; part {
		return // it is counted in the total, too
	}
	key := seriesKey{m.labels["rt"], m.labels["client"], m.labels["service"]}
	if r.router != "" && key.router != r.router || r.service != nil && !r.service.MatchString(key.service) {
		return
	}
	c := all.series[key]
	if c == nil {
		c = &counters{branch: -1}
		for i, b := range r.branches {
			if b.MatchString(key.client) {
				c.branch = i
			}
		}
		all.series[key] = c
	}
	ms := time.Duration(m.value * float64(time.Millisecond))
	switch name {
	case "success":
		c.success = m.value
	case "failures":
		c.failures = m.value
	case "request_latency_ms_count":
		c.timed = m.value
	case "request_latency_ms_sum":
		c.sum = m.value
	case "request_latency_ms":
		switch m.labels["quantile"] {
		case "0.5":
			c.p50 = ms
		case "0.95":
			c.p95 = ms
		case "0.99":
			c.p99 = ms
		}
	}
}

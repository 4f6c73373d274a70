package prom

import (
	"fmt"
	"mime"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Format is a form in which Prometheus takes metrics.
type Format uint8

// The formats. In all of them series have the same names and labels, but for the counters
// of OpenMetrics, which must end in _total.
const (
	Text        Format = iota // text, version 0.0.4
	OpenMetrics               // text, version 1.0.0 of OpenMetrics
	Protobuf                  // io.prometheus.client.MetricFamily messages, delimited; has native histograms
)

func (f Format) contentType() string {
	switch f {
	case OpenMetrics:
		return "application/openmetrics-text; version=1.0.0; charset=utf-8"
	case Protobuf:
		return "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
	default:
		return "text/plain; version=0.0.4; charset=utf-8"
	}
}

// Negotiate returns o as a request wants it, by the values of its Accept headers and its
// query, of which these keys count:
//
//	format=text|openmetrics|protobuf   instead of what Accept says
//	format=linkerd                     as Compatible
//	histograms=classic                 as ClassicHistograms
//
// Protobuf is what a Prometheus asks for that is to take native histograms. OpenMetrics is
// given to those who do not name text/plain beside it: every Prometheus prefers it by
// default, and would call the counters by names that dashboards made for Linkerd do not
// know. What is malformed in Accept is passed over, and who accepts nothing of this gets
// text; the error says what is wrong with the query.
func (o Options) Negotiate(accept []string, query string) (Options, error) {
	q, err := url.ParseQuery(query)
	if err != nil {
		return o, fmt.Errorf("malformed query: %w", err)
	}
	switch v := q.Get("histograms"); v {
	case "":
	case "classic":
		o.ClassicHistograms = true
	default:
		return o, fmt.Errorf(`histograms is %q; want classic`, v)
	}
	switch v := q.Get("format"); v {
	case "":
		if !o.Compatible {
			o.Format = accepted(accept)
		}
		return o, nil
	case "text":
		o.Format, o.Compatible = Text, false
	case "openmetrics":
		o.Format, o.Compatible = OpenMetrics, false
	case "protobuf":
		o.Format, o.Compatible = Protobuf, false
	case "linkerd":
		o.Compatible = true
	default:
		return o, fmt.Errorf(`format is %q; want text, openmetrics, protobuf or linkerd`, v)
	}
	return o, nil
}

// accepted is the format that is wanted most.
func accepted(accept []string) Format {
	var best [Protobuf + 1]float64
	for _, header := range accept {
		for part := range strings.SplitSeq(header, ",") {
			f, q, ok := media(part)
			if ok {
				best[f] = max(best[f], q)
			}
		}
	}
	switch {
	case best[Protobuf] > 0 && best[Protobuf] >= max(best[Text], best[OpenMetrics]):
		return Protobuf
	case best[OpenMetrics] > 0 && best[Text] == 0:
		return OpenMetrics
	default:
		return Text
	}
}

// media reads an element of an Accept header.
func media(part string) (f Format, q float64, ok bool) {
	kind, params, err := mime.ParseMediaType(part)
	if err != nil {
		return 0, 0, false
	}
	q = 1
	if s, has := params["q"]; has {
		if q, err = strconv.ParseFloat(s, 64); err != nil || !(q >= 0 && q <= 1) {
			return 0, 0, false
		}
	}
	is := func(key string, values ...string) bool {
		return slices.Contains(values, params[key])
	}
	switch kind {
	case "text/plain":
		return Text, q, is("version", "", "0.0.4")
	case "application/openmetrics-text":
		return OpenMetrics, q, is("version", "", "1.0.0", "0.0.1")
	case "application/vnd.google.protobuf":
		return Protobuf, q, is("proto", "", "io.prometheus.client.MetricFamily") && is("encoding", "", "delimited")
	}
	return 0, 0, false
}

package accesslog

import (
	"log/slog"
	"net"
	"strconv"
	"time"
)

// Entry is an attempt that got a response. Empty fields are not known.
type Entry struct {
	Router string // its label

	Method, Host, URI string
	Protocol          string // of the caller's connection, such as HTTP/1.1; HTTP/2 has its own form of the line
	Remote            string // of the caller, with its port
	Referer           string
	UserAgent         string

	Status int
	Length string // of the response's body, in bytes

	Service  string // the logical name
	Client   string // the bound id
	Endpoint string // host:port
	Attempt  int    // 1 is the first one
	Latency  time.Duration
	Trace    string // the trace id, in hexadecimal digits
}

// isH2 reports whether the line is that of an h2 router.
func (e *Entry) isH2() bool { return e.Protocol == "HTTP/2" }

// attrs are the members of the JSON form, in order: time and router first, then what
// was asked, what came back, and how.
func (e *Entry) attrs() []slog.Attr {
	all := make([]slog.Attr, 0, 16)
	text := func(key, value string) {
		if value != "" {
			all = append(all, slog.String(key, value))
		}
	}
	text("router", e.Router)
	text("remote", remoteIP(e.Remote))
	text("method", e.Method)
	text("host", e.Host)
	text("uri", e.URI)
	text("protocol", e.Protocol)
	all = append(all, slog.Int("status", e.Status))
	if n, err := strconv.ParseInt(e.Length, 10, 64); err == nil {
		all = append(all, slog.Int64("responseBytes", n))
	}
	if e.Latency > 0 {
		all = append(all, slog.Float64("latencyMs", float64(e.Latency.Microseconds())/1000))
	}
	text("service", e.Service)
	text("client", e.Client)
	text("endpoint", e.Endpoint)
	if e.Attempt > 0 {
		all = append(all, slog.Int("attempt", e.Attempt))
	}
	text("trace", e.Trace)
	text("referer", e.Referer)
	text("userAgent", e.UserAgent)
	return all
}

func remoteIP(addr string) string {
	if ip, _, err := net.SplitHostPort(addr); err == nil {
		return ip
	}
	return addr
}

package accesslog

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"
)

// Line returns the line for an exchange that ended at the given time, in Linkerd's
// form:
//
//	<host> <remote ip> - - [<dd/MM/yyyy:HH:mm:ss zone>] "<method> <uri> <version>" <status> <length> "<referer>" "<user agent>"
//
// That of an h2 router has a zone in digits, and no length. What is absent is "-".
// Quotes, backslashes and control characters in what the caller sent are escaped, so
// that nobody can forge lines.
func Line(e *Entry, at time.Time) string {
	zone, length := "MST", orDash(e.Length)
	if e.isH2() {
		zone, length = "-0700", "-"
	}
	var b strings.Builder
	b.WriteString(orDash(e.Host) + " " + hostOf(e.Remote) + " - - [" + at.Format("02/01/2006:15:04:05 "+zone) + `] "`)
	b.WriteString(clean(e.Method + " " + e.URI + " " + e.Protocol))
	b.WriteString(`" ` + strconv.Itoa(e.Status) + " " + length)
	b.WriteString(` "` + orDash(e.Referer) + `" "` + orDash(e.UserAgent) + `"`)
	return b.String()
}

// JSON returns the line as a JSON object: time (RFC 3339 with milliseconds), router,
// remote, method, host, uri, protocol, status, responseBytes, latencyMs, service,
// client, endpoint, attempt, trace, referer, userAgent, of which those are left out
// that are not known.
func JSON(e *Entry, at time.Time) string {
	var b bytes.Buffer
	h := slog.NewJSONHandler(&b, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		switch {
		case len(groups) > 0:
		case a.Key == slog.LevelKey, a.Key == slog.MessageKey:
			return slog.Attr{}
		case a.Key == slog.TimeKey:
			return slog.String("time", at.Format("2006-01-02T15:04:05.000Z07:00"))
		}
		return a
	}})
	r := slog.NewRecord(at, slog.LevelInfo, "", 0)
	r.AddAttrs(e.attrs()...)
	_ = h.Handle(context.Background(), r) // a buffer takes everything
	return strings.TrimSuffix(b.String(), "\n")
}

func hostOf(addr string) string {
	if ip, _, err := net.SplitHostPort(addr); err == nil {
		return ip
	}
	return "0.0.0.0"
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return clean(s)
}

func clean(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' || r == 0x7f }) {
		return s
	}
	q := strconv.QuoteToASCII(s)
	return q[1 : len(q)-1]
}

package accesslog

import (
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Line returns the line for an exchange that ended at the given time:
//
//	<Host> <remote ip> - - [<dd/MM/yyyy:HH:mm:ss zone>] "<method> <uri> <version>" <status> <length> "<referer>" "<user agent>"
//
// What is absent is "-". Quotes, backslashes and control characters in what the
// caller sent are escaped, so that nobody can forge lines.
func Line(req *http.Request, resp *http.Response, at time.Time) string {
	var b strings.Builder
	b.WriteString(orDash(req.Host))
	b.WriteByte(' ')
	ip, _, err := net.SplitHostPort(req.RemoteAddr)
	if err != nil {
		ip = "0.0.0.0"
	}
	b.WriteString(ip)
	b.WriteString(" - - [")
	b.WriteString(at.Format("02/01/2006:15:04:05 MST"))
	b.WriteString(`] "`)
	b.WriteString(clean(req.Method + " " + req.URL.RequestURI() + " " + req.Proto))
	b.WriteString(`" `)
	b.WriteString(strconv.Itoa(resp.StatusCode))
	b.WriteByte(' ')
	length := resp.Header.Get("Content-Length")
	if length == "" && resp.ContentLength > 0 {
		length = strconv.FormatInt(resp.ContentLength, 10)
	}
	b.WriteString(orDash(length))
	b.WriteString(` "` + orDash(req.Header.Get("Referer")) + `" "` + orDash(req.Header.Get("User-Agent")) + `"`)
	return b.String()
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

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
	b.WriteString(hostOf(req.RemoteAddr))
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

// H2Entry is an exchange of an h2 router.
type H2Entry struct {
	Authority, Method, Path string
	RemoteAddr              string // of the caller, with its port
	Status                  int
	Referer, UserAgent      string
}

// H2Line returns the line for an exchange of an h2 router. It has no length, and
// its zone is a number:
//
//	<authority> <remote ip> - - [<dd/MM/yyyy:HH:mm:ss +0000>] "<method> <path> HTTP/2" <status> - "<referer>" "<user agent>"
func H2Line(e H2Entry, at time.Time) string {
	return orDash(e.Authority) + " " + hostOf(e.RemoteAddr) + " - - [" + at.Format("02/01/2006:15:04:05 -0700") + `] "` +
		clean(e.Method+" "+e.Path+" HTTP/2") + `" ` + strconv.Itoa(e.Status) + ` - "` + orDash(e.Referer) + `" "` + orDash(e.UserAgent) + `"`
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

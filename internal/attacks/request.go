// Package attacks is the published ways to have two parsers of HTTP/1.1 disagree about
// where a message ends or what it says, for tests of whatever reads or relays it.
package attacks

import "strings"

// Request is what a caller sends, and what comes of it.
type Request struct {
	ID, Source string
	Send       string
	Seen       []string // by the handler, each request as "METHOD target host body trailers"
	Statuses   []int    // for the caller
}

// getWith returns a request with more fields.
func getWith(fields string) string { return "GET / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n" }

func postWith(fields, body string) string {
	return "POST / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n" + body
}

const (
	rfc9112  = "RFC 9112"
	kettle05 = "Watchfire 2005, HTTP request smuggling"
	kettle19 = "Kettle 2019, HTTP desync attacks"
	kettle21 = "Kettle 2021, HTTP/2: the sequel is always worse"
	kettle25 = "Kettle 2025, HTTP/1.1 must die"
	garden   = "http-garden"
	// smuggled is what an attacker hopes will be taken for the next request.
	smuggled = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"
)

func bad(id, source, send string, status int) Request {
	return Request{id, source, send, nil, []int{status}}
}

func good(id, source, send string, seen ...string) Request {
	statuses := make([]int, len(seen))
	for i := range statuses {
		statuses[i] = 200
	}
	return Request{id, source, send, seen, statuses}
}

// Requests returns what callers send to have two parsers disagree.
func Requests() []Request {
	chunks := "3\r\nabc\r\n0\r\n\r\n"
	te := "Transfer-Encoding: chunked\r\n"
	list := []Request{
		// Two lengths.
		bad("F01", kettle05, postWith("Content-Length: 5\r\n"+te, "0\r\n\r\n"+smuggled), 400),
		bad("F02", kettle05, postWith(te+"Content-Length: 5\r\n", "0\r\n\r\n"+smuggled), 400),
		bad("F03", kettle05, postWith("Content-Length: 3\r\nContent-Length: 0\r\n", "abc"+smuggled), 400),
		bad("F04", kettle05, postWith("Content-Length: 0\r\nContent-Length: 3\r\n", "abc"), 400),
		good("F05", "spec 2.9", postWith("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"), "POST / h abc"),
		bad("F06", rfc9112+" 6.3", postWith("Content-Length: 3, 3\r\n", "abc"), 400),
		bad("F07", rfc9112+" 6.3", postWith("Content-Length: 3, 4\r\n", "abc"), 400),
		bad("F08", "CVE-2018-7159, Node", postWith("Content-Length: 1 2\r\n", "a"), 400),
		bad("F09", garden, postWith("Content-Length: +3\r\n", "abc"), 400),
		bad("F10", garden, postWith("Content-Length: -3\r\n", "abc"), 400),
		bad("F11", garden, postWith("Content-Length: 0x3\r\n", "abc"), 400),
		bad("F12", garden, postWith("Content-Length: 3_0\r\n", "abc"), 400),
		bad("F13", garden, postWith("Content-Length: 03\r\n", "abc"), 400),
		bad("F14", garden, postWith("Content-Length: 3.0\r\n", "abc"), 400),
		bad("F15", garden, postWith("Content-Length: \r\n", "abc"), 400),
		bad("F16", "CVE-2021-40346, HAProxy overflow", postWith("Content-Length: 18446744073709551619\r\n", "abc"), 400),
		bad("F17", "int64 overflow", postWith("Content-Length: 9223372036854775808\r\n", "abc"), 400),
		bad("F18", "int32 wrap", postWith("Content-Length: 00000000000000000000000000003\r\n", "abc"), 400),
		bad("F19", garden, postWith("Content-Length: 3;x\r\n", "abc"), 400),
		bad("F20", garden, postWith("Content-Length: \"3\"\r\n", "abc"), 400),
		bad("F21", garden, postWith("Content-Length: 3\x0b\r\n", "abc"), 400),
		bad("F22", garden, postWith("Content-Length: \xef\xbc\x93\r\n", "abc"), 400),
		good("F23", "whitespace around it", postWith("Content-Length: \t 3 \t\r\n", "abc"), "POST / h abc"),
		bad("F24", "CVE-2021-40346, a name that is cut off", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length0"+strings.Repeat("a", 255)+":\r\nContent-Length: 20\r\nContent-Length: 1\r\n\r\na", 400),
		bad("F25", "CVE-2023-40225, HAProxy empty length", postWith("Content-Length:\r\nContent-Length: 3\r\n", "abc"), 400),
		bad("F26", "gunicorn, underscores", postWith("Content_Length: 5\r\n", "abc"), 400),
		bad("F27", "gunicorn, underscores", postWith("Transfer_Encoding: chunked\r\n", chunks), 400),
		bad("F28", kettle25+", 0.CL", postWith("Content-Length : 3\r\n", "abc"), 400),
		bad("F29", kettle25+", folded length", postWith("Content-Length:\r\n 3\r\n", "abc"), 400),
		good("F30", kettle25+", a body with GET", "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"+smuggled, "GET / h abc", "GET /smuggled h "),

		// Transfer codings.
		bad("T01", kettle19, postWith("Transfer-Encoding: xchunked\r\n", chunks), 501),
		bad("T02", kettle19, postWith("Transfer-Encoding : chunked\r\n", chunks), 400),
		bad("T03", kettle19, postWith(te+"Transfer-Encoding: x\r\n", chunks), 400),
		bad("T04", kettle19, postWith("Transfer-Encoding: x\r\n"+te, chunks), 501),
		good("T05", kettle19+", a tab before it", postWith("Transfer-Encoding:\tchunked\r\n", chunks), "POST / h abc"),
		bad("T06", kettle19, "GET / HTTP/1.1\r\nHost: h\r\n "+te+"\r\n"+chunks, 400),
		bad("T07", kettle19, "GET / HTTP/1.1\r\n Host: h\r\n"+te+"\r\n"+chunks, 400),
		bad("T08", kettle19, postWith("X: X\nTransfer-Encoding: chunked\r\n", chunks), 400),
		bad("T09", kettle19, postWith("Transfer-Encoding\r\n: chunked\r\n", chunks), 400),
		bad("T10", kettle19, postWith("Transfer-Encoding: \x00chunked\r\n", chunks), 400),
		bad("T11", kettle19, postWith("Transfer-Encoding: \x0bchunked\r\n", chunks), 400),
		bad("T12", kettle19, postWith("Transfer-Encoding: chunked\x0c\r\n", chunks), 400),
		bad("T13", garden, postWith("Transfer-Encoding: \xa0chunked\r\n", chunks), 501),
		bad("T14", kettle19, postWith("Transfer-Encoding: chunked, identity\r\n", chunks), 501),
		bad("T15", kettle19, postWith("Transfer-Encoding: identity, chunked\r\n", chunks), 501),
		bad("T16", "CVE-2020-8201, Node", postWith("Transfer-Encoding: identity\r\n", "abc"), 501),
		bad("T17", rfc9112+" 7", postWith("Transfer-Encoding: chunked, chunked\r\n", chunks), 501),
		bad("T18", rfc9112+" 7", postWith(te+te, chunks), 400),
		bad("T19", "CVE-2021-22960, Node", postWith("Transfer-Encoding: chunked;q=1\r\n", chunks), 501),
		bad("T20", kettle19, postWith("Transfer-Encoding: \"chunked\"\r\n", chunks), 501),
		bad("T21", kettle19, postWith("Transfer-Encoding: 'chunked'\r\n", chunks), 501),
		bad("T22", garden, postWith("Transfer-Encoding: ,chunked\r\n", chunks), 501),
		bad("T23", garden, postWith("Transfer-Encoding: chunked,\r\n", chunks), 501),
		bad("T24", garden, postWith("Transfer-Encoding:\r\n", "abc"), 501),
		bad("T25", rfc9112+" 6.1", "POST / HTTP/1.0\r\nHost: h\r\n"+te+"\r\n"+chunks, 400),
		good("T26", rfc9112+" 7.1, any case", postWith("tRANSFER-eNCODING: CHUNKED\r\n", chunks), "POST / h abc"),
		bad("T27", kettle19, postWith("Transfer-Encoding: gzip, chunked\r\n", chunks), 501),
		bad("T28", "CVE-2022-32214, Node", postWith("Transfer-Encoding:chunked\nX: y\r\n", chunks), 400),
		bad("T29", "CVE-2022-35256, Node", postWith("Transfer-Encoding: chunked\r X: y\r\n", chunks), 400),
		bad("T30", kettle21+", CRLF within a name", postWith("Transfer-Encod\ring: chunked\r\n", chunks), 400),
		bad("T31", "CVE-2019-16276, Go", postWith("Transfer-Encoding : chunked\r\nContent-Length: 3\r\n", "abc"), 400),
		bad("T32", "CVE-2022-1705, Go", postWith("Transfer-Encoding: \x0cchunked\r\n", chunks), 400),
		bad("T33", garden, postWith("Transfer-Encoding: chunked\x7f\r\n", chunks), 400),
		bad("T34", "kelvin sign as k", postWith("Transfer-Encoding: chun\xe2\x84\xaaed\r\n", chunks), 501),

		// Chunks.
		bad("K01", garden, postWith(te, "0x3\r\nabc\r\n0\r\n\r\n"), 400),
		bad("K02", garden, postWith(te, "+3\r\nabc\r\n0\r\n\r\n"), 400),
		bad("K03", garden, postWith(te, "-3\r\nabc\r\n0\r\n\r\n"), 400),
		bad("K04", garden, postWith(te, " 3\r\nabc\r\n0\r\n\r\n"), 400),
		bad("K05", garden, postWith(te, "3 \r\nabc\r\n0\r\n\r\n"), 400),
		bad("K06", garden, postWith(te, "3\nabc\n0\n\n"), 400),
		bad("K07", "CVE-2024-6827, gunicorn; Kettle 2025", postWith(te, "3;\nabc\r\n0\r\n\r\n"), 400),
		bad("K08", garden, postWith(te, "3_0\r\nabc\r\n0\r\n\r\n"), 400),
		bad("K09", "overflow", postWith(te, "10000000000000003\r\nabc\r\n0\r\n\r\n"), 400),
		bad("K10", "overflow", postWith(te, "FFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n"), 400),
		bad("K11", "overflow with zeros", postWith(te, "00000000000000003\r\nabc\r\n0\r\n\r\n"), 400),
		good("K12", rfc9112+" 7.1", postWith(te, "0003\r\nabc\r\n00\r\n\r\n"), "POST / h abc"),
		good("K13", rfc9112+" 7.1.1, extensions are dropped", postWith(te, "3;a=b;c=\"d e\" ; f\r\nabc\r\n0;x\r\n\r\n"), "POST / h abc"),
		bad("K14", garden, postWith(te, "3;a=\x00\r\nabc\r\n0\r\n\r\n"), 400),
		bad("K15", "CVE-2023-39326, Go, long extensions", postWith(te, "3;"+strings.Repeat("a", 2000)+"\r\nabc\r\n0\r\n\r\n"), 400),
		bad("K16", "CVE-2023-39326, Go, many extensions", postWith(te, strings.Repeat("1;"+strings.Repeat("a", 1000)+"\r\nx\r\n", 40)+"0\r\n\r\n"), 400),
		bad("K17", garden, postWith(te, "3\r\nabcX\r\n0\r\n\r\n"), 400),
		bad("K18", garden, postWith(te, "3\r\nabc\n0\r\n\r\n"), 400),
		bad("K19", garden, postWith(te, "3\r\nabc\rX0\r\n\r\n"), 400),
		bad("K20", "CVE-2025-22871, Go, bare LF after a size", postWith(te, "3;a\nabc\r\n0\r\n\r\n"), 400),
		bad("K21", garden, postWith(te, "\r\n3\r\nabc\r\n0\r\n\r\n"), 400),
		bad("K22", garden, postWith(te, "3\rabc\r\n0\r\n\r\n"), 400),
		bad("K23", garden, postWith(te, ";a\r\n\r\n"), 400),
		bad("K24", garden, postWith(te, "3 a\r\nabc\r\n0\r\n\r\n"), 400),
		good("K25", "the next one begins where it should", postWith(te, chunks)+smuggled, "POST / h abc", "GET /smuggled h "),
		bad("K26", "bare LF ends the trailer", postWith(te, "3\r\nabc\r\n0\r\n\n"), 400),
		bad("K27", "bare LF in the trailer", postWith(te, "3\r\nabc\r\n0\r\nX: y\n\r\n"), 400),
		bad("K28", "folded trailer", postWith(te, "3\r\nabc\r\n0\r\nX: y\r\n z\r\n\r\n"), 400),
		bad("K29", "space before the colon", postWith(te, "3\r\nabc\r\n0\r\nX : y\r\n\r\n"), 400),
		good("K30", rfc9112+" 7.1.2, framing in a trailer is dropped", postWith(te, "3\r\nabc\r\n0\r\nContent-Length: 30\r\nTransfer-Encoding: chunked\r\nHost: x\r\n\r\n")+smuggled, "POST / h abc", "GET /smuggled h "),
		good("K31", "trailers are passed on", postWith(te+"Trailer: X-T, Host\r\n", "3\r\nabc\r\n0\r\nX-T: 1\r\nHost: x\r\n\r\n"), "POST / h abc X-T=1"),
		bad("K32", "trailer too large", postWith(te, "3\r\nabc\r\n0\r\nX-T: "+strings.Repeat("a", 9000)+"\r\n\r\n"), 431),
		bad("K33", "CVE-2024-27982, Node: control byte", postWith(te, "3\x0b\r\nabc\r\n0\r\n\r\n"), 400),
		bad("K34", kettle25+", CR in an extension", postWith(te, "3;a\rb\r\nabc\r\n0\r\n\r\n"), 400),

		// Lines and fields.
		bad("L01", rfc9112+" 2.2", "GET / HTTP/1.1\nHost: h\n\n", 400),
		bad("L02", rfc9112+" 2.2", "GET / HTTP/1.1\r\nHost: h\n\r\n", 400),
		bad("L03", rfc9112+" 2.2, bare CR", getWith("X: a\rb\r\n"), 400),
		bad("L04", "bare CR hides a field", getWith("X: a\rContent-Length: 3\r\n"), 400),
		bad("L05", rfc9112+" 5.2", getWith("X: a\r\n b\r\n"), 400),
		bad("L06", rfc9112+" 5.2", getWith("X: a\r\n\tb\r\n"), 400),
		bad("L07", rfc9112+" 5.1", getWith("X : a\r\n"), 400),
		bad("L08", rfc9112+" 5.1", getWith("X\t: a\r\n"), 400),
		bad("L09", "empty name", getWith(": a\r\n"), 400),
		bad("L10", "no colon", getWith("nonsense\r\n"), 400),
		bad("L11", "NUL", getWith("X: a\x00b\r\n"), 400),
		bad("L12", "NUL in a name", getWith("X\x00: b\r\n"), 400),
		bad("L13", "ESC", getWith("X: a\x1bb\r\n"), 400),
		bad("L14", "DEL", getWith("X: a\x7fb\r\n"), 400),
		bad("L15", "non-ASCII name", getWith("X\xe9: b\r\n"), 400),
		good("L16", "non-ASCII value", getWith("X: \xe9\r\n"), "GET / h "),
		good("L17", "tab within", getWith("X: a\tb\r\n"), "GET / h "),
		good("L18", "empty value", getWith("X:\r\n"), "GET / h "),
		bad("L19", rfc9112+" 2.2, whitespace line", " \r\n"+getWith(""), 400),
		good("L20", rfc9112+" 2.2, one empty line", "\r\n"+getWith(""), "GET / h "),
		bad("L21", "two empty lines", "\r\n\r\n"+getWith(""), 400),
		bad("L22", "empty line with LF", "\n"+getWith(""), 400),
		bad("L23", "line of whitespace among fields", getWith("X: a\r\n \r\n"), 400),
		bad("L24", "CVE-2019-9741 parenthesis in a name", getWith("X(y): b\r\n"), 400),
		bad("L25", garden+", quoted name", getWith("\"X\": b\r\n"), 400),
		bad("L26", "CR before the end", getWith("X: a\r\r\n"), 400),
		bad("L27", "CVE-2023-25690, CRLF in the target", "GET /a\r\nX: y HTTP/1.1\r\nHost: h\r\n\r\n", 400),

		// Request line.
		bad("R01", "HTTP/0.9", "GET /\r\n\r\n", 400),
		bad("R02", "no version", "GET / \r\nHost: h\r\n\r\n", 400),
		bad("R03", "version", "GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505),
		bad("R04", "version", "GET / HTTP/1.2\r\nHost: h\r\n\r\n", 505),
		bad("R05", "version", "GET / HTTP/0.9\r\nHost: h\r\n\r\n", 505),
		bad("R06", "version", "GET / http/1.1\r\nHost: h\r\n\r\n", 400),
		bad("R07", "version", "GET / HTTP/1.10\r\nHost: h\r\n\r\n", 400),
		bad("R08", "version", "GET / HTTP/1,1\r\nHost: h\r\n\r\n", 400),
		bad("R09", "version", "GET / HTTP/11\r\nHost: h\r\n\r\n", 400),
		bad("R10", garden+", signed version", "GET / HTTP/+1.1\r\nHost: h\r\n\r\n", 400),
		bad("R11", "trailing space", "GET / HTTP/1.1 \r\nHost: h\r\n\r\n", 400),
		bad("R12", "two spaces", "GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
		bad("R13", "two spaces", "GET /  HTTP/1.1\r\nHost: h\r\n\r\n", 400),
		bad("R14", "tab", "GET\t/\tHTTP/1.1\r\nHost: h\r\n\r\n", 400),
		bad("R15", "space in the target", "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", 400),
		bad("R16", "tab in the target", "GET /a\tb HTTP/1.1\r\nHost: h\r\n\r\n", 400),
		bad("R17", "non-ASCII in the target", "GET /\xc3\xa9 HTTP/1.1\r\nHost: h\r\n\r\n", 400),
		bad("R18", "NUL in the target", "GET /a\x00b HTTP/1.1\r\nHost: h\r\n\r\n", 400),
		bad("R19", "empty method", " / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
		bad("R20", "method", "GE(T / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
		bad("R21", "CVE-2023-45539, HAProxy, fragment", "GET /a.png#/x HTTP/1.1\r\nHost: h\r\n\r\n", 400),
		bad("R22", "form", "GET a HTTP/1.1\r\nHost: h\r\n\r\n", 400),
		bad("R23", "form", "GET h:80 HTTP/1.1\r\nHost: h\r\n\r\n", 400),
		bad("R24", "form", "GET * HTTP/1.1\r\nHost: h\r\n\r\n", 400),
		good("R25", "form", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "OPTIONS * h "),
		bad("R26", "form", "CONNECT / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
		bad("R27", "form", "CONNECT h HTTP/1.1\r\nHost: h\r\n\r\n", 400),
		bad("R28", "form", "CONNECT u@h:80 HTTP/1.1\r\nHost: h\r\n\r\n", 400),
		bad("R29", "escape", "GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", 400),
		good("R30", "two slashes are a path", "GET //x/y HTTP/1.1\r\nHost: h\r\n\r\n", "GET //x/y h "),
		bad("R31", "HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
		bad("R32", "TLS", "\x16\x03\x01\x02\x00\x01\x00\x01", 400),
		bad("R33", "request line too long", "GET /"+strings.Repeat("a", 5000)+" HTTP/1.1\r\nHost: h\r\n\r\n", 414),
		bad("R34", "fields too large", getWith("X: "+strings.Repeat("a", 9000)+"\r\n"), 431),
		bad("R35", "too many fields", getWith(strings.Repeat("X: a\r\n", 250)), 431),
		bad("R36", "expectation", getWith("Expect: the-unexpected\r\n"), 417),
		good("R37", "method in any case", "get / HTTP/1.1\r\nHost: h\r\n\r\n", "get / h "),

		// Host.
		bad("H01", rfc9112+" 3.2", "GET / HTTP/1.1\r\n\r\n", 400),
		bad("H02", rfc9112+" 3.2", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
		bad("H03", rfc9112+" 3.2", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
		bad("H04", garden, "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400),
		bad("H05", garden, "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", 400),
		bad("H06", "host confusion", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400),
		bad("H07", "host confusion", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
		bad("H08", "host confusion", "GET / HTTP/1.1\r\nHost: a:80:90\r\n\r\n", 400),
		bad("H09", "host confusion", "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", 400),
		bad("H10", "host confusion", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
		bad("H11", "host confusion", "GET / HTTP/1.1\r\nHost: a\\b\r\n\r\n", 400),
		bad("H12", "host confusion", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400),
		bad("H13", "host confusion", "GET / HTTP/1.1\r\nHost: a?b\r\n\r\n", 400),
		bad("H14", "host confusion", "GET / HTTP/1.1\r\nHost: a#b\r\n\r\n", 400),
		bad("H15", "host confusion", "GET / HTTP/1.1\r\nHost: \xe9\r\n\r\n", 400),
		bad("H16", "folded host", "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", 400),
		bad("H17", "host with a space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
		good("H18", "IPv6", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "GET / [::1]:80 "),
		good("H19", rfc9112+" 3.2, empty", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET /  "),
		good("H20", rfc9112+" 3.2.2, the target wins", "GET http://a:81/x?y HTTP/1.1\r\nHost: b\r\n\r\n", "GET http://a:81/x?y a:81 "),
		bad("H21", "user information in the target", "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
		bad("H22", "no authority", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
		bad("H23", "other scheme", "GET ftp://a/x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
		bad("H24", "two hosts, one of them with the target's", "GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
		bad("H25", "absolute target and no Host", "GET http://a/ HTTP/1.1\r\n\r\n", 400),
		good("H26", "HTTP/1.0 needs none", "GET / HTTP/1.0\r\n\r\n", "GET /  "),
		good("H27", "one trailing dot", "GET / HTTP/1.1\r\nHost: a.b.:80\r\n\r\n", "GET / a.b.:80 "),
	}
	return list
}

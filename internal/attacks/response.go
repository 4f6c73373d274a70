package attacks

import "strings"

// Response is what an endpoint answers, after which it closes the connection, and what
// comes of it.
type Response struct {
	ID, Source string
	Method     string // of the request
	Send       string
	Body       string // Refused for a response that is not believed
	Close      bool   // nothing that follows on the connection is believed
}

// Refused is the Body of a Response that is an error to whoever reads it.
const Refused = "!"

// Responses returns what endpoints answer to have two parsers disagree.
func Responses() []Response {
	ok := func(fields, body string) string { return "HTTP/1.1 200 OK\r\n" + fields + "\r\n" + body }
	chunks, te := "3\r\nabc\r\n0\r\n\r\n", "Transfer-Encoding: chunked\r\n"
	return []Response{
		{"C01", "RFC 9112 6.3: chunked wins, the connection is done for", "GET", ok(te+"Content-Length: 1\r\n", chunks), "abc", true},
		{"C02", "the other order", "GET", ok("Content-Length: 1\r\n"+te, chunks), "abc", true},
		{"C03", "different lengths", "GET", ok("Content-Length: 1\r\nContent-Length: 3\r\n", "abc"), "!", false},
		{"C04", "equal lengths", "GET", ok("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"), "abc", false},
		{"C05", "list of lengths", "GET", ok("Content-Length: 3, 3\r\n", "abc"), "!", false},
		{"C06", "sign", "GET", ok("Content-Length: +3\r\n", "abc"), "!", false},
		{"C07", "sign", "GET", ok("Content-Length: -1\r\n", "abc"), "!", false},
		{"C08", "hex", "GET", ok("Content-Length: 0x3\r\n", "abc"), "!", false},
		{"C09", "overflow", "GET", ok("Content-Length: 99999999999999999999\r\n", "abc"), "!", false},
		{"C10", "empty length", "GET", ok("Content-Length:\r\n", "abc"), "!", false},
		{"C11", "unknown coding", "GET", ok("Transfer-Encoding: gzip\r\n", "abc"), "!", false},
		{"C12", "codings", "GET", ok("Transfer-Encoding: gzip, chunked\r\n", chunks), "!", false},
		{"C13", "two codings", "GET", ok(te+te, chunks), "!", false},
		{"C14", "xchunked", "GET", ok("Transfer-Encoding: xchunked\r\n", chunks), "!", false},
		{"C15", "identity", "GET", ok("Transfer-Encoding: identity\r\n", "abc"), "!", false},
		{"C16", "vertical tab", "GET", ok("Transfer-Encoding: \x0bchunked\r\n", chunks), "!", false},
		{"C17", "chunked in 1.0", "GET", "HTTP/1.0 200 OK\r\n" + te + "\r\n" + chunks, "!", false},
		{"C18", "space before the colon", "GET", ok("Content-Length : 3\r\n", "abc"), "!", false},
		{"C19", "folded", "GET", ok("X: a\r\n b\r\n", "abc"), "!", false},
		{"C20", "bare LF", "GET", "HTTP/1.1 200 OK\nContent-Length: 3\n\nabc", "!", false},
		{"C21", "bare CR", "GET", ok("X: a\rb\r\n", "abc"), "!", false},
		{"C22", "NUL", "GET", ok("X: a\x00b\r\n", "abc"), "!", false},
		{"C23", "empty name", "GET", ok(": a\r\n", "abc"), "!", false},
		{"C24", "no colon", "GET", ok("X\r\n", "abc"), "!", false},
		{"C25", "leading space", "GET", "HTTP/1.1 200 OK\r\n X: a\r\n\r\n", "!", false},
		{"C26", "HTTP/0.9", "GET", "<html>\r\n\r\n", "!", false},
		{"C27", "version", "GET", "HTTP/2.0 200 OK\r\n\r\n", "!", false},
		{"C28", "version", "GET", "HTTP/1.1200 OK\r\n\r\n", "!", false},
		{"C29", "status", "GET", "HTTP/1.1 20 OK\r\n\r\n", "!", false},
		{"C30", "status", "GET", "HTTP/1.1 2000 OK\r\n\r\n", "!", false},
		{"C31", "status", "GET", "HTTP/1.1 +20 OK\r\n\r\n", "!", false},
		{"C32", "status", "GET", "HTTP/1.1 099 OK\r\n\r\n", "!", false},
		{"C33", "two spaces", "GET", "HTTP/1.1  200 OK\r\n\r\n", "!", false},
		{"C34", "no reason", "GET", "HTTP/1.1 200 \r\nContent-Length: 3\r\n\r\nabc", "abc", false},
		{"C35", "no space either", "GET", "HTTP/1.1 200\r\nContent-Length: 3\r\n\r\nabc", "abc", false},
		{"C36", "control byte in the reason", "GET", "HTTP/1.1 200 O\x01K\r\n\r\n", "!", false},
		{"C37", "until close", "GET", ok("", "abc"), "abc", true},
		{"C38", "until close, though it promises to stay", "GET", ok("Connection: keep-alive\r\n", "abc"), "abc", true},
		{"C39", "HEAD", "HEAD", ok("Content-Length: 3\r\n", ""), "", false},
		{"C40", "HEAD, chunked", "HEAD", ok(te, ""), "", false},
		{"C41", "HEAD, no length", "HEAD", ok("", ""), "", false},
		{"C42", "304", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", "", false},
		{"C43", "204", "GET", "HTTP/1.1 204 No Content\r\n\r\n", "", false},
		{"C44", "204 with a length", "GET", "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc", "", true},
		{"C45", "204, chunked", "GET", "HTTP/1.1 204 No Content\r\n" + te + "\r\n" + chunks, "", true},
		{"C46", "1xx with a length", "GET", "HTTP/1.1 103 Early Hints\r\nContent-Length: 3\r\n\r\n", "", true},
		{"C47", "1.0", "GET", "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", "abc", true},
		{"C48", "1.0 that stays", "GET", "HTTP/1.0 200 OK\r\nContent-Length: 3\r\nConnection: Keep-Alive\r\n\r\nabc", "abc", false},
		{"C49", "bad chunk", "GET", ok(te, "0x3\r\nabc\r\n0\r\n\r\n"), "!", false},
		{"C50", "padded chunk size, as IIS and old Apaches write it", "GET", ok(te, "3  \r\nabc\r\n0\r\n\r\n"), "abc", false},
		{"C51", "chunk with LF", "GET", ok(te, "3\nabc\n0\n\n"), "!", false},
		{"C52", "chunk too long", "GET", ok(te, "3\r\nabcd\r\n0\r\n\r\n"), "!", false},
		{"C53", "chunk overflow", "GET", ok(te, "8000000000000000\r\nabc\r\n0\r\n\r\n"), "!", false},
		{"C54", "cut off within a chunk", "GET", ok(te, "3\r\nab"), "!", false},
		{"C55", "cut off before the last chunk", "GET", ok(te, "3\r\nabc\r\n"), "!", false},
		{"C56", "cut off in the trailer", "GET", ok(te, "3\r\nabc\r\n0\r\nX: y\r\n"), "!", false},
		{"C57", "cut off", "GET", ok("Content-Length: 4\r\n", "abc"), "!", false},
		{"C58", "cut off in the head", "GET", "HTTP/1.1 200 OK\r\nContent-Len", "!", false},
		{"C59", "header too large", "GET", ok("X: "+strings.Repeat("a", 9000)+"\r\n", ""), "!", false},
		{"C60", "too many fields", "GET", ok(strings.Repeat("X: a\r\n", 250), ""), "!", false},
		{"C61", "CONNECT", "CONNECT", ok("Content-Length: 3\r\n", "tunnel"), "tunnel", false},
		{"C62", "CONNECT refused", "CONNECT", "HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nabcd", "abc", false},
		{"C63", "underscores", "GET", ok("Content_Length: 3\r\n", "abc"), "!", false},
	}
}

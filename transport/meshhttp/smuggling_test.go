package meshhttp_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/attacks"
	"github.com/weft-mesh/weft/internal/memhttp"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// toAny routes every name to one set of endpoints.
const toAny = "/svc/* => /#/w/any"

// recorder is an endpoint that understands nothing but what every parser would
// understand in the same way.
type recorder struct {
	mu       sync.Mutex
	requests []string // that were whole: "METHOD target body trailers"
	problems []string // what was not well-formed
}

// record starts a recorder that is the only endpoint of name.
func (w *world) record(name string) *recorder {
	w.t.Helper()
	addr := w.address()
	l, err := w.net.Listen(addr)
	require.NoError(w.t, err)
	w.put(name, addr)
	r := &recorder{}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				for br := bufio.NewReader(conn); r.one(br); {
					_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
				}
			})
		}
	})
	w.t.Cleanup(func() { l.Kill(); wg.Wait() })
	return r
}

// understand starts an endpoint of net/http that is the only one of name, and records
// the requests that were whole.
func (w *world) understand(name string) *recorder {
	w.t.Helper()
	addr, r := w.address(), &recorder{}
	srv, err := memhttp.Start(&w.net, addr, &http.Server{
		DisableGeneralOptionsHandler: true,
		Handler: http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
			body, err := io.ReadAll(req.Body)
			if err != nil {
				panic(http.ErrAbortHandler)
			}
			one := req.Method + " " + req.RequestURI + " " + string(body)
			for name, values := range req.Trailer {
				one += " " + name + "=" + strings.Join(values, ",")
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			r.requests = append(r.requests, one)
		}),
	})
	require.NoError(w.t, err)
	w.put(name, addr)
	w.t.Cleanup(func() { _ = srv.Close() })
	return r
}

func (r *recorder) one(br *bufio.Reader) bool {
	text, problem, err := strictRequest(br)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case problem != "":
		r.problems = append(r.problems, problem)
		return false
	case err != nil:
		return false
	}
	r.requests = append(r.requests, text)
	return true
}

func (r *recorder) seen() (requests, problems []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.requests, r.problems
}

// strictRequest reads a request that is nothing but canonical. An error says that it
// was not whole.
func strictRequest(br *bufio.Reader) (text, problem string, err error) {
	start := regexp.MustCompile("^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([!-~]+) HTTP/1\\.1$")
	line, problem, err := strictLine(br)
	if problem != "" || err != nil {
		return "", problem, err
	}
	m := start.FindStringSubmatch(line)
	if m == nil {
		return "", fmt.Sprintf("start line %q", line), nil
	}
	fields, problem, err := strictFields(br)
	if problem != "" || err != nil {
		return "", problem, err
	}
	length, coding := fields["content-length"], fields["transfer-encoding"]
	if len(length)+len(coding) > 1 || len(fields["host"]) != 1 || len(fields["trailer"]) > 1 {
		return "", fmt.Sprintf("framing fields, or not one Host: %v", fields), nil
	}
	text = m[1] + " " + m[2] + " "
	switch {
	case len(length) == 1:
		n, _ := strconv.Atoi(length[0])
		if strconv.Itoa(n) != length[0] {
			return "", fmt.Sprintf("length %q", length[0]), nil
		}
		body := make([]byte, n)
		_, err = io.ReadFull(br, body)
		return text + string(body), "", err
	case len(coding) == 1 && coding[0] == "chunked":
		body, problem, err := strictChunks(br)
		return text + body, problem, err
	case len(coding) == 1:
		return "", fmt.Sprintf("coding %q", coding[0]), nil
	}
	return text, "", nil
}

// strictLine reads a line without its CRLF, in which there is no control byte.
func strictLine(br *bufio.Reader) (line, problem string, err error) {
	line, err = br.ReadString('\n')
	if err != nil {
		return "", "", err
	}
	line, ok := strings.CutSuffix(line, "\r\n")
	if !ok || strings.ContainsFunc(line, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
		return "", fmt.Sprintf("line %q", line), nil
	}
	return line, "", nil
}

func strictFields(br *bufio.Reader) (fields map[string][]string, problem string, err error) {
	field := regexp.MustCompile("^([!#$%&'*+.^`|~0-9A-Za-z_-]+): ?(.*)$")
	for fields = map[string][]string{}; ; {
		line, problem, err := strictLine(br)
		if problem != "" || err != nil || line == "" {
			return fields, problem, err
		}
		m := field.FindStringSubmatch(line)
		if m == nil {
			return nil, fmt.Sprintf("field %q", line), nil
		}
		name := strings.ToLower(m[1])
		fields[name] = append(fields[name], m[2])
	}
}

func strictChunks(br *bufio.Reader) (body, problem string, err error) {
	size := regexp.MustCompile("^(0|[1-9a-f][0-9a-f]*)$")
	var b bytes.Buffer
	for {
		line, problem, err := strictLine(br)
		if problem != "" || err != nil {
			return "", problem, err
		}
		if !size.MatchString(line) {
			return "", fmt.Sprintf("chunk size %q", line), nil
		}
		n, _ := strconv.ParseInt(line, 16, 64)
		if n == 0 {
			break
		}
		if _, err := io.CopyN(&b, br, n); err != nil {
			return "", "", err
		}
		if line, problem, err = strictLine(br); problem != "" || err != nil || line != "" {
			return "", problem + line, err
		}
	}
	fields, problem, err := strictFields(br)
	if problem != "" || err != nil {
		return "", problem, err
	}
	text := b.String()
	for name, values := range fields {
		text += " " + http.CanonicalHeaderKey(name) + "=" + strings.Join(values, ",")
	}
	return text, "", nil
}

// attempt sends text to the proxy, and nothing after it, and returns the statuses of
// the responses, all of which must be well-formed.
func (w *world) attempt(text string) (statuses []int) {
	w.t.Helper()
	conn, err := w.net.Dial(w.t.Context(), proxyAddr)
	require.NoError(w.t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, text)
	require.NoError(w.t, err)
	require.NoError(w.t, conn.(interface{ CloseWrite() error }).CloseWrite())
	br := bufio.NewReader(conn)
	for {
		if _, err := br.Peek(1); err != nil {
			require.ErrorIs(w.t, err, io.EOF)
			return statuses
		}
		resp, err := http.ReadResponse(br, nil)
		require.NoError(w.t, err)
		_, err = io.Copy(io.Discard, resp.Body)
		require.NoError(w.t, err)
		statuses = append(statuses, resp.StatusCode)
	}
}

// relayed is what an endpoint sees of a request that a handler sees as "METHOD target
// host body trailers": the target without scheme and host.
func relayed(seen string) string {
	method, rest, _ := strings.Cut(seen, " ")
	target, rest, _ := strings.Cut(rest, " ")
	_, rest, _ = strings.Cut(rest, " ")
	if _, after, ok := strings.Cut(target, "://"); ok {
		target = after[strings.IndexByte(after, '/'):]
	}
	return method + " " + target + " " + rest
}

// expected is what endpoints see of an attack, and the statuses that the caller gets:
// requests without a host have no name, so the mesh answers them itself.
func expected(a attacks.Request) (requests []string, statuses []int) {
	statuses = append(statuses, a.Statuses...)
	for i, seen := range a.Seen {
		if _, host, _ := strings.Cut(strings.TrimSuffix(seen, " "), "/ "); host == "" && strings.HasSuffix(seen, "  ") {
			statuses[i] = http.StatusBadRequest
			continue
		}
		requests = append(requests, relayed(seen))
	}
	return requests, statuses
}

// What the proxy refuses reaches no endpoint, and what it accepts reaches one as
// exactly that request, in a form that leaves nothing to disagree about.
func TestSmugglingThroughTheProxy(t *testing.T) {
	for _, engine := range []engine{ours, recycled} {
		for _, a := range attacks.Requests() {
			wanted, statuses := expected(a)
			t.Run(string(engine)+" strict "+a.ID, func(t *testing.T) {
				inWorld(t, setup{rules: toAny, engine: engine}, func(w *world) {
					r := w.record("any")
					assert.Equal(w.t, statuses, w.attempt(a.Send), a.Source)
					requests, problems := r.seen()
					assert.Equal(w.t, wanted, requests, a.Source)
					assert.Empty(w.t, problems, a.Source)
				})
			})
			t.Run(string(engine)+" net/http "+a.ID, func(t *testing.T) {
				inWorld(t, setup{rules: toAny, engine: engine}, func(w *world) {
					r := w.understand("any")
					assert.Equal(w.t, statuses, w.attempt(a.Send), a.Source)
					requests, _ := r.seen()
					assert.Equal(w.t, wanted, requests, a.Source)
				})
			})
		}
	}
}

// responses are the published ones, and those that take a connection to show.
func responses() []attacks.Response {
	ok := "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
	return append(attacks.Responses(), []attacks.Response{
		{ID: "E01", Source: "a second response, for the next caller", Method: "GET", Send: ok + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", Body: "abc", Close: true},
		{ID: "E02", Source: "extra bytes", Method: "GET", Send: ok + "\r\n", Body: "abc", Close: true},
		{ID: "E03", Source: "extra bytes after HEAD", Method: "HEAD", Send: ok, Body: "", Close: true},
		{ID: "E04", Source: "a body for 304", Method: "GET", Send: "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\nabc", Body: "", Close: true},
		{ID: "E05", Source: "extra bytes after the last chunk", Method: "GET", Send: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\nevil", Body: "abc", Close: true},
		{ID: "E06", Source: "CVE-2023-44487's cousin: 1xx without end", Method: "GET", Send: strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 1000) + ok, Body: attacks.Refused},
		{ID: "E07", Source: "a few 1xx", Method: "GET", Send: strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", 3) + ok, Body: "abc"},
		{ID: "E08", Source: "101 that nobody asked for", Method: "GET", Send: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n" + ok, Body: attacks.Refused},
		{ID: "E09", Source: "100 with a body", Method: "GET", Send: "HTTP/1.1 100 Continue\r\nContent-Length: 3\r\n\r\nabc" + ok, Body: attacks.Refused},
		{ID: "E10", Source: "CRLF in a value, decoded by somebody before us", Method: "GET", Send: "HTTP/1.1 200 OK\r\nX: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", Close: true, Body: "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"},
		{ID: "E11", Source: "framing in a trailer", Method: "GET", Send: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nContent-Length: 9\r\n\r\n", Body: "abc"},
	}...)
}

// What an endpoint answers reaches the caller as an error, or as the one response that
// it is; and what follows on a connection that cannot be believed any more is for nobody.
func TestResponseSplittingThroughTheProxy(t *testing.T) {
	for _, engine := range []engine{ours, recycled} {
		for _, a := range responses() {
			switch {
			case a.Method == http.MethodConnect:
				continue // a tunnel: see tunnel_test.go
			case a.ID == "C60":
				continue // responses may have a thousand fields
			case a.ID == "C46":
				a.Body = attacks.Refused // no final response follows
			}
			limited := func(string) (transport.ClientOptions, meshhttp.ClientSettings) {
				return transport.ClientOptions{}, meshhttp.ClientSettings{Pool: meshhttp.PoolOptions{MaxHeaderBytes: 8 << 10}}
			}
			t.Run(string(engine)+" "+a.ID, func(t *testing.T) {
				inWorld(t, setup{rules: toAny, engine: engine, client: limited}, func(w *world) {
					e := w.evil("any", a.Send, a.Method != http.MethodHead && a.Close || a.Body == attacks.Refused)
					first := w.one(a.Method)
					second := w.one(http.MethodGet)
					e.mu.Lock()
					defer e.mu.Unlock()
					if a.Body == attacks.Refused {
						assert.True(w.t, first.err != nil || first.StatusCode == http.StatusBadGateway, "%s: %q", a.Source, first.body)
					} else if assert.NoError(w.t, first.err, a.Source) {
						assert.Equal(w.t, a.Body, first.body, a.Source)
						assert.Less(w.t, first.StatusCode, 400, a.Source)
						assert.GreaterOrEqual(w.t, first.StatusCode, 200, a.Source)
					}
					if a.Close || a.Body == attacks.Refused {
						assert.Zero(w.t, e.later, "%s: the connection was used again", a.Source)
					} else {
						assert.Equal(w.t, 1, e.later, "%s: the connection was not used again", a.Source)
						assert.Equal(w.t, "next", second.body, a.Source)
					}
				})
			})
		}
	}
}

// one sends a request of its own connection to the proxy and returns the one
// well-formed response to it, or an error.
func (w *world) one(method string) reply {
	w.t.Helper()
	conn, err := w.net.Dial(w.t.Context(), proxyAddr)
	require.NoError(w.t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, method+" / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	require.NoError(w.t, err)
	br := bufio.NewReader(conn)
	for {
		resp, err := http.ReadResponse(br, &http.Request{Method: method})
		if err != nil {
			return reply{err: err}
		}
		if resp.StatusCode/100 == 1 {
			assert.Equal(w.t, http.StatusEarlyHints, resp.StatusCode)
			continue
		}
		r := readReply(resp)
		rest, err := io.ReadAll(br)
		assert.NoError(w.t, err)
		assert.Empty(w.t, string(rest), "more than one response")
		return r
	}
}

// evil is an endpoint that answers the first request of every connection with text,
// and counts those that come after it on the same connection.
type evil struct {
	mu    sync.Mutex
	later int
}

// evil starts an evil endpoint, which hangs up after the first answer or leaves its
// connections open, for whoever trusts them.
func (w *world) evil(name, text string, hangUp bool) *evil {
	w.t.Helper()
	addr := w.address()
	l, err := w.net.Listen(addr)
	require.NoError(w.t, err)
	w.put(name, addr)
	e := &evil{}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				br := bufio.NewReader(conn)
				if _, err := http.ReadRequest(br); err != nil {
					return
				}
				_, _ = io.WriteString(conn, text)
				if hangUp && strings.HasPrefix(text, "HTTP") {
					_ = conn.(*memhttp.Conn).CloseWrite()
				}
				for {
					if _, err := http.ReadRequest(br); err != nil {
						return
					}
					e.mu.Lock()
					e.later++
					e.mu.Unlock()
					_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext")
				}
			})
		}
	})
	w.t.Cleanup(func() { l.Kill(); wg.Wait() })
	return e
}

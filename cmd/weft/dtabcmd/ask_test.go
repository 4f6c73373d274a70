package dtabcmd_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAsk(t *testing.T) {
	w := newWorld(t)
	w.put(t, "default", "/svc => /#/static; /svc/split => 9 * /svc/web & 1 * /svc/web-v2")
	for _, row := range []struct {
		line []string
		out  string
	}{
		{
			[]string{"delegate", "default", "/svc/split"},
			`/svc/split, the first of:
  + /svc/split (/svc/split=>9.00*/svc/web & /svc/web-v2), split over:  <- taken
    9 * /svc/web (/svc/split=>9.00*/svc/web & /svc/web-v2)
      /#/static/web (/svc=>/#/static) = /#/static/web: 127.0.0.1:1, 127.0.0.1:2
    1 * /svc/web-v2 (/svc/split=>9.00*/svc/web & /svc/web-v2)
      /#/static/web-v2 (/svc=>/#/static) = /#/static/web-v2: 127.0.0.1:3
  - /#/static/split (/svc=>/#/static): no rule and no namer knows this name  <- not reached: an earlier branch answered
`,
		},
		{
			[]string{"delegate", "default", "/svc/web", "--dtab", "/svc/web => !"},
			"/svc/web, the first of:\n  - ! (/svc/web=>!): fail  <- fail stops here\n" +
				"  - /#/static/web (/svc=>/#/static) = /#/static/web: 127.0.0.1:1, 127.0.0.1:2  <- not reached: an earlier branch answered\n",
		},
		{
			[]string{"delegate", "", "/foo", "--dtab", "/foo => /bar", "--json"},
			`{"type":"delegate","path":"/foo","delegate":{"type":"neg","path":"/bar","dentry":{"prefix":"/foo","dst":"/bar"}}}` + "\n",
		},
		{[]string{"bind", "default", "/svc/web/rest"}, "/#/static/web + /rest\n  /#/static/web + /rest: 127.0.0.1:1, 127.0.0.1:2\n"},
		{
			[]string{"bind", "default", "/svc/split"},
			"9.00*/#/static/web & /#/static/web-v2\n  /#/static/web: 127.0.0.1:1, 127.0.0.1:2\n  /#/static/web-v2: 127.0.0.1:3\n",
		},
		{[]string{"bind", "default", "/nowhere"}, "~\n"},
		{[]string{"bind", "default", "/nowhere", "--json"}, `{"type":"neg"}` + "\n"},
		{[]string{"bind", "default", "/svc/web", "--dtab", "/svc/web=>/svc/web-v2"}, "/#/static/web-v2\n  /#/static/web-v2: 127.0.0.1:3\n"},
		{[]string{"addr", "default", "/#/static/web"}, "127.0.0.1:1\n127.0.0.1:2\n"},
		{[]string{"addr", "default", "/#/nobody"}, "no such name\n"},
		{
			[]string{"addr", "default", "/#/static/web-v2", "--json"},
			`{"type":"bound","addrs":[{"ip":"127.0.0.1","port":3,"meta":{}}],"meta":{}}` + "\n",
		},
		{[]string{"resolve", "default", "/svc/web"}, "127.0.0.1:1\n127.0.0.1:2\n"},
		{[]string{"resolve", "default", "/svc/web", "--dtab", "/svc/web => ~"}, "127.0.0.1:1\n127.0.0.1:2\n"},
		{[]string{"bound-names"}, "/#/static/web\n/#/static/web-v2\n"},
		{[]string{"bound-names", "--json"}, `["/#/static/web","/#/static/web-v2"]` + "\n"},
	} {
		r := w.run(t, "", row.line...)
		assert.Equal(t, result{0, row.out, ""}, r, row.line)
	}
	assert.Equal(t, "weft: '/' expected but 'n' found at '[n]onsense'\n", w.fails(t, 1, "", "bind", "default", "nonsense"))
	assert.Contains(t, w.fails(t, 1, "", "delegate", "default", "/"), "the path is empty")
	assert.Contains(t, w.fails(t, 1, "", "resolve", "default", "/a", "--dtab", "/a"), "--dtab: ")
	assert.Contains(t, w.fails(t, 1, "", "bind", "", "/a"), "the name of the namespace is empty")
	assert.Contains(t, w.fails(t, 1, "", "bind", "default"), "bind requires a name and a path")
	w.fails(t, 1, "", "bound-names", "x")
}

// TestAnswersOfAllKinds is what the answers of any namerd look like.
func TestAnswersOfAllKinds(t *testing.T) {
	newWorld(t)
	var answer string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) }))
	t.Cleanup(s.Close)
	for _, row := range []struct{ api, answer, out string }{
		{"addr", `{"type":"neg"}`, "no such name\n"},
		{"addr", `{"type":"failed","cause":"away"}`, "error: away\n"},
		{"addr", `{"type":"pending"}`, "no answer yet\n"},
		{"addr", `{"type":"bound","addrs":[],"meta":{}}`, "no endpoints\n"},
		{
			"resolve", `{"type":"bound","addrs":[{"ip":"10.0.0.1","port":80,"meta":{"endpoint_addr_weight":0.5}},{"ip":"10.0.0.2","port":80,"meta":{"endpoint_addr_weight":0}}],"meta":{}}`,
			"10.0.0.1:80 (weight 0.5)\n10.0.0.2:80 (weight 0)\n",
		},
		{
			"bind", `{"type":"alt","alt":[{"type":"leaf","bound":{"addr":{"type":"neg"},"id":"/#/x","path":"/"}},{"type":"fail"},{"type":"leaf","bound":{"addr":{"type":"neg"},"id":"/#/x","path":"/"}}]}`,
			"/#/x | ! | /#/x\n  /#/x: no such name\n",
		},
	} {
		answer = row.answer
		assert.Equal(t, result{0, row.out, ""}, run(t.Context(), "", row.api, "ns", "/#/x", "--base-url", s.URL), row.answer)
	}
	for _, nonsense := range []string{"<html>", `{"type":"what"}`, ""} {
		answer = nonsense
		for _, api := range []string{"bind", "addr", "resolve", "delegate"} {
			r := run(t.Context(), "", api, "ns", "/#/x", "--base-url", s.URL)
			assert.Equal(t, 1, r.code)
			assert.Contains(t, r.errs, "namerd's answer makes no sense")
		}
	}
}

// TestNoHistory is what history and rollback say of Linkerd's namerd.
func TestNoHistory(t *testing.T) {
	newWorld(t)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/1/dtabs/default" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("ETag", "AAAAAAAAAAE=")
		_, _ = io.WriteString(w, "[]\n")
	}))
	t.Cleanup(s.Close)
	for _, command := range []string{"history", "rollback"} {
		assert.Equal(t, result{2, "", "weft: this namerd has no history: it is not weft's, or knows no such request\n"},
			run(t.Context(), "", command, "default", "--base-url", s.URL))
	}
}

func TestWatch(t *testing.T) {
	w := newWorld(t)
	t.Setenv("TZ", "UTC")
	one := w.follow(t, "watch", "graduation")
	all := w.follow(t, "watch", "--json")
	bound := w.follow(t, "bind", "graduation", "/svc/web", "--watch")
	one.expect(t, "graduation: does not exist")
	first, second := <-all.lines, <-all.lines // in any order
	assert.Contains(t, first+second, `"namespace":"tlop","version":"AAAAAAAAAAE=","dtab":"/yeezy=>/pablo"}`)
	assert.Contains(t, first+second, `"namespace":"yeezus"`)
	bound.expect(t, "~")
	w.put(t, "graduation", "/svc => /#/static")
	one.expect(t, "graduation: created", "--- /dev/null", "+++ graduation (version AAAAAAAAAAE=)", "@@ -0,0 +1 @@", "+/svc => /#/static ;")
	all.expect(t, `"namespace":"graduation","version":"AAAAAAAAAAE=","dtab":"/svc=>/#/static"}`)
	bound.expect(t, "/#/static/web", "  /#/static/web: 127.0.0.1:1, 127.0.0.1:2")
	w.put(t, "graduation", "/svc => /#/static; /a => /b")
	one.expect(t, "graduation: changed", "--- graduation (version AAAAAAAAAAE=)", "+++ graduation (version AAAAAAAAAAI=)", "@@ -1 +1,2 @@", " /svc", "+/a => /b ;")
	all.expect(t, `"version":"AAAAAAAAAAI="`)
	w.succeeds(t, "", "delete", "graduation")
	one.expect(t, "graduation: deleted", "---", "+++ /dev/null", "@@", "-/svc", "-/a")
	all.expect(t, `"namespace":"graduation","deleted":true}`)
	bound.expect(t, "~")
	w.put(t, "graduation", "")
	one.expect(t, "graduation: created")
	all.expect(t, `"namespace":"graduation","version":"AAAAAAAAAAQ=","dtab":""}`)
	for _, f := range []*follower{one, all, bound} {
		assert.Equal(t, 0, f.stop(t))
	}
	w.fails(t, 1, "", "watch", "a", "b")
}

// follower is a command line that runs.
type follower struct {
	lines  chan string
	cancel context.CancelFunc
	ended  chan int
	out    *io.PipeWriter
}

func (w *world) follow(t *testing.T, args ...string) *follower {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, out := io.Pipe()
	f := &follower{lines: make(chan string, 100), cancel: cancel, ended: make(chan int, 1), out: out}
	go scan(r, f.lines)
	go func() {
		f.ended <- execute(ctx, strings.NewReader(""), out, out, append(args, "--base-url", w.http.URL))
		out.Close()
	}()
	t.Cleanup(cancel)
	return f
}

// expect reads lines that contain the texts.
func (f *follower) expect(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		select {
		case line := <-f.lines:
			require.Contains(t, line, text)
		case <-after(long):
			require.Fail(t, "no line", "waiting for %q", text)
		}
	}
}

func (f *follower) stop(t *testing.T) int {
	t.Helper()
	f.cancel()
	select {
	case code := <-f.ended:
		return code
	case <-after(long):
		require.Fail(t, "it does not end")
		return -1
	}
}

package rolloutcmd_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAGoodVersionIsPromoted(t *testing.T) {
	m := newMesh(t)
	status, text := m.weft(m.start()...)
	require.Equal(t, 0, status, text)
	assert.Equal(t, "/srv/world-v2", m.says())
	assert.Contains(t, text, "step 1 of 3: 10%, watched for 700ms and 20 requests at least\n  - /svc/world => /srv/world-v1 ;\n  + /svc/world => 10.00*/srv/world-v2 & 90.00*/srv/world-v1 ;")
	assert.Contains(t, text, "watching step 3 of 3 (100%)")
	assert.Less(t, strings.Index(text, "step 1 of 3: 10%"), strings.Index(text, "starting"), "the plan comes first")
	status, text = m.weft("list")
	assert.Equal(t, 0, status)
	assert.Empty(t, text)
	status, text = m.weft("status", "--rule", "/svc/world")
	assert.Equal(t, 1, status)
	assert.Contains(t, text, "there is none")
}

func TestABrokenVersionIsRolledBackInItsStep(t *testing.T) {
	m := newMesh(t)
	m.failing[1].Store(true)
	status, text := m.weft(m.start("--json")...)
	require.Equal(t, 10, status, text)
	assert.Equal(t, "/srv/world-v1", m.says())
	assert.Contains(t, text, "rolled back: success rate 0%")
	kinds := map[string]int{}
	for line := range strings.Lines(text) {
		var e struct {
			Kind  string
			State struct {
				Step  int
				Phase string
			}
		}
		if json.Unmarshal([]byte(line), &e) == nil {
			kinds[e.Kind]++
			assert.LessOrEqual(t, e.State.Step, 1, "it never came to the second step")
		}
	}
	assert.Equal(t, 1, kinds["plan"])
	assert.Equal(t, 1, kinds["breach"])
	assert.Equal(t, 2, kinds["shifted"])
	assert.Equal(t, 1, kinds["end"])
}

func TestASlowVersionIsRolledBack(t *testing.T) {
	m := newMesh(t)
	m.slow[1].Store(true)
	status, text := m.weft(m.start("--max-latency", "60ms")...)
	require.Equal(t, 10, status, text)
	assert.Equal(t, "/srv/world-v1", m.says())
	assert.Contains(t, text, "more than 60ms")
}

func TestAnInterruptIsAnswered(t *testing.T) {
	m := newMesh(t)
	for _, v := range []struct {
		on     string
		status int
		text   string
		says   string
	}{
		{"rollback", 10, "rolled back: interrupted", "/srv/world-v1"},
		{"pause", 11, "paused: interrupted", "10.00*/srv/world-v2 & 90.00*/srv/world-v1"},
	} {
		ctx, interrupt := context.WithCancel(t.Context())
		out, wait := weft(ctx, m.namerd, m.start("--on-interrupt", v.on, "--watch-for", "1h")...)
		m.eventually("it watches", func() bool { return strings.Contains(out.String(), "watching step 1") })
		interrupt()
		status, text := wait()
		assert.Equal(t, v.status, status, text)
		assert.Contains(t, text, v.text)
		assert.Equal(t, v.says, m.says())
	}
	status, text := m.weft("list")
	assert.Equal(t, 0, status)
	assert.Regexp(t, `default +/svc/world +/srv/world-v2 +paused step 1 of 3 \(10%\): interrupted +by nobody now`, text)

	status, text = m.weft(m.start()...)
	assert.Equal(t, 1, status)
	assert.Contains(t, text, "nobody runs it now: resume it or revert it")

	out, wait := weft(t.Context(), m.namerd, "resume", "--interval", "100ms") // how to measure is kept
	m.eventually("it watches", func() bool { return strings.Contains(out.String(), "watching step 1") })
	status, text = m.weft("promote")
	assert.Equal(t, 0, status, text)
	assert.Equal(t, "/srv/world-v2", m.says())
	status, text = wait()
	assert.Equal(t, 0, status, text)
}

func TestOthersDecide(t *testing.T) {
	m := newMesh(t)
	out, wait := weft(t.Context(), m.namerd, m.start("--watch-for", "1h")...)
	m.eventually("it watches", func() bool { return strings.Contains(out.String(), "watching step 1") })
	status, text := m.weft("status")
	assert.Equal(t, 0, status)
	assert.Contains(t, text, "watching step 1 of 3 (10%), since ")
	assert.Contains(t, text, "last sign of life ")
	status, text = m.weft("promote", "--step")
	assert.Equal(t, 0, status, text)
	m.eventually("the next step", func() bool { return strings.Contains(out.String(), "watching step 2") })
	status, text = m.weft("status", "--json")
	assert.Equal(t, 0, status)
	assert.Contains(t, text, `"phase":"watching","step":2,"steps":3`)
	status, text = m.weft("revert", "--keep-rule")
	assert.Equal(t, 1, status, "it is run: %s", text)
	status, text = m.weft("revert")
	assert.Equal(t, 0, status, text)
	assert.Equal(t, "/srv/world-v1", m.says())
	status, text = wait()
	assert.Equal(t, 10, status)
	assert.Contains(t, text, "rolled back: asked for")

	out, wait = weft(t.Context(), m.namerd, m.start("--watch-for", "1h")...)
	m.eventually("it watches", func() bool { return strings.Contains(out.String(), "watching step 1") })
	status, text = m.weft("pause")
	assert.Equal(t, 0, status, text)
	status, _ = wait()
	assert.Equal(t, 11, status)
	status, text = m.weft("revert", "--keep-rule")
	assert.Equal(t, 0, status, text)
	assert.Equal(t, "10.00*/srv/world-v2 & 90.00*/srv/world-v1", m.says())
	status, text = m.weft("list")
	assert.Equal(t, 0, status)
	assert.Empty(t, text)
}

func TestWrongUsage(t *testing.T) {
	m := newMesh(t)
	before := m.says()
	for _, v := range []struct {
		args []string
		want string
	}{
		{[]string{"shift"}, `unknown command "shift" for "rollout"`},
		{[]string{"start", "--nonsense"}, "unknown flag: --nonsense"},
		{[]string{"start"}, "--rule is required"},
		{[]string{"start", "--rule", "x"}, "--rule: "},
		{[]string{"start", "--rule", "/svc/world"}, "--new is required"},
		{[]string{"plan", "--rule", "/svc/world", "--new", "/srv/world-v1"}, "says /srv/world-v1 already"},
		{[]string{"plan", "--rule", "/svc/word", "--new", "/srv/world-v1"}, "there is no rule with the prefix /svc/word in default, which has /srv or /svc or /svc/world"},
		{[]string{"plan", "--rule", "/svc/world", "--new", "/srv/world-v2", "-n", "other"}, "there is no namespace other"},
		{m.start("--steps", "10"), `"10" is not a weight`},
		{m.start("--steps", "10%:x,100%"), `"x" is not a time`},
		{m.start("--steps", "10%"), "the last step has the weight 10%"},
		{m.start("--min-requests", "0"), "--min-requests: 0"},
		{m.start("--watch-for", "0s"), "--watch-for: 0s"},
		{m.start("--min-success", "101%"), `--min-success: "101%" is not a part`},
		{m.start("--on-interrupt", "panic"), `"panic" is neither rollback nor pause`},
		{m.start("--no-data", "guess"), `"guess" is neither rollback nor hold`},
		{m.start("--prometheus", "http://x"), "give either --proxy or --prometheus"},
		{m.start("--quorum", "2"), "a quorum of 2 of 1 proxies"},
		{m.start("--new", "/srv/world-v3"), "/srv/world-v3 in default: it is bound to nothing"},
		{m.start("--new", "/#/io.l5d.fs/world-v1"), "both bound to /#/io.l5d.fs/world-v1"},
		{m.start("--proxy", "http://127.0.0.1:1", "--proxy", "http://127.0.0.1:1"), "nothing was changed, as the branches cannot be measured: rollout: 1 of 3 proxies answer, and 2 must"},
		{m.start("--yes=false"), "nothing was changed: there is no terminal to ask for confirmation; give --yes"},
		{[]string{"revert"}, "there is none in default"},
		{[]string{"pause", "--rule", "/svc/world"}, "there is none in the namespace default-rollout-svc-world"},
	} {
		status, text := m.weft(v.args...)
		assert.Equal(t, 1, status, v.args)
		assert.Contains(t, text, v.want)
	}
	assert.Equal(t, before, m.says())
	names, err := m.store.List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"default"}, names)

	_, wait := weft(t.Context(), "", "list")
	status, text := wait()
	assert.Equal(t, 1, status)
	assert.Contains(t, text, "give --base-url or NAMERCTL_BASE_URL")
	t.Setenv("NAMERCTL_BASE_URL", m.namerd)
	status, text = m.weft("plan", "--rule", "/svc/world", "--new", "/srv/world-v2", "--json")
	assert.Equal(t, 0, status)
	assert.Contains(t, text, `"dst":"10.00*/srv/world-v2 & 90.00*/srv/world-v1"`)
}

// TestWithPrometheus has a server that says what it is told to, and a query of the
// user's own.
func TestWithPrometheus(t *testing.T) {
	m := newMesh(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		value := "100"
		if q := r.PostFormValue("query"); strings.HasPrefix(q, "ok{") && strings.Contains(q, "world-v2") {
			value = "40"
		}
		_, _ = w.Write([]byte(`{"status":"success","data":{"resultType":"scalar","result":[1,"` + value + `"]}}`))
	}))
	defer server.Close()
	status, text := m.weft("start", "--rule", "/svc/world", "--new", "/srv/world-v2", "--prometheus", server.URL, "--yes", "--interval", "100ms",
		"--query", "requests=all{$series}[$window]", "--query", "successes=ok{$series}[$window]")
	assert.Equal(t, 10, status, text)
	assert.Contains(t, text, "rolled back: success rate 40% of 100 requests")
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}

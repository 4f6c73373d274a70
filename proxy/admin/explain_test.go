package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/proxy/admin"
)

// identify names requests by their Host, and takes rules from l5d-dtab.
func identify(_ context.Context, method, target string, headers []string) (dtab.Path, dtab.Dtab, error) {
	var name dtab.Path
	var local dtab.Dtab
	for _, h := range headers {
		key, value, _ := strings.Cut(h, ": ")
		switch key {
		case "Host":
			name = dtab.MustPath("/svc/" + value + "/" + method)
		case "l5d-dtab":
			local = dtab.MustParse(value)
		}
	}
	if name.IsEmpty() || target != "/x" {
		return name, nil, errors.New("no host in the request")
	}
	return name, local, nil
}

func explaining(t *testing.T) admin.Options {
	t.Helper()
	in := interpreter(t)
	return admin.Options{Routers: []admin.Router{
		{Label: "plain", Protocol: "http", Base: dtab.MustParse("/svc=>/#/test"), Delegator: in, Identify: identify},
		{Label: "mux", Protocol: "mux", Delegator: in},
		{Label: "mute", Protocol: "http"},
	}}
}

func post(t *testing.T, h http.Handler, target, body string, header map[string]string) (status int, text string) {
	t.Helper()
	all := map[string]string{"Content-Type": "application/json"}
	maps.Copy(all, header)
	w := do(t, h, request{method: http.MethodPost, target: target, body: body, header: all})
	return w.Code, w.Body.String()
}

func TestExplainJSON(t *testing.T) {
	s := newServer(t, explaining(t))
	for name, row := range map[string]struct {
		question, path, contains string
		local, base              int
	}{
		"a name, by the router's rules":         {`{"router":"plain","name":"/svc/web"}`, "/svc/web", `"id":"/#/test/web"`, 0, 1},
		"a name, by other rules":                {`{"router":"plain","name":"/svc/web","base":"/svc=>/#/test/v2"}`, "/svc/web", `"id":"/#/test/v2"`, 0, 1},
		"a name, by no rules":                   {`{"router":"plain","name":"/svc/web","base":""}`, "/svc/web", `"type":"neg"`, 0, 0},
		"the request's rules win":               {`{"router":"plain","name":"/svc/web","dtab":"/svc=>/#/test/mine"}`, "/svc/web", `{"type":"alt","path":"/svc/web","alt":[{"type":"leaf","path":"/#/test/mine/web"`, 1, 1},
		"a request":                             {`{"router":"plain","request":{"target":"/x","headers":["Host: web"]}}`, "/svc/web/GET", `"id":"/#/test/web"`, 0, 1},
		"a request that brings rules":           {`{"router":"plain","request":{"method":"PUT","target":"/x","headers":["Host: web","l5d-dtab: /svc=>/#/test/mine"]}}`, "/svc/web/PUT", `"id":"/#/test/mine"`, 1, 1},
		"its own rules after those beside":      {`{"router":"plain","dtab":"/a=>/b","request":{"target":"/x","headers":["Host: web","l5d-dtab: /c=>/d"]}}`, "/svc/web/GET", `"local":[{"prefix":"/a","dst":"/b"},{"prefix":"/c","dst":"/d"}]`, 2, 1},
		"a namer that fails is a node":          {`{"router":"plain","name":"/#/error/x"}`, "/#/error/x", `"message":"error naming /#/error/x"`, 0, 1},
		"a router of another protocol, by name": {`{"router":"mux","name":"/#/test/web"}`, "/#/test/web", `"id":"/#/test/web"`, 0, 0},
	} {
		status, body := post(t, s, "/explain.json", row.question, nil)
		require.Equal(t, http.StatusOK, status, "%s: %s", name, body)
		var a struct {
			Path        string
			Local, Base []any
			Delegation  json.RawMessage
		}
		require.NoError(t, json.Unmarshal([]byte(body), &a))
		assert.Equal(t, row.path, a.Path, name)
		assert.Len(t, a.Local, row.local, name)
		assert.Len(t, a.Base, row.base, name)
		assert.NotEmpty(t, a.Delegation, name)
		assert.Contains(t, body, row.contains, name)
	}
}

func TestExplainJSONSaysWhatIsWrongAndWhere(t *testing.T) {
	s := newServer(t, explaining(t))
	for name, row := range map[string]struct {
		question string
		status   int
		fault    admin.Fault
	}{
		"rules": {`{"router":"plain","name":"/x","dtab":"/a=>/b;\n/c->/d"}`, 400, admin.Fault{Field: "dtab", Line: 2, Column: 4, Offset: 11, Message: "Invalid dtab: '=' expected but '>' found at '/a=>/b;\n/c-[>]/d'"}},
		"the offset is in UTF-16": {
			`{"router":"plain","name":"/x","base":"/😀"}`, 400,
			admin.Fault{Field: "base", Line: 1, Column: 2, Offset: 1, Message: "*"},
		},
		"a name":               {`{"router":"plain","name":"svc"}`, 400, admin.Fault{Field: "name", Line: 1, Column: 1, Message: "Invalid path: '/' expected but 's' found at '[s]vc'"}},
		"neither":              {`{"router":"plain"}`, 400, admin.Fault{Message: "Either a name or a request has to be given"}},
		"both":                 {`{"router":"plain","name":"/x","request":{}}`, 400, admin.Fault{Message: "Either a name or a request has to be given"}},
		"a request":            {`{"router":"plain","request":{"target":"/x"}}`, 400, admin.Fault{Field: "request", Message: "no host in the request"}},
		"requests of no HTTP":  {`{"router":"mux","request":{"target":"/x"}}`, 422, admin.Fault{Field: "request", Message: "The router mux (mux) has no requests with headers: ask about a name"}},
		"an unknown router":    {`{"router":"nope","name":"/x"}`, 404, admin.Fault{Field: "router", Message: "There is no router nope"}},
		"no router of several": {`{"name":"/x"}`, 404, admin.Fault{Field: "router", Message: "There is no router "}},
		"nobody who explains":  {`{"router":"mute","name":"/x"}`, 501, admin.Fault{Message: "Name Interpreter for mute cannot show delegations"}},
		"rules without end":    {`{"router":"plain","name":"/a","base":"/a=>/a/b"}`, 422, admin.Fault{Message: "Max recursion level reached."}},
		"an unknown member":    {`{"router":"plain","nam":"/x"}`, 400, admin.Fault{Message: `The request body is not the JSON that is expected: json: unknown field "nam"`}},
		"no object":            {`null`, 400, admin.Fault{Message: "The request body has to be a JSON object"}},
		"two":                  {`{"router":"plain","name":"/x"}{}`, 400, admin.Fault{Message: "The request body has more than one JSON object"}},
		"too large":            {`{"dtab":"` + strings.Repeat(" ", 1<<20) + `"}`, 413, admin.Fault{Message: "The request body is too large"}},
	} {
		status, body := post(t, s, "/explain.json", row.question, map[string]string{"Accept": "application/json"})
		assert.Equal(t, row.status, status, "%s: %s", name, body)
		var f admin.Fault
		require.NoError(t, json.Unmarshal([]byte(body), &f), name)
		if row.fault.Message == "*" {
			row.fault.Message = f.Message
		}
		assert.Equal(t, row.fault, f, name)

		_, text := post(t, s, "/explain.json", row.question, nil)
		assert.Equal(t, f.Message, text, "as text to those who do not ask for JSON")
	}
	status, _ := post(t, s, "/explain.json", `{}`, map[string]string{"Content-Type": "text/plain"})
	assert.Equal(t, http.StatusUnsupportedMediaType, status)
	assert.Equal(t, http.StatusMethodNotAllowed, get(t, s, "/explain.json").Code)
	status, _ = post(t, s, "/explain.json", `{}`, map[string]string{"Sec-Fetch-Site": "cross-site"})
	assert.Equal(t, http.StatusForbidden, status)
}

func TestExplainJSONShowsWhatHasAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, explaining(t))
		status, body := post(t, s, "/explain.json", `{"router":"plain","name":"/svc/web","dtab":"/svc=>/#/pend"}`, nil)
		assert.Equal(t, http.StatusOK, status)
		assert.Contains(t, body, `"message":"naming: no answer yet"`)
		assert.Contains(t, body, `"id":"/#/test/web"`)
		assert.Contains(t, body, `"partial":"`)
	})
}

func TestExplainJSONOfTheOnlyRouter(t *testing.T) {
	o := explaining(t)
	o.Routers = o.Routers[:1]
	status, _ := post(t, newServer(t, o), "/explain.json", `{"name":"/svc/web"}`, nil)
	assert.Equal(t, http.StatusOK, status)
	o.Security = admin.Security{NoUI: true}
	status, _ = post(t, newServer(t, o), "/explain.json", `{"name":"/svc/web"}`, nil)
	assert.Equal(t, http.StatusNotFound, status)
}

func TestRequestsJSON(t *testing.T) {
	s := newServer(t, full(t))
	body := get(t, s, "/requests.json").Body.String()
	assert.Contains(t, body, `{"requests":[{"time":"2026-01-02T03:04:05.006Z","source":"10.9.9.9:1","server":"127.0.0.1:4140","router":"plain",`+
		`"logical":"/svc/<script>&a b","concrete":"/#/test/web","destination":"10.0.0.1:80","trace":"`)
	var all struct {
		Requests []struct{ Trace string }
		Traces   []struct {
			ID    string
			Spans []struct {
				ID, Parent, Kind    string
				StartUs, DurationUs int64
				Tags                []struct{ Key, Value string }
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(body), &all))
	require.Len(t, all.Traces, 1)
	trace := all.Traces[0]
	assert.Equal(t, all.Requests[0].Trace, trace.ID)
	require.Len(t, trace.Spans, 2)
	assert.Equal(t, trace.Spans[0].ID, trace.Spans[1].Parent)
	assert.Empty(t, trace.Spans[0].Parent, "a root has none")
	assert.Equal(t, int64(1767323045006000), trace.Spans[0].StartUs)
	assert.Zero(t, trace.Spans[0].DurationUs, "a span without an end is no negative time")
	assert.Equal(t, "ca", trace.Spans[0].Tags[0].Key)

	assert.Equal(t, http.StatusNotFound, get(t, newServer(t, admin.Options{}), "/requests.json").Code)
	o := full(t)
	o.Security = admin.Security{NoDiagnostics: true}
	assert.Equal(t, http.StatusNotFound, get(t, newServer(t, o), "/requests.json").Code)
}

func TestTapIsLinkedWhereThereIsOne(t *testing.T) {
	o := full(t)
	o.Security = admin.Security{PathBlacklist: []string{"/tap"}}
	assert.NotContains(t, get(t, newServer(t, o), "/").Body.String(), `"./tapping"`)
}

package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/proxy/admin"
)

const leaf8080 = `"bound":{"addr":{"type":"bound","addrs":[{"ip":"127.0.0.1","port":8080,"meta":{}}],"meta":{}},"id":"/$/inet/127.1/8080","path":"/"}`

// vector54 is the whole answer of vector 54.
const vector54 = `{"type":"delegate","path":"/boo/humbug","delegate":{"type":"alt","path":"/foo/humbug","dentry":{"prefix":"/boo","dst":"/foo"},"alt":[` +
	`{"type":"neg","path":"/bar/humbug","dentry":{"prefix":"/foo","dst":"/bar"}},` +
	`{"type":"delegate","path":"/bah/humbug","dentry":{"prefix":"/foo","dst":"/bah | /beh | /$/fail"},` +
	`"delegate":{"type":"leaf","path":"/$/inet/127.1/8080","dentry":{"prefix":"/bah/humbug","dst":"/$/inet/127.1/8080"},` + leaf8080 + `}},` +
	`{"type":"delegate","path":"/beh/humbug","dentry":{"prefix":"/foo","dst":"/bah | /beh | /$/fail"},` +
	`"delegate":{"type":"exception","path":"/#/error/humbug","dentry":{"prefix":"/beh","dst":"/#/error"},"message":"error naming /#/error/humbug"}},` +
	`{"type":"fail","path":"/$/fail/humbug","dentry":{"prefix":"/foo","dst":"/bah | /beh | /$/fail"}}]}}`

func TestDelegatorJSON(t *testing.T) {
	s := newServer(t, full(t))
	const syntax = "'/' expected but 'i' found at '[i]nvalid-param'"
	for _, row := range []struct {
		id, namespace, dtab, path string
		status                    int
		body                      string
	}{
		{"54", "plain", vectorDtab, "/boo/humbug", 200, vector54},
		{"58, G19", "plain", vectorDtab, "/meh", 200, `{"type":"delegate","path":"/meh","delegate":{"type":"neg","path":"/heh","dentry":{"prefix":"/meh","dst":"/heh"}}}`},
		{"59", "plain", vectorDtab, "/neg", 200, `{"type":"delegate","path":"/neg","delegate":{"type":"neg","path":"~","dentry":{"prefix":"/neg","dst":"~"}}}`},
		{"G21", "plain", "", "/$/inet/127.1/8080", 200, `{"type":"leaf","path":"/$/inet/127.1/8080",` + leaf8080 + `}`},
		{"64", "plain", "", "/$/inet/127.1/8080/ya", 200, `{"type":"leaf","path":"/$/inet/127.1/8080/ya",` +
			strings.Replace(leaf8080, `"path":"/"`, `"path":"/ya"`, 1) + `}`},
		{"60, G22", "mute", "", "/x", 501, "Name Interpreter for mute cannot show delegations"},
		{"unknown namespace", "nope", "", "/x", 501, "Name Interpreter for nope cannot show delegations"},
		{"501 comes first", "nope", "x", "x", 501, "Name Interpreter for nope cannot show delegations"},
		{"61, G22", "plain", vectorDtab, "invalid-param", 400, "Invalid path: " + syntax},
		{"62, G22", "plain", "invalid-param", "/boo/humbug", 400, "Invalid dtab: " + syntax},
		{"no path", "plain", "", "", 400, "Invalid path: '/' expected but end of input found at '[]'"},
		{"no namespace: /$ only", "", "", "/$/inet/127.1/8080", 200, `{"type":"leaf","path":"/$/inet/127.1/8080",` + leaf8080 + `}`},
		{"no namespace: no namers", "", "", "/#/test/web", 200, `{"type":"neg","path":"/#/test/web"}`},
		{"unescaped", "plain", "/a=>/b & /c", "/a", 200, `{"type":"delegate","path":"/a","delegate":{"type":"union","path":"/a","dentry":` +
			`{"prefix":"/a","dst":"/b & /c"},"union":[]}}`},
	} {
		t.Run(row.id, func(t *testing.T) {
			w := get(t, s, "/delegator.json?"+url.Values{"namespace": {row.namespace}, "dtab": {row.dtab}, "path": {row.path}}.Encode())
			assert.Equal(t, row.status, w.Code)
			if row.id == "unescaped" {
				assert.Contains(t, w.Body.String(), `"dst":"/b & /c"`)
			} else {
				assert.Equal(t, row.body, w.Body.String())
			}
			if row.status == 200 {
				assert.Equal(t, "application/json", w.Header().Get("Content-Type"))
			}

			body, err := json.Marshal(map[string]any{"namespace": row.namespace, "dtab": row.dtab, "path": row.path, "unknown": 1})
			require.NoError(t, err)
			p := do(t, s, request{ // 55
				method: http.MethodPost, target: "/delegator.json", body: string(body),
				header: map[string]string{"Content-Type": "application/json; charset=utf-8"},
			})
			assert.Equal(t, w.Code, p.Code)
			assert.Equal(t, w.Body.String(), p.Body.String())
		})
	}
}

func TestDelegatorJSONBadPosts(t *testing.T) {
	s := newServer(t, full(t))
	for _, row := range []struct {
		id, contentType, body string
		status                int
		begins                string
	}{
		{"57, G22", "text/plain", `{"path":"/x"}`, 415, ""},
		{"57", "", `{"path":"/x"}`, 415, ""},
		{"57", "application/json-seq", `{"path":"/x"}`, 415, ""},
		{"G22", "application/json", `{"path`, 400, "Malformed delegation request: "},
		{"wrong type", "application/json", `{"path":["/x"]}`, 400, "Malformed delegation request: "},
		{"two documents", "application/json", `{"path":"/x"}{}`, 400, "Malformed delegation request: "},
		{"null", "application/json", `null`, 400, "Malformed delegation request: "},
		{"empty", "application/json", ``, 400, "Malformed delegation request: "},
		{"no path", "application/json", `{"namespace":"plain"}`, 400, "Invalid path: "},
		{"too large", "application/json", `{"namespace":"plain","path":"/x","dtab":"` + strings.Repeat(" ", 1<<20) + `"}`, 413, "The request body is too large"},
	} {
		w := do(t, s, request{method: http.MethodPost, target: "/delegator.json", body: row.body, header: map[string]string{"Content-Type": row.contentType}})
		assert.Equal(t, row.status, w.Code, row.id)
		assert.True(t, strings.HasPrefix(w.Body.String(), row.begins), "%s: %s", row.id, w.Body)
	}
}

func TestDelegatorJSONGivesUpAfterTwoSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := admin.Options{Routers: []admin.Router{{Label: "plain", Delegator: interpreter(t)}}}
		s := newServer(t, o)
		start := time.Now()
		w := get(t, s, "/delegator.json?namespace=plain&path=/%23/pend/x")
		assert.Equal(t, http.StatusServiceUnavailable, w.Code)
		assert.Equal(t, "Request timed out.", w.Body.String())
		assert.Equal(t, 2*time.Second, time.Since(start))
	})
}

// delegatorFunc adapts a function to naming.Delegator.
type delegatorFunc func(context.Context, dtab.Dtab, dtab.Path) (naming.Delegation, error)

func (f delegatorFunc) Delegate(ctx context.Context, d dtab.Dtab, p dtab.Path) (naming.Delegation, error) {
	return f(ctx, d, p)
}

func TestDelegatorJSONFailure(t *testing.T) {
	s := newServer(t, admin.Options{Delegator: delegatorFunc(func(context.Context, dtab.Dtab, dtab.Path) (naming.Delegation, error) {
		return naming.Delegation{}, errors.New("requirement failed")
	})})
	w := get(t, s, "/delegator.json?path=/x")
	assert.Equal(t, http.StatusInternalServerError, w.Code)
	assert.Equal(t, "requirement failed", w.Body.String())
}

func TestBoundNamesHasABudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, admin.Options{BoundNames: func(ctx context.Context) []string {
			<-ctx.Done()
			return []string{"/#/a"}
		}})
		assert.Equal(t, `["/#/a"]`, get(t, s, "/bound-names.json").Body.String())
	})
}

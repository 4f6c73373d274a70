package admin_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/proxy/admin"
)

func TestDiscoverySaysWhatIsBelievedAndWhy(t *testing.T) {
	now := time.Now()
	s, err := admin.New(admin.Options{Discovery: []admin.Discovery{{Name: "/#/io.l5d.x", Kind: "io.l5d.x", Watches: func() []naming.WatchStatus {
		return []naming.WatchStatus{
			{Watching: "a", Since: now},
			{Watching: "b", Since: now, Known: true, Answer: "3 endpoints", Version: "42", Updated: now.Add(-time.Minute), Updates: 2},
			{Watching: "c", Since: now, Known: true, Answer: "1 endpoint", Updated: now.Add(-time.Hour), Err: errors.New("no route"), ErrSince: now.Add(-time.Second), Updates: 1, Failures: 3},
			{Watching: "d", Since: now, Err: errors.New("403"), ErrSince: now, Failures: 1},
		}
	}}}})
	require.NoError(t, err)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/discovery.json", nil))
	require.Equal(t, 200, w.Code)
	var got []struct {
		Name, Kind string
		Watches    []map[string]any
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
	require.Len(t, got, 1)
	assert.Equal(t, "/#/io.l5d.x", got[0].Name)
	require.Len(t, got[0].Watches, 4)
	a, b, c, d := got[0].Watches[0], got[0].Watches[1], got[0].Watches[2], got[0].Watches[3]
	assert.Equal(t, "pending", a["state"])
	assert.NotContains(t, a, "ageMs")
	assert.Equal(t, "ok", b["state"])
	assert.Equal(t, "42", b["version"])
	assert.Equal(t, "3 endpoints", b["answer"])
	assert.GreaterOrEqual(t, b["ageMs"], 60000.)
	assert.NotContains(t, b, "error")
	assert.Equal(t, "stale", c["state"])
	assert.Equal(t, "no route", c["error"])
	assert.GreaterOrEqual(t, c["failingForMs"], 1000.)
	assert.InDelta(t, 3, c["failures"], 0)
	assert.Equal(t, "failed", d["state"])
	assert.NotContains(t, d, "answer")
}

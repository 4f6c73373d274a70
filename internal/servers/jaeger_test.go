package servers_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/servers"
)

func TestJaegerTellsOfSpans(t *testing.T) {
	j := servers.StartJaeger(t)
	none, err := j.Trace(t.Context(), "463ac35c9f6413ad48485a3953bb6124")
	require.NoError(t, err)
	assert.Empty(t, none)
	start := time.Now().Add(-time.Minute).Truncate(time.Microsecond)
	body := fmt.Sprintf(`[{"traceId":"463ac35c9f6413ad48485a3953bb6124","parentId":"6b221d5bc9e6496c","id":"a2fb4a1d1a96d312","kind":"SERVER","name":"get /x",
		"timestamp":%d,"duration":1500,"localEndpoint":{"serviceName":"hello"},"tags":{"service":"/svc/x"},"annotations":[{"timestamp":%d,"value":"wr"}]}]`,
		start.UnixMicro(), start.UnixMicro()+3)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, j.Zipkin, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusAccepted, resp.StatusCode)

	s := j.AwaitTrace(t, "463ac35c9f6413ad48485a3953bb6124", 1)[0]
	assert.Equal(t, "463ac35c9f6413ad48485a3953bb6124", s.Trace)
	assert.Equal(t, "a2fb4a1d1a96d312", s.Span)
	assert.Equal(t, "6b221d5bc9e6496c", s.Parent)
	assert.Equal(t, "hello", s.Service)
	assert.Equal(t, "get /x", s.Name)
	assert.Equal(t, "server", s.Tags["span.kind"])
	assert.Equal(t, "/svc/x", s.Tags["service"])
	assert.True(t, s.Start.Equal(start))
	assert.Equal(t, 1500*time.Microsecond, s.Duration)
	require.Len(t, s.Logs, 1)
	assert.Equal(t, "wr", s.Logs[0].Fields["event"])

	j.Kill()
	j.Start()
	gone, err := j.Trace(t.Context(), "463ac35c9f6413ad48485a3953bb6124")
	require.NoError(t, err)
	assert.Empty(t, gone)
}

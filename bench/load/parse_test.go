package load

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseWrk(t *testing.T) {
	r, err := parseWrk(`Running 3s test @ http://127.0.0.1:17002/
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.05ms  415.00us  12.00ms   90.00%
    Req/Sec    29.00k     1.00k   31.00k    70.00%
  Latency Distribution
     50%  950.00us
     75%    1.10ms
     90%    1.40ms
     99%    2.05ms
  88888 requests in 3.01s, 12.00MB read
  Socket errors: connect 1, read 2, write 3, timeout 4
  Non-2xx or 3xx responses: 88
Requests/sec:  29612.38
Transfer/sec:      4.00MB
`)
	require.NoError(t, err)
	assert.Equal(t, Result{
		Requests: 88888, Errors: 98, Elapsed: 3010 * time.Millisecond,
		Latency: Quantiles{P50: 950 * time.Microsecond, P99: 2050 * time.Microsecond},
	}, r)
	assert.InDelta(t, 29530.9, r.Rate(), 0.1)

	r, err = parseWrk("  120 requests in 1.00m, 1.00MB read\n     50%    1.20s \n")
	require.NoError(t, err)
	assert.Equal(t, time.Minute, r.Elapsed)
	assert.Equal(t, 1200*time.Millisecond, r.Latency.P50)

	for _, bad := range []string{"", "unable to connect to 127.0.0.1:1 Connection refused\n", "  0 requests in 1.00s, 0B read\n", "  x requests in 1s, 0B read\n"} {
		_, err = parseWrk(bad)
		assert.Error(t, err, "%q", bad)
	}
}

func TestParseH2Load(t *testing.T) {
	r, err := parseH2Load(`starting benchmark...
Application protocol: h2c

finished in 1.00s, 12316.00 req/s, 360.95KB/s
requests: 12320 total, 12321 started, 12316 done, 12300 succeeded, 16 failed, 4 errored, 2 timeout
status codes: 12300 2xx, 0 3xx, 12 4xx, 0 5xx
traffic: 360.95KB (369608) total, 120.38KB (123264) headers (space savings 94.28%), 24.05KB (24632) data
                     min         max         mean         sd        +/- sd
time for request:       18us      3.47ms        78us        45us    81.76%
`)
	require.NoError(t, err)
	assert.Equal(t, Result{Requests: 12316, Errors: 16, Elapsed: time.Second}, r)

	r, err = parseH2Load("finished in 950.10ms, 1.00 req/s\nrequests: 1 total, 1 started, 1 done, 1 succeeded, 0 failed, 0 errored, 0 timeout\n")
	require.NoError(t, err)
	assert.Equal(t, 950100*time.Microsecond, r.Elapsed)

	for _, bad := range []string{"", "requests: 0 total, 0 started, 0 done, 0 succeeded, 0 failed", "requests: a total"} {
		_, err = parseH2Load(bad)
		assert.Error(t, err, "%q", bad)
	}
}

func TestResponseInPieces(t *testing.T) {
	whole := "HTTP/1.1 200 OK\r\nServer: x\r\ncontent-length: 12\r\n\r\nHello world\n"
	for cut := range len(whole) {
		var r response
		if cut > 0 {
			done, err := r.feed([]byte(whole[:cut]))
			require.NoError(t, err)
			require.False(t, done, "cut at %d", cut)
		}
		done, err := r.feed([]byte(whole[cut:]))
		require.NoError(t, err)
		require.True(t, done, "cut at %d", cut)
		require.True(t, r.ok)
		done, err = r.feed([]byte("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"))
		require.NoError(t, err)
		require.True(t, done)
		require.False(t, r.ok)
	}
}

func TestResponseWithoutLengthIsRefused(t *testing.T) {
	for _, head := range []string{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"} {
		var r response
		_, err := r.feed([]byte(head))
		assert.ErrorIs(t, err, errResponse)
	}
	var r response
	_, err := r.feed(make([]byte, 8<<10))
	assert.ErrorIs(t, err, errResponse)
}

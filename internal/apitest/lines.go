package apitest

import (
	"bufio"
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// lines are what comes in a stream.
type lines struct {
	*bufio.Reader
	header http.Header
}

// watch begins a stream, which ends with the test.
func (s *site) watch(t *testing.T, path string, header ...string) lines {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), s.o.Limit)
	t.Cleanup(cancel)
	rsp := s.open(ctx, t, http.MethodGet, path, nil, header...)
	t.Cleanup(func() { assert.NoError(t, rsp.Body.Close()) })
	require.Equal(t, http.StatusOK, rsp.StatusCode)
	require.Equal(t, []string{"chunked"}, rsp.TransferEncoding)
	return lines{bufio.NewReader(rsp.Body), rsp.Header}
}

// next waits for a line.
func (l lines) next(t *testing.T, want string) {
	t.Helper()
	line, err := l.ReadString('\n')
	require.NoError(t, err, "%q came instead of %s", line, want)
	require.Equal(t, want+"\n", line)
}

// until passes over lines until one is the wanted one.
func (l lines) until(t *testing.T, want string) {
	t.Helper()
	for {
		line, err := l.ReadString('\n')
		require.NoError(t, err, "%q came instead of %s", line, want)
		if line == want+"\n" {
			return
		}
	}
}

package servers_test

import (
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/servers"
)

func TestConsulKeepsItsDataUntilItIsWiped(t *testing.T) {
	s := servers.StartConsul(t, servers.ConsulOptions{ACL: true})
	key := s.URL + "/v1/kv/x?raw=true"
	assert.Equal(t, http.StatusForbidden, put(t, key, ""))
	require.Equal(t, http.StatusOK, put(t, key, servers.ManagementToken))
	s.Kill()
	s.Start()
	assert.Equal(t, http.StatusOK, status(t, http.MethodGet, key, servers.ManagementToken))
	s.Kill()
	s.Wipe()
	s.Start()
	assert.Equal(t, http.StatusNotFound, status(t, http.MethodGet, key, servers.ManagementToken))
}

func put(t *testing.T, url, token string) int {
	t.Helper()
	return status(t, http.MethodPut, url, token)
}

func status(t *testing.T, method, url, token string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, url, nil)
	require.NoError(t, err)
	req.Header.Set("X-Consul-Token", token)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	_, err = io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode
}

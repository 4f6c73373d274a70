package servers_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/weft-mesh/weft/internal/servers"
)

func TestKubeKeepsObjectsOverARestart(t *testing.T) {
	k := servers.StartKube(t, servers.KubeOptions{RBAC: true, Users: map[string]string{"t": "reader"}})
	k.Apply(`
apiVersion: v1
kind: ConfigMap
metadata: {name: one}
data: {key: value}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reading}
rules: [{apiGroups: [""], resources: [configmaps], verbs: [get, list, watch]}]
`)
	k.Compact()
	k.Kill()
	k.Start()
	status, answer := k.Do(http.MethodGet, "/api/v1/namespaces/default/configmaps/one", nil)
	assert.Equal(t, http.StatusOK, status, string(answer))
	assert.Contains(t, string(answer), `"key":"value"`)
	k.Delete("v1", "ConfigMap", "default", "one")
	k.Delete("v1", "ConfigMap", "default", "one")
	status, _ = k.Do(http.MethodGet, "/api/v1/namespaces/default/configmaps/one", nil)
	assert.Equal(t, http.StatusNotFound, status)
}

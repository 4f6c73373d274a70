package servers_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/weft-mesh/weft/internal/servers"
)

func TestEtcdClusterOutlivesItsLeader(t *testing.T) {
	c := servers.StartEtcdCluster(t)
	first := c.Leader()
	c.Members[first].Kill()
	assert.NotEqual(t, first, c.Leader())
	c.Members[first].Start()
	assert.Len(t, c.URLs(), 3)
}

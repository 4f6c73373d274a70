package servers_test

import (
	"testing"

	"github.com/weft-mesh/weft/internal/servers"
)

func TestZooKeeperStartsAgain(t *testing.T) {
	s := servers.StartZooKeeper(t)
	s.Kill()
	s.Start()
}

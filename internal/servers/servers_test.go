package servers_test

import (
	"testing"

	"github.com/weft-mesh/weft/internal/servers"
)

func TestEtcdStartsAgain(t *testing.T) {
	s := servers.StartEtcd(t)
	s.Kill()
	s.Start()
}

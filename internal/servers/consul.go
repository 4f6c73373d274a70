package servers

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/weft-mesh/weft/internal/testtool"
)

// ManagementToken is the token with all permissions of a Consul with ACLs.
const ManagementToken = "6a3a4b3c-0000-4000-8000-c0ffee000001" //nolint:gosec // of a server that lives as long as a test

// ConsulOptions are the settings of a Consul. The zero value is one without ACLs.
type ConsulOptions struct {
	// ACL denies everything that no token allows. ManagementToken allows everything.
	ACL bool

	// MaxConns is limits.http_max_conns_per_client. Zero is Consul's default, 200.
	MaxConns int

	// Domain is the one of its DNS. Empty is consul.
	Domain string
}

// Consul is a running agent that is the only server of its datacenter, dc1. What
// it knows is on disk.
type Consul struct {
	*Server
	// Addr is where clients connect, 127.0.0.1:PORT, and URL the same with http://.
	Addr, URL string

	dir string
}

// ConsulNode is the name of the node of every Consul.
const ConsulNode = "weft-consul"

// StartConsul starts a Consul whose data lives as long as the test.
func StartConsul(tb testing.TB, o ConsulOptions) *Consul {
	tb.Helper()
	bin, dir, p := testtool.Get(tb, testtool.Consul), tb.TempDir(), ports(tb, 4)
	config := map[string]any{
		"server": true, "bootstrap": true, "node_name": ConsulNode, "disable_host_node_id": true,
		"bind_addr": "127.0.0.1", "client_addr": "127.0.0.1", "log_level": "warn", "disable_update_check": true,
		"data_dir": filepath.Join(dir, "data"),
		"ports": map[string]int{
			"http": p[0], "server": p[1], "serf_lan": p[2], "serf_wan": p[3], "dns": -1, "grpc": -1, "grpc_tls": -1,
		},
		"performance": map[string]int{"raft_multiplier": 1},
		"connect":     map[string]bool{"enabled": false},
	}
	token := ""
	if o.ACL {
		config["acl"] = map[string]any{
			"enabled": true, "default_policy": "deny",
			"tokens": map[string]string{"initial_management": ManagementToken, "agent": ManagementToken},
		}
		token = "&token=" + ManagementToken
	}
	if o.MaxConns > 0 {
		config["limits"] = map[string]int{"http_max_conns_per_client": o.MaxConns}
	}
	if o.Domain != "" {
		config["domain"] = o.Domain
	}
	text, err := json.Marshal(config)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "consul.json"), text, 0o600)
	}
	if err != nil {
		tb.Fatalf("servers: %v", err)
	}
	command := func() *exec.Cmd {
		return exec.Command(bin, "agent", "-config-file", filepath.Join(dir, "consul.json")) //nolint:noctx // it ends with the test
	}
	c := &Consul{Addr: loopback(p[0]), URL: "http://" + loopback(p[0]), dir: dir}
	c.Server = start(tb, "consul", command, func(ctx context.Context) error {
		return get(ctx, c.URL+"/v1/catalog/nodes?consistent=true"+token, ConsulNode)
	})
	return c
}

// Wipe removes what a Consul that does not run has known: the next Start is a new
// server on the old ports.
func (c *Consul) Wipe() {
	c.tb.Helper()
	if err := os.RemoveAll(filepath.Join(c.dir, "data")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.tb.Fatalf("servers: %v", err)
	}
}

package servers

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/weft-mesh/weft/internal/child"
	"github.com/weft-mesh/weft/internal/testtool"
)

// EtcdCluster is a running etcd of three members, without authentication.
type EtcdCluster struct {
	Members []*Etcd

	tb testing.TB
}

// StartEtcdCluster starts an etcd of three members whose data lives as long as the
// test. Flags are added to the command line of each.
func StartEtcdCluster(tb testing.TB, flags ...string) *EtcdCluster {
	tb.Helper()
	const members = 3
	bin, p := testtool.Get(tb, testtool.Etcd), ports(tb, 2*members)
	initial := make([]string, members)
	for i := range initial {
		initial[i] = fmt.Sprintf("m%d=http://%s", i, loopback(p[members+i]))
	}
	c := &EtcdCluster{tb: tb}
	for i := range members {
		dir, client, peer := tb.TempDir(), "http://"+loopback(p[i]), "http://"+loopback(p[members+i])
		command := func() *exec.Cmd {
			return exec.Command(bin, append([]string{ //nolint:noctx // it ends with the test
				"--name", fmt.Sprintf("m%d", i), "--data-dir", dir,
				"--listen-client-urls", client, "--advertise-client-urls", client,
				"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
				"--initial-cluster", strings.Join(initial, ","),
				"--unsafe-no-fsync", "--log-level", "warn",
			}, flags...)...)
		}
		name := fmt.Sprintf("etcd m%d", i)
		c.Members = append(c.Members, &Etcd{URL: client, Server: &Server{tb: tb, name: name, make: command, ready: func(ctx context.Context) error {
			return get(ctx, client+"/health", `"health":"true"`)
		}}})
	}
	// None is ready before there are two.
	for _, m := range c.Members {
		m.proc = child.Start(tb, m.name, m.make())
	}
	for _, m := range c.Members {
		m.AwaitReady()
	}
	return c
}

// URLs returns where clients connect.
func (c *EtcdCluster) URLs() []string {
	urls := make([]string, len(c.Members))
	for i, m := range c.Members {
		urls[i] = m.URL
	}
	return urls
}

// Leader returns the index of the member that leads. It waits until there is one.
func (c *EtcdCluster) Leader() int {
	c.tb.Helper()
	deadline := time.Now().Add(patience)
	for {
		i, err := c.leader()
		if err == nil {
			return i
		}
		if time.Now().After(deadline) {
			c.tb.Fatalf("servers: etcd has no leader after %v: %v", patience, err)
		}
		<-time.After(50 * time.Millisecond)
	}
}

func (c *EtcdCluster) leader() (int, error) {
	client, err := clientv3.New(clientv3.Config{Endpoints: c.URLs(), DialTimeout: time.Second, Logger: zap.NewNop()})
	if err != nil {
		return 0, err
	}
	defer client.Close() //nolint:errcheck // it was only asked
	var errs []error
	for i, m := range c.Members {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		s, err := client.Status(ctx, m.URL)
		cancel()
		if err == nil && s.Header.GetMemberId() == s.Leader {
			return i, nil
		}
		errs = append(errs, err)
	}
	return 0, fmt.Errorf("none of the members that answer leads: %w", errors.Join(errs...))
}

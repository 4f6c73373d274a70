package servers

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/weft-mesh/weft/internal/testtool"
)

// Etcd is a running etcd of one member, without authentication.
type Etcd struct {
	*Server
	// URL is where clients connect, http://127.0.0.1:PORT.
	URL string
}

// StartEtcd starts an etcd whose data lives as long as the test. Flags are added to
// its command line.
func StartEtcd(tb testing.TB, flags ...string) *Etcd {
	tb.Helper()
	bin, dir, p := testtool.Get(tb, testtool.Etcd), tb.TempDir(), ports(tb, 2)
	client, peer := "http://"+loopback(p[0]), "http://"+loopback(p[1])
	command := func() *exec.Cmd {
		return exec.Command(bin, append([]string{ //nolint:noctx // it ends with the test
			"--data-dir", dir, "--listen-client-urls", client, "--advertise-client-urls", client,
			"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "default=" + peer,
			"--unsafe-no-fsync", "--log-level", "warn",
		}, flags...)...)
	}
	return &Etcd{URL: client, Server: start(tb, "etcd", command, func(ctx context.Context) error {
		return get(ctx, client+"/health", `"health":"true"`)
	})}
}

// get asks for a page and wants part of it.
func get(ctx context.Context, url, want string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	body, err := io.ReadAll(resp.Body)
	if err == nil && !strings.Contains(string(body), want) {
		err = fmt.Errorf("%s: %s says %q", url, resp.Status, body)
	}
	return err
}

package servers

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weft-mesh/weft/internal/testtool"
)

// zooJar is where Debian's package zookeeper puts what is run.
const zooJar = "/usr/share/java/zookeeper.jar"

// ZooKeeper is a running ZooKeeper of one server.
type ZooKeeper struct {
	*Server
	// Addr is where clients connect, 127.0.0.1:PORT.
	Addr string
	data string
}

// Wipe deletes the data of a server that was stopped, which then knows less than its
// clients have seen.
func (z *ZooKeeper) Wipe() {
	z.tb.Helper()
	if err := os.RemoveAll(z.data); err != nil {
		z.tb.Fatalf("servers: %v", err)
	}
}

// StartZooKeeper starts a ZooKeeper whose data lives as long as the test. Sessions
// time out after 1 s at the earliest.
func StartZooKeeper(tb testing.TB) *ZooKeeper {
	tb.Helper()
	java := testtool.Installed(tb, "java", "default-jre-headless")
	if _, err := os.Stat(zooJar); err != nil {
		const text = "servers: %v: apt-get install zookeeper"
		if testtool.Required(os.Getenv) {
			tb.Fatalf(text, err)
		}
		tb.Skipf("NOT TESTED (CI=true or WEFT_REAL=1 would fail here): "+text, err)
	}
	dir, addr := tb.TempDir(), loopback(ports(tb, 1)[0])
	host, port, _ := strings.Cut(addr, ":")
	conf, data := filepath.Join(dir, "zoo.cfg"), filepath.Join(dir, "data")
	text := fmt.Sprintf("tickTime=500\ndataDir=%s\nclientPort=%s\nclientPortAddress=%s\nmaxClientCnxns=0\n"+
		"admin.enableServer=false\n4lw.commands.whitelist=*\nforceSync=no\n", data, port, host)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		tb.Fatalf("servers: %v", err)
	}
	command := func() *exec.Cmd {
		return exec.Command(java, "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", //nolint:noctx // it ends with the test
			"-cp", "/etc/zookeeper/conf_example:/usr/share/java/*", "org.apache.zookeeper.server.quorum.QuorumPeerMain", conf)
	}
	return &ZooKeeper{Addr: addr, data: data, Server: start(tb, "zookeeper", command, func(ctx context.Context) error {
		// It answers before it serves.
		return says(ctx, addr, "srvr", "Mode: standalone")
	})}
}

// says asks a server one of its four letter words and wants part of the answer.
func says(ctx context.Context, addr, word, want string) error {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // it was read
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, word); err != nil {
		return err
	}
	body, err := io.ReadAll(conn)
	if err == nil && !strings.Contains(string(body), want) {
		err = fmt.Errorf("%s: %s: %q", addr, word, body)
	}
	return err
}

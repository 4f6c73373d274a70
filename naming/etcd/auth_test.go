package etcd_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/naming/etcd"
)

// TestAuthentication has an etcd with users.
func TestAuthentication(t *testing.T) {
	server := servers.StartEtcd(t, "--auth-token-ttl", "2")
	open := newStore(t, server.URL)
	ctx := context.Background()
	must := func(_ any, err error) {
		t.Helper()
		require.NoError(t, err)
	}
	open.put("/weft/services/web/a", "10.0.0.1:80", "/weft/services/secret/a", "10.0.0.2:80")
	must(open.UserAdd(ctx, "root", "root"))
	must(open.UserGrantRole(ctx, "root", "root"))
	must(open.RoleAdd(ctx, "mesh"))
	must(open.RoleGrantPermission(ctx, "mesh", "/weft/services/web/", clientv3.GetPrefixRangeEnd("/weft/services/web/"), clientv3.PermissionType(clientv3.PermRead)))
	must(open.UserAdd(ctx, "mesh", "other"))
	must(open.UserGrantRole(ctx, "mesh", "mesh"))
	must(open.AuthEnable(ctx))
	root := newStore(t, server.URL, "root", "root")

	log := &journal{}
	n := newNamer(t, etcd.Config{Endpoints: []string{server.URL}, Username: "mesh", Password: "right"}, etcd.Options{Logger: log.logger()})
	w := watch(t, n, "/web")
	w.comes("failed")
	pause(outage())
	s, _ := w.tree.Load()
	require.ErrorContains(t, s.Err, "authentication failed")
	assert.Equal(t, 1, log.count("refuses the credentials"), "said once:\n%v", log)
	assert.Equal(t, 1, log.count("level=WARN"), "said once:\n%v", log)
	must(root.UserChangePassword(ctx, "mesh", "right"))
	w.promptly("the right password", "/#/io.l5d.etcd/web: 10.0.0.1:80")

	// What a user must not see is the trouble of that service only.
	secret := watch(t, n, "/secret")
	secret.comes("failed")
	s, _ = secret.tree.Load()
	require.ErrorContains(t, s.Err, "permission denied")
	assert.Equal(t, "/#/io.l5d.etcd/web: 10.0.0.1:80", w.text())
	must(root.RoleGrantPermission(ctx, "mesh", "/weft/services/secret/", clientv3.GetPrefixRangeEnd("/weft/services/secret/"), clientv3.PermissionType(clientv3.PermRead)))
	secret.promptly("permission", "/#/io.l5d.etcd/secret: 10.0.0.2:80")
	assert.Equal(t, 1, log.count("a service cannot be followed"), "said once:\n%v", log)

	// Tokens that have expired, and those that an etcd that was started again never
	// knew, are replaced.
	release := w.guard("10.0.0.1:80")
	defer release()
	pause(4 * time.Second)
	later := watch(t, n, "/web2")
	later.comes("failed") // not permitted, and not "invalid token"
	s, _ = later.tree.Load()
	require.ErrorContains(t, s.Err, "permission denied")
	server.Kill()
	server.Start()
	require.Eventually(t, func() bool {
		_, err := root.Put(ctx, "/weft/services/web/b", "10.0.0.3:80")
		return err == nil
	}, 20*time.Second, 10*time.Millisecond)
	w.promptly("after a restart", "/#/io.l5d.etcd/web: 10.0.0.1:80 10.0.0.3:80")
	assert.Equal(t, 1, log.count("refuses the credentials"), "new tokens are nothing to report:\n%v", log)

	// The credentials go bad while everything else is well.
	must(root.UserChangePassword(ctx, "mesh", "else"))
	server.Kill()
	server.Start()
	w.comes("/#/io.l5d.etcd/web: 10.0.0.1:80 10.0.0.3:80 (stale)")
	require.Eventually(t, func() bool {
		_, err := root.UserChangePassword(ctx, "mesh", "right")
		return err == nil
	}, 20*time.Second, 10*time.Millisecond)
	w.promptly("the right password again", "/#/io.l5d.etcd/web: 10.0.0.1:80 10.0.0.3:80")
}

// TestAnotherCluster leads the namer to an etcd that has other data, as after a
// restore from a backup: its revisions are lower than those that were seen.
func TestAnotherCluster(t *testing.T) {
	one, two := servers.StartEtcd(t), servers.StartEtcd(t)
	first, second := newStore(t, one.URL), newStore(t, two.URL)
	for range 20 {
		first.put("/weft/services/web/a", "10.0.0.1:80", "/weft/services/web/b", "10.0.0.2:80")
	}
	second.put("/weft/services/web/a", "10.0.0.1:80", "/weft/services/web/c", "10.0.0.3:80")
	p := newProxy(t, host(t, one.URL))
	log := &journal{}
	n := newNamer(t, etcd.Config{Endpoints: []string{"http://" + p.addr}}, etcd.Options{Logger: log.logger()})
	w := watch(t, n, "/web")
	w.comes("/#/io.l5d.etcd/web: 10.0.0.1:80 10.0.0.2:80")
	release := w.guard("10.0.0.1:80")
	defer release()
	p.lead(host(t, two.URL))
	p.reset()
	w.promptly("another cluster", "/#/io.l5d.etcd/web: 10.0.0.1:80 10.0.0.3:80")
	second.put("/weft/services/web/c", "10.0.0.4:80")
	w.promptly("its changes", "/#/io.l5d.etcd/web: 10.0.0.1:80 10.0.0.4:80")
	assert.Equal(t, 1, log.count("not the data"), "%v", log)
}

package zk_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/naming/zk"
)

func TestCurator(t *testing.T) {
	t.Parallel()
	server := servers.StartZooKeeper(t)
	do := connect(t, server.Addr)
	for _, base := range []string{"", "/services/"} {
		n, err := zk.NewCurator(zk.CuratorConfig{Config: zk.Config{Addrs: []string{server.Addr}}, BasePath: base}, zk.Options{})
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, n.Close()) })
		at := "/web"
		if base != "" {
			at = "/services/web"
		}
		instance := func(i int, more string) string {
			return fmt.Sprintf(`{"name":"web","id":"i%d","address":"10.0.0.%d"%s,"payload":null,"registrationTimeUTC":1,"serviceType":"DYNAMIC"}`, i, i, more)
		}
		const id = "/#/io.l5d.curator/web+/r:"
		lookup(t, n, "/").comes("Neg")
		web := lookup(t, n, "/web/r")
		web.comes(id + " ssl=false") // a service that nobody knows is one without endpoints
		do.put(at+"/i1", instance(1, `,"port":80,"sslPort":null`))
		assert.Less(t, web.comes(id+" 10.0.0.1:80 ssl=false"), promptly)
		do.put(at+"/i2", instance(2, `,"port":80,"sslPort":443,"enabled":true`))
		assert.Less(t, web.comes(id+" 10.0.0.1:80 10.0.0.2:443 ssl=true"), promptly)
		do.put(at+"/i3", instance(3, `,"port":80,"enabled":false`))
		do.put(at+"/i4", instance(4, ``))
		do.put(at+"/i5", instance(5, `,"port":80`))
		assert.Less(t, web.comes(id+" 10.0.0.1:80 10.0.0.2:443 10.0.0.5:80 ssl=true"), promptly)
		do.remove(at + "/i2")
		assert.Less(t, web.comes(id+" 10.0.0.1:80 10.0.0.5:80 ssl=false"), promptly)
		do.remove(at)
		assert.Less(t, web.comes(id+" ssl=false"), promptly)
	}
	_, err := zk.NewCurator(zk.CuratorConfig{Config: zk.Config{Addrs: []string{server.Addr}}, BasePath: "services"}, zk.Options{})
	require.EqualError(t, err, `zk: basePath: "services" is not the path of a znode, such as /services`)
}

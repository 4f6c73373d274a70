package rancher_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/rancher"
)

const web = "/#/io.l5d.rancher/http/shop/web 10.42.0.1:80"

func TestN28PortMappings(t *testing.T) {
	inWorld(t, rancher.Config{PortMappings: map[string]int{"proxy": 8080, "https": 8443}}, func(w *world) {
		w.set(container("shop", "web", "10.42.0.1", "running"))
		for port, want := range map[string]string{
			"proxy": "8080", "http": "80", "https": "8443", "9990": "9990", "65535": "65535",
		} {
			x := w.watch("/" + port + "/shop/web")
			w.pass(0)
			assert.Equal(t, "/#/io.l5d.rancher/"+port+"/shop/web 10.42.0.1:"+want, x.text())
		}
		for _, name := range []string{"/", "/http", "/http/shop", "/HTTP/shop/web", "/0/shop/web", "/65536/shop/web", "/-1/shop/web", "/ftp/shop/web", "/http/shop/other"} {
			x := w.watch(name)
			w.pass(0)
			assert.Equal(t, "Neg", x.text(), name)
		}
	})
}

func TestContainersOfAService(t *testing.T) {
	inWorld(t, rancher.Config{}, func(w *world) {
		w.set(
			container("Shop", "WEB", "10.42.0.2", "running"),
			container("shop", "web", "10.42.0.1", "running"),
			container("shop", "web", "10.42.0.1", "running"),
			container("shop", "web", "10.42.0.3", "stopped"),
			container("shop", "web", "10.42.0.4", "starting"),
			container("shop", "web", "", "running"),
			container("shop", "db", "10.42.0.5", "running"),
			container("other", "web", "fd00::1", "running"),
			`{"name":"Network Agent","primary_ip":"10.42.0.9","service_name":null,"stack_name":null,"state":"running"}`,
		)
		x, six := w.watch("/http/sHop/Web/Rest/x"), w.watch("/http/other/web")
		w.pass(0)
		assert.Equal(t, "/#/io.l5d.rancher/http/sHop/Web+/Rest/x 10.42.0.2:80 10.42.0.1:80", x.text())
		assert.Equal(t, "/#/io.l5d.rancher/http/other/web [fd00::1]:80", six.text())
		assert.Zero(t, w.logs.count("WARN"), "%v", w.logs)

		w.set(container("shop", "web", "10.42.0.3", "stopped"))
		w.pass(200 * time.Millisecond)
		assert.Equal(t, "Neg", x.text(), "seen at once")
		w.set(container("shop", "web", "10.42.0.3", "running"))
		w.pass(200 * time.Millisecond)
		assert.Equal(t, "/#/io.l5d.rancher/http/sHop/Web+/Rest/x 10.42.0.3:80", x.text())
		w.set()
		w.pass(200 * time.Millisecond)
		assert.Equal(t, "Neg", x.text())
	})
}

func TestOneLongPollForAllNames(t *testing.T) {
	inWorld(t, rancher.Config{MaxWait: 20 * time.Second}, func(w *world) {
		w.set(container("shop", "web", "10.42.0.1", "running"))
		ctx, cancel := context.WithCancel(w.t.Context())
		for _, name := range []string{"/http/shop/web", "/80/shop/web/x", "/http/a/b", "/http/c/d"} {
			watch(ctx, w.namer, name).text()
		}
		w.pass(119 * time.Second)
		assert.Equal(t, 7, w.count(versionPath))
		assert.Equal(t, 1, w.count(listPath))
		w.mu.Lock()
		assert.Equal(t, versionPath+"?wait=true&maxWait=20&value=initial", w.asked[0])
		assert.Equal(t, versionPath+"?wait=true&maxWait=20&value=1", w.asked[2])
		assert.Equal(t, "rancher-metadata", w.hosts[0])
		assert.Equal(t, "application/json", w.accepts[listPath])
		w.mu.Unlock()
		list := w.namer.Watches()
		require.Len(t, list, 1)
		assert.Equal(t, "http://rancher-metadata:80/2015-12-19", list[0].Watching)
		assert.Equal(t, "1", list[0].Version)
		assert.Equal(t, "running containers: 1, of services: 1", list[0].Answer)

		cancel()
		w.pass(10 * time.Second)
		before := w.count("")
		w.pass(time.Minute)
		assert.Equal(t, before, w.count(""))
		assert.Empty(t, w.namer.Watches())
	})
}

func TestServicesThatDoNotWaitAreNotAskedWithoutPause(t *testing.T) {
	inWorld(t, rancher.Config{}, func(w *world) {
		w.set(container("shop", "web", "10.42.0.1", "running"))
		w.change(func() { w.hasty, w.quoted = true, true })
		x := w.watch("/http/shop/web")
		w.pass(time.Minute)
		assert.Equal(t, web, x.text())
		assert.InDelta(t, 60, w.count(versionPath), 3)
		assert.Equal(t, 1, w.count(listPath))
		w.set(container("shop", "web", "10.42.0.2", "running"))
		w.pass(time.Second)
		assert.Equal(t, "/#/io.l5d.rancher/http/shop/web 10.42.0.2:80", x.text())
	})
}

func TestFailures(t *testing.T) {
	for name, how := range map[string]struct {
		path string
		said said
		kind string
	}{
		"version, status":       {versionPath, said{status: 503, body: "starting"}, `"status 503"`},
		"version, not found":    {versionPath, said{status: 404, body: "Not found"}, `"status 404"`},
		"version, page":         {versionPath, said{body: "<html>sign in</html>"}, "content"},
		"version, empty":        {versionPath, said{body: " \n"}, "content"},
		"version, half a text":  {versionPath, said{body: `"abc`}, "content"},
		"version, object":       {versionPath, said{body: `{"a": 1}`}, "content"},
		"version, slow":         {versionPath, said{hang: true}, "connection"},
		"list, status":          {listPath, said{status: 500}, `"status 500"`},
		"list, object":          {listPath, said{body: "{}"}, "content"},
		"list, null":            {listPath, said{body: "null"}, "content"},
		"list, cut":             {listPath, said{body: `[{"name":"a"}`}, "content"},
		"list, plain text":      {listPath, said{body: "0=shop_web_1\n1=shop_db_1\n"}, "content"},
		"list, of other things": {listPath, said{body: `["shop_web_1",null,7]`}, "content"},
		"list, of no addresses": {listPath, said{body: "[" + container("shop", "web", "web.internal", "running") + "]"}, "content"},
		"list, slow":            {listPath, said{hang: true}, "connection"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, rancher.Config{}, func(w *world) {
				w.set(container("shop", "web", "10.42.0.1", "running"))
				fail := func() { w.change(func() { w.fails[how.path] = how.said }) }
				mend := func() { w.change(func() { delete(w.fails, how.path) }) }
				fail() // before anybody asks
				x := w.watch("/http/shop/web")
				w.pass(2 * time.Minute)
				assert.Equal(t, "failed", x.text())
				assert.Equal(t, 1, w.logs.count("rancher fails"), "%v", w.logs)
				assert.Equal(t, 1, w.logs.count("kind="+how.kind), "%v", w.logs)
				assert.Less(t, w.count(how.path), 50)
				mend()
				w.pass(time.Minute)
				assert.Equal(t, web, x.text())
				assert.Equal(t, 1, w.logs.count("no longer fails"), "%v", w.logs)

				w.mu.Lock()
				w.fails[how.path] = how.said
				w.mu.Unlock()
				w.set(container("shop", "web", "10.42.0.2", "running"))
				w.pass(2 * time.Minute)
				assert.Equal(t, web+" (stale)", x.text())
				require.ErrorContains(t, x.err(), "rancher")
				mend()
				w.pass(time.Minute)
				assert.Equal(t, "/#/io.l5d.rancher/http/shop/web 10.42.0.2:80", x.text())
			})
		})
	}
}

func TestRestarts(t *testing.T) {
	inWorld(t, rancher.Config{}, func(w *world) {
		w.set(container("shop", "web", "10.42.0.1", "running"))
		x := w.watch("/http/shop/web")
		w.pass(0)
		assert.Equal(t, web, x.text())
		w.stop()
		w.pass(2 * time.Minute)
		assert.Equal(t, web+" (stale)", x.text())
		assert.Equal(t, 1, w.logs.count("level=WARN"), "%v", w.logs)
		w.start()
		w.pass(5 * time.Second)
		assert.Equal(t, web, x.text())
		w.stop()
		w.set(container("shop", "web", "10.42.0.2", "running"))
		w.start()
		w.pass(5 * time.Second)
		assert.Equal(t, "/#/io.l5d.rancher/http/shop/web 10.42.0.2:80", x.text())
	})
}

func TestMalformedContainersAreLeftOutAndSaidOnce(t *testing.T) {
	inWorld(t, rancher.Config{}, func(w *world) {
		bad := container("shop", "web", "web.internal", "running")
		w.set(bad, container("shop", "web", "10.42.0.1", "running"), `{"name":{}}`)
		x := w.watch("/http/shop/web")
		for range 10 {
			w.pass(time.Minute)
			w.set(bad, container("shop", "web", "10.42.0.1", "running"), `{"name":{}}`)
		}
		assert.Equal(t, web, x.text())
		assert.EqualValues(t, 2, w.namer.Skipped())
		assert.Equal(t, 2, w.logs.count("level=WARN"), "%v", w.logs)
		assert.Equal(t, 1, w.logs.count("name=shop_web_1"), "%v", w.logs)
	})
}

func TestClosed(t *testing.T) {
	inWorld(t, rancher.Config{}, func(w *world) {
		w.set(container("shop", "web", "10.42.0.1", "running"))
		x := w.watch("/http/shop/web")
		w.pass(0)
		x.text()
		require.NoError(t, w.namer.Close())
		assert.Equal(t, web, x.text(), "what has been handed out stands still")
		s, _ := w.namer.Lookup(w.t.Context(), dtab.MustPath("/http/shop/web")).Load()
		require.ErrorIs(t, s.Err, naming.ErrClosed)
	})
}

func TestConfig(t *testing.T) {
	for want, c := range map[string]rancher.Config{
		"rancher: portMappings: x: 0: want 1 to 65535":        {PortMappings: map[string]int{"x": 0}},
		"rancher: portMappings: http: 65536: want 1 to 65535": {PortMappings: map[string]int{"http": 65536}},
		"rancher: maxWait: 10ms: want at least 1 s":           {MaxWait: 10 * time.Millisecond},
		"rancher: port: -1: want 1 to 65535":                  {Port: -1},
		`rancher: host: "a b": want a name or an address`:     {Host: "a b"},
		`rancher: host: "a/b": want a name or an address`:     {Host: "a/b"},
	} {
		_, err := rancher.New(c, rancher.Options{})
		assert.EqualError(t, err, want)
	}
	mappings := map[string]int{"proxy": 8080}
	n, err := rancher.New(rancher.Config{PortMappings: mappings, Prefix: dtab.MustPath("/#/r")}, rancher.Options{})
	require.NoError(t, err)
	assert.Len(t, mappings, 1, "the caller's map is left alone")
	assert.Equal(t, "/#/r", n.Prefix().String())
	require.NoError(t, n.Close())
	require.NoError(t, n.Close())
}

// TestRealConnections is over sockets, with a server that is restarted in the middle
// of a long poll.
func TestRealConnections(t *testing.T) {
	f := newFake()
	f.set(container("shop", "web", "10.42.0.1", "running"))
	s := httptest.NewServer(f)
	addr := s.Listener.Addr()
	n, err := rancher.New(rancher.Config{Host: "127.0.0.1", Port: addr.(*net.TCPAddr).Port}, rancher.Options{})
	require.NoError(t, err)
	x := watch(t.Context(), n, "/http/shop/web")
	comes := func(want string) {
		t.Helper()
		require.Eventually(t, func() bool { return x.text() == want }, 20*time.Second, 5*time.Millisecond, "%s", want)
	}
	comes(web)
	s.CloseClientConnections()
	s.Close()
	comes(web + " (stale)")
	f.set(container("shop", "web", "10.42.0.2", "running"))
	var l net.Listener
	require.Eventually(t, func() bool {
		l, err = net.Listen("tcp", addr.String())
		return err == nil
	}, 20*time.Second, 50*time.Millisecond)
	again := &httptest.Server{Listener: l, Config: &http.Server{Handler: f}}
	again.Start()
	comes("/#/io.l5d.rancher/http/shop/web 10.42.0.2:80")
	require.NoError(t, n.Close())
	again.Close()
}

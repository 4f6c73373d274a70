package meshhttp_test

import (
	"context"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/weft-mesh/weft/transport/meshhttp"
)

// TestLabelers is V39 to V43 and the table of 2.5.
func TestLabelers(t *testing.T) {
	addr := func(ip string) net.Addr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: 8080} }
	ctx := context.Background()
	rows := []struct {
		l    meshhttp.Labeler
		addr net.Addr
		want string
	}{
		{meshhttp.IP{}, addr("8.8.8.8"), "8.8.8.8"},
		{meshhttp.IP{}, addr("::ffff:8.8.8.8"), "8.8.8.8"},
		{meshhttp.IP{}, addr("2001:db8:cafe::17"), `"[2001:db8:cafe:0:0:0:0:17]"`},
		{meshhttp.IP{Port: true}, addr("1.2.3.4"), `"1.2.3.4:8080"`},
		{meshhttp.IP{Port: true}, addr("::1"), `"[0:0:0:0:0:0:0:1]:8080"`},
		{meshhttp.IP{}, addr("0.0.0.0"), "unknown"},
		{meshhttp.IP{}, nil, "unknown"},
		{meshhttp.IP{}, &net.UnixAddr{}, "unknown"},
		{meshhttp.StaticLabel("http"), nil, "_http"},
		{meshhttp.StaticLabel("_cowabunga"), nil, "_cowabunga"},
	}
	for _, r := range rows {
		assert.Equal(t, r.want, r.l.Label(ctx, r.addr))
	}
	a, b := meshhttp.RequestRandom{}.Label(ctx, nil), meshhttp.RequestRandom{}.Label(ctx, nil)
	assert.NotEqual(t, a, b)
	assert.Regexp(t, `^_[A-Za-z0-9]{6}$`, a)
}

// TestConnectionRandom: the label is the connection's.
func TestConnectionRandom(t *testing.T) {
	s := setup{server: meshhttp.ServerOptions{Forwarded: &meshhttp.Forwarded{By: meshhttp.ConnectionRandom{}}}}
	inWorld(t, s, func(w *world) {
		ds := w.serve("ds", nil)
		rt := w.proxyClient(nil)
		var by, from []string
		for range 2 {
			get(w.t, rt, "http://ds/")
			parts := strings.Split(ds.last(w.t).Header.Get("Forwarded"), ";")
			by, from = append(by, parts[0]), append(from, parts[1])
		}
		assert.Equal(w.t, by[0], by[1])
		assert.NotEqual(w.t, from[0], from[1], "the default is a new one for every request")
	})
}

package meshh2

import (
	"context"
	"net"

	"github.com/weft-mesh/weft/transport/meshhttp"
)

// addForwarded adds a forwarded field (RFC 7239) for a request that came from
// remote to local. Unlike HTTP/1, whose parameter is host, it says authority: that
// is Linkerd's.
func addForwarded(ctx context.Context, req *Head, f *meshhttp.Forwarded, local, remote net.Addr) {
	v := "by=" + label(ctx, f.By, local) + ";for=" + label(ctx, f.For, remote)
	if a := req.Get(nameAuthority); a != "" {
		v += ";authority=" + a
	}
	if s := req.Get(nameScheme); s != "" {
		v += ";proto=" + s
	}
	req.add(nameForwarded, v)
}

func label(ctx context.Context, l meshhttp.Labeler, addr net.Addr) string {
	if l == nil {
		l = meshhttp.RequestRandom{}
	}
	return l.Label(ctx, addr)
}

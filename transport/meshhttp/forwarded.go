package meshhttp

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// Labeler names one side of a connection in a Forwarded header.
type Labeler interface {
	// Label returns the label of addr, which may be nil if it is not known. connCtx
	// is the context of the connection.
	Label(connCtx context.Context, addr net.Addr) string
}

// Forwarded adds a Forwarded header (RFC 7239) to requests. Nil labelers are
// RequestRandom.
type Forwarded struct {
	By, For Labeler
}

// of returns the header's value for a request that a server received.
func (f *Forwarded) of(r *http.Request) string {
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	var remote net.Addr
	if ap, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		remote = net.TCPAddrFromAddrPort(ap)
	}
	return f.value(r, local, remote)
}

func (f *Forwarded) value(r *http.Request, local, remote net.Addr) string {
	var b strings.Builder
	b.WriteString("by=" + labelOf(f.By, r.Context(), local))
	b.WriteString(";for=" + labelOf(f.For, r.Context(), remote))
	if r.Host != "" {
		b.WriteString(";host=" + r.Host)
	}
	if u, err := url.Parse(r.RequestURI); err == nil && u.IsAbs() {
		b.WriteString(";proto=" + u.Scheme)
	}
	return b.String()
}

func labelOf(l Labeler, ctx context.Context, addr net.Addr) string { //nolint:revive // the labeler is what the function is about
	if l == nil {
		l = RequestRandom{}
	}
	return l.Label(ctx, addr)
}

// RequestRandom is a new random label for every request (kind requestRandom).
type RequestRandom struct{}

// Label implements Labeler.
func (RequestRandom) Label(context.Context, net.Addr) string { return "_" + rand.Text()[:6] }

// ConnectionRandom is a random label that a connection keeps (kind
// connectionRandom). The listener's ConnContext must be WithConnLabel.
type ConnectionRandom struct{}

type connLabelKey struct{}

// WithConnLabel is for http.Server.ConnContext: it gives the connection its label.
func WithConnLabel(ctx context.Context, _ net.Conn) context.Context {
	return context.WithValue(ctx, connLabelKey{}, "_"+rand.Text()[:6])
}

// Label implements Labeler.
func (ConnectionRandom) Label(ctx context.Context, _ net.Addr) string {
	if l, ok := ctx.Value(connLabelKey{}).(string); ok {
		return l
	}
	return RequestRandom{}.Label(ctx, nil)
}

// IP is the address without (kind ip) or with its port (kind ip:port).
type IP struct{ Port bool }

// Label implements Labeler. IPv6 addresses are written in full and quoted, as
// Linkerd does.
func (l IP) Label(_ context.Context, addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return "unknown"
	}
	ip, ok := netip.AddrFromSlice(tcp.IP)
	if ip = ip.Unmap(); !ok || ip.IsUnspecified() {
		return "unknown"
	}
	text := ip.String()
	if ip.Is6() {
		text = "[" + expand(ip) + "]"
	}
	switch {
	case l.Port:
		return fmt.Sprintf("%q", fmt.Sprintf("%s:%d", text, tcp.Port))
	case ip.Is6():
		return `"` + text + `"`
	default:
		return text
	}
}

// expand writes all eight groups without leading zeros.
func expand(ip netip.Addr) string {
	b := ip.As16()
	groups := make([]string, 8)
	for i := range groups {
		groups[i] = strconv.FormatUint(uint64(b[2*i])<<8|uint64(b[2*i+1]), 16)
	}
	return strings.Join(groups, ":")
}

// StaticLabel is a fixed label (kinds static and router). It gets the "_" that
// RFC 7239 asks of obfuscated identifiers.
type StaticLabel string

// Label implements Labeler.
func (l StaticLabel) Label(context.Context, net.Addr) string {
	if strings.HasPrefix(string(l), "_") {
		return string(l)
	}
	return "_" + string(l)
}

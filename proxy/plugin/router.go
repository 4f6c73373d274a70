package plugin

import (
	"context"
	"net"
	"net/http"
	"net/netip"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/transport"
)

// Router is a running router: what a protocol made of its configuration.
type Router struct {
	Label, Protocol string
	// Base is the router's dtab.
	Base        dtab.Dtab
	Interpreter naming.Interpreter
	// Core is the router under the protocol.
	Core    *transport.Router
	Servers []Server
	// Identify says how a request would be named, without sending it. Nil if the
	// protocol has no HTTP requests.
	Identify func(*http.Request) (dtab.Path, dtab.Dtab, error)
	// Reopen opens log files anew; nil if there are none.
	Reopen func() error
	// Close ends the router after its servers have been shut down, and waits for it.
	Close func() error
}

// Server is a listener's side of a router.
type Server interface {
	// Addr is the configured address; port 0 is any free one.
	Addr() netip.AddrPort
	// Serve serves connections until Shutdown. It returns nil after that.
	Serve(l net.Listener) error
	// Shutdown stops accepting, waits for the requests under way, and cuts off those
	// that are left when ctx ends.
	Shutdown(ctx context.Context) error
}

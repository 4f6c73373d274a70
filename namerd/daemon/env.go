package daemon

import (
	"context"
	"log/slog"
	"net"

	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/plugin"
)

// StorageEnv is what a store is made from. It makes a namerd.Store, which must not
// wait for its server.
type StorageEnv struct {
	Resolve plugin.Resolve
	// Shared holds what it has in common with namers.
	Shared *plugin.Shared
	Logger *slog.Logger
}

// InterfaceEnv is what an interface is made from. It makes an Interface.
type InterfaceEnv struct {
	Namerd *namerd.Namerd
	Logger *slog.Logger
}

// Interface is a way to ask a namerd, which serves listeners that the daemon opens.
// Its configuration is a config.Listener.
type Interface struct {
	// Serve answers on ln, which it closes, until Shutdown, and returns nil then. TLS
	// is its own affair.
	Serve func(ln net.Listener) error

	// Shutdown ends what is being watched, lets calls under way end until ctx ends,
	// and cuts off the rest.
	Shutdown func(ctx context.Context) error

	// Reopen, if set, opens log files anew.
	Reopen func() error

	// SocketOptions are those of the listener.
	SocketOptions config.SocketOptions
}

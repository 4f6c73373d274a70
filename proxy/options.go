package proxy

import (
	"log/slog"
	"net"
	"time"

	"github.com/weft-mesh/weft/proxy/admin"
)

// Options are what a proxy needs besides its configuration.
type Options struct {
	// Logger is told what operators want to know; nil is silent.
	Logger *slog.Logger
	// Levels are the log levels that the admin server can change; nil are none.
	Levels *admin.Levels
	// Version and Build are shown by the admin server.
	Version, Build string
	// StatsWindow is the window of stats; zero means a minute.
	StatsWindow time.Duration
	// Listen opens listeners; nil is net.Listen with the socket options of the
	// configuration.
	Listen func(network, address string) (net.Listener, error)
}

// Addrs is where a proxy listens.
type Addrs struct {
	Servers map[string][]string // by router label, in the order of the configuration
	Admin   string
}

package plugin

import (
	"io"
	"log/slog"
	"net/netip"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/telemetry"
)

// Announcer tells a registry where a server of the proxy listens. An announcer is
// closed after all that it announced was withdrawn.
type Announcer interface {
	// Announce registers addrs under name, which comes without the announcer's prefix,
	// and keeps them registered until what it returns is closed. It does not wait
	// for the registry: what fails is tried again. Close withdraws the addresses and
	// waits for it, some seconds at the most.
	Announce(name dtab.Path, addrs []netip.AddrPort) (io.Closer, error)
}

// AnnouncerEnv is what an announcer is made from. It makes an Announcer.
type AnnouncerEnv struct {
	// Prefix is the whole prefix of the names that are announced through it, with /#.
	Prefix  dtab.Path
	Shared  *Shared
	Metrics *telemetry.Scope
	Logger  *slog.Logger
}

package kinds

import (
	"net/netip"
	"time"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/proxy/config"
)

// Interface is what the interfaces of a control plane have in common.
type Interface struct {
	IP            *netip.Addr          `yaml:"ip"` // 127.0.0.1
	Port          *int                 `yaml:"port" weft:"port"`
	SocketOptions config.SocketOptions `yaml:"socketOptions"`
	TLS           *config.ServerTLS    `yaml:"tls"`
}

func (i Interface) addr(port uint16) netip.AddrPort {
	ip := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	if i.IP != nil {
		ip = *i.IP
	}
	if i.Port != nil {
		port = uint16(*i.Port) //nolint:gosec // the decoder checks the range
	}
	return netip.AddrPortFrom(ip, port)
}

// ServerTLS returns how the interface speaks TLS, nil if it does not.
func (i Interface) ServerTLS() *config.ServerTLS { return i.TLS }

// HTTPController is the configuration of io.l5d.httpController.
type HTTPController struct {
	Interface `yaml:",inline"`
}

// Addr implements config.Listener.
func (c HTTPController) Addr() netip.AddrPort { return c.addr(4180) }

// ThriftNameInterpreter is the configuration of io.l5d.thriftNameInterpreter.
type ThriftNameInterpreter struct {
	Interface `yaml:",inline"`
	Cache     *ThriftCache `yaml:"cache"`
}

// Addr implements config.Listener.
func (c ThriftNameInterpreter) Addr() netip.AddrPort { return c.addr(4100) }

// ThriftCache is how much is observed for the clients of a thrift interface.
type ThriftCache struct {
	BindingCacheActive      *int           `yaml:"bindingCacheActive" weft:"min=1"`                 // 1000
	BindingCacheInactive    *int           `yaml:"bindingCacheInactive" weft:"min=0"`               // 100
	BindingCacheInactiveTTL *time.Duration `yaml:"bindingCacheInactiveTTLSecs" weft:"unit=s,min=1"` // 600 s
	AddrCacheActive         *int           `yaml:"addrCacheActive" weft:"min=1"`                    // 1000
	AddrCacheInactive       *int           `yaml:"addrCacheInactive" weft:"min=0"`                  // 100
	AddrCacheInactiveTTL    *time.Duration `yaml:"addrCacheInactiveTTLSecs" weft:"unit=s,min=1"`    // 600 s
}

// Mesh is the configuration of the interface io.l5d.mesh.
type Mesh struct {
	Interface              `yaml:",inline"`
	H2AccessLog            string             `yaml:"h2AccessLog"`
	H2AccessLogRollPolicy  *config.RollPolicy `yaml:"h2AccessLogRollPolicy"`  // never
	H2AccessLogAppend      *bool              `yaml:"h2AccessLogAppend"`      // true
	H2AccessLogRotateCount *int               `yaml:"h2AccessLogRotateCount"` // -1: all are kept
	H2AccessLogFormat      *string            `yaml:"h2AccessLogFormat" weft:"enum=text|json"`
}

// Addr implements config.Listener.
func (c Mesh) Addr() netip.AddrPort { return c.addr(4321) }

// Destination is the configuration of io.l5d.destination.
type Destination struct {
	Interface `yaml:",inline"`
	Prefix    *dtab.Path `yaml:"prefix"`    // /svc
	Namespace string     `yaml:"namespace"` // default
}

// Addr implements config.Listener.
func (c Destination) Addr() netip.AddrPort { return c.addr(8086) }

// Interfaces returns the declarations of the interfaces of a control plane.
func Interfaces() []config.Entry {
	role := config.RoleInterface
	return []config.Entry{
		config.Declare[HTTPController](role, "io.l5d.httpController", stable()),
		config.Declare[ThriftNameInterpreter](role, "io.l5d.thriftNameInterpreter", stable()),
		config.Declare[Mesh](role, "io.l5d.mesh", stable()),
		config.Declare[Destination](role, "io.l5d.destination", stable()),
	}
}

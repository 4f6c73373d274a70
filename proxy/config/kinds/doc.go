// Package kinds lists the kinds of plug-ins that Linkerd 1.7.5 knows, with the keys
// that each has, so that a whole configuration can be checked whether or not this
// version of weft implements everything in it.
//
// All returns them as declarations. Package proxy/standard puts the implemented ones
// beside them, and those take the place of the declarations. The structs here may
// serve as the configuration of an implementation, or the implementation may have
// its own.
//
// Zero values mean the defaults given in the comments; keys for which zero has
// another meaning than being absent are pointers.
package kinds

import (
	"slices"

	"github.com/weft-mesh/weft/proxy/config"
)

// All returns the declaration of every kind of Linkerd 1.7.5.
func All() []config.Entry {
	return slices.Concat(
		Protocols(), Namers(), Interpreters(), Transformers(), Telemeters(), Announcers(),
		LoadBalancers(), FailureAccruals(), Backoffs(), Labelers(), Authorizers(),
		HTTPIdentifiers(), H2Identifiers(), HTTPClassifiers(), H2Classifiers(), Propagators(),
		Storages(), Interfaces(),
	)
}

// none is the configuration of kinds that have no keys.
type none = struct{}

func stable() config.Traits       { return config.Traits{} }
func experimental() config.Traits { return config.Traits{Experimental: true} }

// Protocols returns the declarations of the routers' protocols. Their keys are
// those of config.Router.
func Protocols() []config.Entry {
	role := config.RoleProtocol
	return []config.Entry{
		config.Declare[none](role, "http", stable()),
		config.Declare[none](role, "h2", stable()),
		config.Declare[none](role, "thrift", stable()),
		config.Declare[none](role, "mux", stable()),
		config.Declare[none](role, "thriftmux", experimental()),
	}
}

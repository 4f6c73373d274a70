package standard

import (
	"fmt"

	"github.com/weft-mesh/weft/propagation"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/config/kinds"
	"github.com/weft-mesh/weft/proxy/plugin"
)

// propagators are those of http and of h2, which are the same.
func propagators() []config.Entry {
	var all []config.Entry
	for _, role := range []config.Role{config.RoleHTTPPropagator, config.RoleH2Propagator} {
		all = append(all, propagator(role, "io.l5d.default", propagation.Propagator{}), propagator(role, "io.l5d.zipkin", propagation.Zipkin()))
	}
	return all
}

func propagator(role config.Role, kind string, usual propagation.Propagator) config.Entry {
	return config.Define(role, kind, func(c kinds.Propagator, _ plugin.Env) (propagation.Propagator, error) {
		p := usual
		for _, list := range []struct {
			names []string
			forms *propagation.Forms
		}{{c.Read, &p.Read}, {c.Write, &p.Write}} {
			if len(list.names) == 0 {
				continue
			}
			*list.forms = 0
			for _, name := range list.names {
				form, ok := propagation.ParseForm(name)
				if !ok {
					return p, fmt.Errorf("%s: %q is no form of trace headers: l5d, w3c, b3single and b3 are", kind, name)
				}
				*list.forms |= form
			}
		}
		return p, nil
	}, config.Traits{})
}

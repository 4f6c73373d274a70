package admin

import "github.com/weft-mesh/weft/proxy/config"

// SecurityOf returns what a configuration says.
func SecurityOf(s config.Security) Security {
	off := func(enabled *bool) bool { return enabled != nil && !*enabled }
	o := Security{NoUI: off(s.UIEnabled), NoControl: off(s.ControlEnabled), NoDiagnostics: off(s.DiagnosticsEnabled)}
	for _, e := range s.PathWhitelist {
		o.PathWhitelist = append(o.PathWhitelist, e.String())
	}
	for _, e := range s.PathBlacklist {
		o.PathBlacklist = append(o.PathBlacklist, e.String())
	}
	return o
}

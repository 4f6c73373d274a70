package namerd

import "github.com/weft-mesh/weft/telemetry"

// Export makes the gauges of what is followed, each as active, which somebody asks for,
// and inactive, which somebody asked for a moment ago (Options.Linger): names
// (bindingcache), ids (addrcache) and explanations (delegationcache), which are made for
// everybody who asks, and never inactive. All interfaces share them.
func (n *Namerd) Export(s *telemetry.Scope) {
	for name, counts := range map[string]func() (active, lingering int){
		"bindingcache": n.bindings.Counts, "addrcache": n.addrs.Counts,
		"delegationcache": func() (active, lingering int) { return int(n.explaining.Load()), 0 },
	} {
		s.Scope(name).Gauge("active", func() float64 { a, _ := counts(); return float64(a) })
		s.Scope(name).Gauge("inactive", func() float64 { _, i := counts(); return float64(i) })
	}
}

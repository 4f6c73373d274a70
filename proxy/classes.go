package proxy

import (
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/zk"
)

// classes are the utility namers, those under /$, that have something to close. They
// connect to nothing before a name of theirs comes up.
func (p *Proxy) classes() (map[string]naming.Namer, error) {
	o := zk.Options{Resolve: p.resolver.Resolve, Logger: p.opts.Logger}
	sets, err := zk.NewServersetClass(zk.Config{}, o)
	if err != nil {
		return nil, err
	}
	p.own(sets)
	leader, err := zk.NewLeaderClass(zk.Config{}, o)
	if err != nil {
		return nil, err
	}
	p.own(leader)
	p.discovery = append(p.discovery,
		Discovery{Name: "/$/inet", Kind: "inet", reporter: p.resolver},
		Discovery{Name: "/$/com.twitter.serverset", Kind: "com.twitter.serverset", reporter: sets},
		Discovery{Name: "/$/io.buoyant.namer.zk.leader", Kind: "io.buoyant.namer.zk.leader", reporter: leader})
	return map[string]naming.Namer{"com.twitter.serverset": sets, "io.buoyant.namer.zk.leader": leader}, nil
}

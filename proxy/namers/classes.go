package namers

import (
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/zk"
	"github.com/weft-mesh/weft/proxy/plugin"
)

// classes are the utility namers, those under /$, that have something to close. They
// connect to nothing before a name of theirs comes up.
func (s *Set) classes() (map[string]naming.Namer, error) {
	o := zk.Options{Resolve: s.resolver.Resolve, Logger: plugin.Named(s.opts.Logger, "zk")}
	sets, err := zk.NewServersetClass(zk.Config{}, o)
	if err != nil {
		return nil, err
	}
	s.own(sets)
	leader, err := zk.NewLeaderClass(zk.Config{}, o)
	if err != nil {
		return nil, err
	}
	s.own(leader)
	s.discovery = append(s.discovery,
		Discovery{Name: "/$/inet", Kind: "inet", reporter: s.resolver},
		Discovery{Name: "/$/com.twitter.serverset", Kind: "com.twitter.serverset", reporter: sets},
		Discovery{Name: "/$/io.buoyant.namer.zk.leader", Kind: "io.buoyant.namer.zk.leader", reporter: leader})
	return map[string]naming.Namer{"com.twitter.serverset": sets, "io.buoyant.namer.zk.leader": leader}, nil
}

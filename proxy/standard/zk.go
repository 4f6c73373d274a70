package standard

import (
	"log/slog"
	"net"
	"strconv"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/zk"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/config/kinds"
	"github.com/weft-mesh/weft/proxy/plugin"
	"github.com/weft-mesh/weft/proxy/tlsfiles"
)

func zkKinds() []config.Entry {
	t := config.Traits{}
	return []config.Entry{
		config.Define(config.RoleNamer, "io.l5d.serversets", func(c kinds.ServersetsNamer, e plugin.NamerEnv) (naming.Namer, error) {
			cfg, o, err := zkNamer(zkAddrs(c.ZkAddrs), c.ZkSession, e)
			if err != nil {
				return nil, err
			}
			return zk.NewServersets(cfg, o)
		}, t),
		config.Define(config.RoleNamer, "io.l5d.zkLeader", func(c kinds.ZkLeaderNamer, e plugin.NamerEnv) (naming.Namer, error) {
			var addrs []string
			for _, a := range c.ZkAddrs {
				addrs = append(addrs, net.JoinHostPort(a.Host, strconv.Itoa(a.Port)))
			}
			cfg, o, err := zkNamer(addrs, c.ZkSession, e)
			if err != nil {
				return nil, err
			}
			return zk.NewLeader(cfg, o)
		}, t),
		config.Define(config.RoleNamer, "io.l5d.curator", func(c kinds.CuratorNamer, e plugin.NamerEnv) (naming.Namer, error) {
			cfg, o, err := zkNamer(zkAddrs(c.ZkAddrs), c.ZkSession, e)
			if err != nil {
				return nil, err
			}
			return zk.NewCurator(zk.CuratorConfig{Config: cfg, BasePath: c.BasePath}, o)
		}, config.Traits{Experimental: true}),
		config.Define(config.RoleAnnouncer, "io.l5d.serversets", newServersetsAnnouncer, t),
	}
}

func newServersetsAnnouncer(c kinds.ServersetsAnnouncer, e plugin.AnnouncerEnv) (plugin.Announcer, error) {
	cfg, o, err := zkSession(zkAddrs(c.ZkAddrs), c.ZkSession, e.Prefix, e.Shared, e.Logger)
	if err != nil {
		return nil, err
	}
	a := zk.AnnouncerConfig{Config: cfg}
	if c.PathPrefix != nil {
		a.PathPrefix = *c.PathPrefix
	}
	return zk.NewAnnouncer(a, o)
}

func zkAddrs(list []kinds.ZkAddr) []string {
	var all []string
	for _, a := range list {
		port := 2181
		if a.Port != nil {
			port = *a.Port
		}
		all = append(all, net.JoinHostPort(a.Host, strconv.Itoa(port)))
	}
	return all
}

func zkNamer(addrs []string, s kinds.ZkSession, e plugin.NamerEnv) (zk.Config, zk.Options, error) {
	cfg, o, err := zkSession(addrs, s, e.Prefix, e.Shared, e.Logger)
	o.Resolve = zk.Resolve(e.Resolve)
	return cfg, o, err
}

// sessionsKey is the key of the sessions that all share.
type sessionsKey struct{}

func zkSession(addrs []string, s kinds.ZkSession, prefix dtab.Path, shared *plugin.Shared, logger *slog.Logger) (zk.Config, zk.Options, error) {
	tls, err := tlsfiles.ClientConfig(s.TLS)
	if err != nil {
		return zk.Config{}, zk.Options{}, err
	}
	sessions, err := plugin.Share(shared, sessionsKey{}, func() (*zk.Sessions, error) {
		return zk.NewSessions(zk.SessionsOptions{Logger: logger}), nil
	})
	return zk.Config{Addrs: addrs, SessionTimeout: or(s.SessionTimeout), Auth: s.Auth, TLS: tls, Prefix: prefix},
		zk.Options{Sessions: sessions, Logger: logger}, err
}

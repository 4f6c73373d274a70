package routetest

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/static"
	"github.com/weft-mesh/weft/proxy"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/plugin"
)

// testKind is the kind of the namers that know what the suite says.
const testKind = "io.weft.test"

type testNamer struct {
	Names map[string][]string `yaml:"names"`
}

// Kinds returns the kinds that Run needs beside those of the configuration.
func Kinds() []config.Entry {
	return []config.Entry{
		config.Define(config.RoleNamer, testKind, func(c testNamer, e plugin.NamerEnv) (naming.Namer, error) {
			return static.New(static.Config{Prefix: e.Prefix, Names: c.Names})
		}, config.Traits{}),
	}
}

// proxy makes the proxy that the suite asks, with the label of the router.
func (s *Suite) proxy(reg config.Registry) (*proxy.Proxy, string, error) {
	cfg, err := s.linker(reg)
	if err != nil {
		return nil, "", err
	}
	r, err := s.router(cfg)
	if err != nil {
		return nil, "", err
	}
	// What a router has beside the way to a name is not needed, and may be far away.
	r.Interpreter, r.Announcers = config.Part{}, nil
	for i := range r.Servers {
		r.Servers[i].Announce = nil
	}
	r.Dtab = s.Dtab.Concat(r.Dtab)
	cfg.Routers = []config.Router{*r}
	cfg.Telemetry = nil
	if cfg.Namers, err = s.namers(reg, cfg.Namers); err != nil {
		return nil, "", err
	}
	p, err := proxy.New(cfg, proxy.Options{})
	return p, r.Name(), err
}

// linker is the configuration that the suite names, or that of one http router.
func (s *Suite) linker(reg config.Registry) (*config.Linker, error) {
	// Files of certificates, for one, are somewhere else where tests are run.
	opts := config.Options{Registry: reg, IgnoreFiles: true, AllowNotBuilt: true}
	if s.Config == "" {
		return config.Load(s.file, []byte("routers: [{protocol: http, servers: [{port: 0}]}]"), opts)
	}
	file := s.path(s.Config)
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, s.problem("config", err.Error())
	}
	return config.Load(file, data, opts)
}

func (s *Suite) router(cfg *config.Linker) (*config.Router, error) {
	var labels []string
	for i := range cfg.Routers {
		r := &cfg.Routers[i]
		if r.Name() == s.Router || s.Router == "" && len(cfg.Routers) == 1 {
			return r, nil
		}
		labels = append(labels, r.Name())
	}
	if s.Router == "" {
		return nil, s.problem("config", "say which of its routers is tested: router: "+strings.Join(labels, ", or "))
	}
	return nil, s.problem("router", fmt.Sprintf("no router of %s is labelled %q; there are %s", s.Config, s.Router, strings.Join(labels, ", ")))
}

// namers puts what the suite knows in the place of the configured namers.
func (s *Suite) namers(reg config.Registry, configured []config.Part) ([]config.Part, error) {
	var prefixes []dtab.Path
	for _, c := range configured {
		prefixes = append(prefixes, c.Prefix)
	}
	for text := range s.Endpoints {
		p, err := dtab.ParsePath(text)
		if err != nil {
			return nil, err
		}
		if p = p.Drop(1); slices.Contains(prefixes, p) {
			continue
		}
		if s.Config != "" {
			return nil, s.problem("endpoints", fmt.Sprintf("no namer of %s has the prefix %s; there are %s", s.Config, text, hashed(prefixes)))
		}
		prefixes = append(prefixes, p)
	}
	var all []config.Part
	for _, p := range prefixes {
		part, err := reg.Part(config.RoleNamer, testKind, testNamer{Names: s.Endpoints["/#"+p.String()]})
		if err != nil {
			return nil, err
		}
		part.Prefix = p
		all = append(all, part)
	}
	return all, nil
}

func hashed(prefixes []dtab.Path) string {
	var all []string
	for _, p := range prefixes {
		all = append(all, "/#"+p.String())
	}
	if all == nil {
		return "none"
	}
	return strings.Join(all, ", ")
}

func (s *Suite) problem(path, message string) error {
	p := config.Problem{File: s.file, Path: path, Message: message}
	p.Line, p.Column = s.doc.At(path)
	return config.Problems{p}
}

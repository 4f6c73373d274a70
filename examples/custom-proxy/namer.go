package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/plugin"
)

// jsonConfig is the keys that the namer has in a configuration. The weft tags are the
// rules that `config.Load` checks, with the line of what breaks them.
type jsonConfig struct {
	File string        `yaml:"file"           weft:"required,file"`
	Poll time.Duration `yaml:"pollIntervalMs" weft:"unit=ms,min=1"` // 1 s
}

// jsonKind joins the kind's name, its keys and what builds it.
func jsonKind() config.Entry {
	return config.Define(config.RoleNamer, "com.example.json", newNamer, config.Traits{})
}

// newNamer makes names of the watcher below, as a Catalog does: /users/v1 is the
// endpoints of users, and /v1 is left over. There is one Watch per service, however
// many routers ask, and the proxy closes the namer.
func newNamer(c jsonConfig, env plugin.NamerEnv) (naming.Namer, error) {
	if c.Poll == 0 {
		c.Poll = time.Second
	}
	return naming.NewCatalog(env.Prefix, jsonFile(c), naming.SharedOptions{Logger: env.Logger}), nil
}

// jsonFile is the plug-in proper, a naming.Watcher: it blocks, and tells set whatever
// it finds out about one service until ctx ends. What it returns an error for is tried
// again with back-off, and the last good endpoints stay in force meanwhile: no code
// here.
type jsonFile jsonConfig

func (f jsonFile) Watch(ctx context.Context, service string, set func(naming.State[weft.EndpointSet])) error {
	tick := time.NewTicker(f.Poll)
	defer tick.Stop()
	var last []byte
	for {
		data, err := os.ReadFile(f.File)
		if err != nil {
			return err
		}
		if last == nil || !bytes.Equal(data, last) {
			var services map[string][]string // {"users": ["10.0.0.1:80", "10.0.0.2:80"]}
			if err := json.Unmarshal(data, &services); err != nil {
				return err
			}
			addrs, found := services[service]
			es := weft.EndpointSet{Neg: !found} // no such service, which is not the same as one without endpoints
			for _, a := range addrs {
				es.Endpoints = append(es.Endpoints, weft.Endpoint{Addr: a})
			}
			set(naming.Ok(es))
			last = data
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

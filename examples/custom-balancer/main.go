// Command custom-balancer balances with a policy of one's own, which prefers the
// endpoints in its own zone (see zone.go): first in a program that links the mesh, then
// as a kind in the configuration of a proxy.
//
//	go run ./examples/custom-balancer
//
// It starts two endpoints of users, near in zone a and far in zone b, and prints:
//
//	in process, one after the other: 10 near, 0 far
//	in process, 9 at once: 6 near, 3 far
//	proxy, one after the other: 10 near, 0 far
//	proxy, 9 at once: 6 near, 3 far
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/balancer"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/static"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/plugin"
	"github.com/weft-mesh/weft/proxy/standard"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

const configuration = `
namers:
- kind: com.example.zones
routers:
- protocol: http
  dtab: /svc => /#/com.example.zones
  client:
    loadBalancer:
      kind: com.example.zoneFirst
      zone: a
  servers:
  - port: 0
admin:
  port: 0
`

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	s := newServices()
	defer s.close()
	namer, err := static.New(static.Config{Prefix: dtab.MustPath("/#/com.example.zones")})
	if err != nil {
		return err
	}
	err = namer.SetState("users", naming.Ok(weft.EndpointSet{Endpoints: []weft.Endpoint{
		{Addr: s.near.Listener.Addr().String(), Meta: map[string]string{"zone": "a"}},
		{Addr: s.far.Listener.Addr().String(), Meta: map[string]string{"zone": "b"}},
	}}))
	if err != nil {
		return err
	}
	return errors.Join(inProcess(ctx, out, s, namer), inProxy(ctx, out, s, namer))
}

// inProcess gives the policy to the clients of a mesh.
func inProcess(ctx context.Context, out io.Writer, s *services, namer *static.Namer) error {
	names := naming.NewInterpreter(naming.Options{
		Namers: naming.Under(namer),
		Base:   dtab.MustParse("/svc => /#/com.example.zones"),
	})
	defer names.Close() //nolint:errcheck // the program ends
	mesh, err := meshhttp.New(meshhttp.Options{Mesh: transport.Options{
		Interpreter: names,
		Client: func(dtab.Path) transport.ClientOptions {
			return transport.ClientOptions{Balancer: balancer.Options{Policy: zoneFirst{Zone: "a"}}}
		},
	}})
	if err != nil {
		return err
	}
	defer mesh.Close() //nolint:errcheck // the program ends
	return s.measure(ctx, out, "in process", &http.Client{Transport: mesh})
}

// inProxy gives it to a proxy by name.
func inProxy(ctx context.Context, out io.Writer, s *services, namer naming.Namer) error {
	zones := config.Define(config.RoleNamer, "com.example.zones",
		func(struct{}, plugin.NamerEnv) (naming.Namer, error) { return namer, nil }, config.Traits{})
	registry, err := standard.Registry(zones, zoneKind())
	if err != nil {
		return err
	}
	cfg, err := config.Load("built-in", []byte(configuration), config.Options{Registry: registry})
	if err != nil {
		return err
	}
	addr, stop, err := serve(cfg)
	if err != nil {
		return err
	}
	through := &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: addr})}
	err = s.measure(ctx, out, "proxy", &http.Client{Transport: through})
	through.CloseIdleConnections()
	return errors.Join(err, stop())
}

package config_test

import (
	"fmt"

	"github.com/weft-mesh/weft/proxy/config"
)

// A plug-in's package knows only its struct tags.
type countdownConfig struct {
	From int `yaml:"from" weft:"required,min=1,max=10"`
}

func Example() {
	countdown := func(c countdownConfig, name string) (string, error) {
		return fmt.Sprintf("%s counts down from %d", name, c.From), nil
	}
	registry, err := config.NewRegistry(
		config.Define(config.RoleNamer, "com.example.countdown", countdown, config.Traits{}),
		config.Define(config.RoleProtocol, "http", func(struct{}, string) (string, error) { return "", nil }, config.Traits{}),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	const text = `namers:
- kind: com.example.countdown
  from: 10
routers:
- protocol: http
  dtab: /svc => /#/com.example.countdown ;
  servers:
  - port: 4140
`
	l, err := config.Load("weft.yaml", []byte(text), config.Options{Registry: registry})
	if err != nil {
		fmt.Println(err)
		return
	}
	made, err := config.Build[string](l.Namers[0], "alice")
	fmt.Println(made, err)
	fmt.Println(l.Routers[0].Name(), l.Routers[0].Addr(0), l.Routers[0].Dtab)

	_, err = config.Load("bad.yaml", []byte("namers:\n- kind: com.example.countdwn\nrouters:\n- protocol: http\n  servers: [{prt: 1}]\n"), config.Options{Registry: registry})
	fmt.Println(err)
	// Output:
	// alice counts down from 10 <nil>
	// http 127.0.0.1:4140 /svc=>/#/com.example.countdown
	// bad.yaml:2:9: namers[0].kind: unknown namer kind "com.example.countdwn" (did you mean "com.example.countdown"?); known are com.example.countdown
	// bad.yaml:5:14: routers[0].servers[0].prt: Unrecognized field "prt" (did you mean "port"?); known keys are addForwardedHeader, announce, clearContext, http2, ip, label, maxCallDepth, maxConcurrentRequests, port, serverSession, socketOptions, timeoutMs, timestampHeader, tls
}

// Package proxy makes a running proxy of a configuration: namers, interpreters,
// routers with their listeners, and the admin server. It knows kinds only through
// the registry that the configuration was loaded with; package standard has the
// built-in ones, and a program that wants others makes its own:
//
//	reg, err := standard.Registry(config.Define(config.RoleNamer, "my.namer", …))
//	cfg, err := config.Load(file, data, config.Options{Registry: reg})
//	p, err := proxy.New(cfg, proxy.Options{})
//	err = p.Run(ctx)
package proxy

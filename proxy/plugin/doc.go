// Package plugin is what the proxy and its plug-ins know of each other: what a
// plug-in of each role is made from (the Env types) and what it makes.
//
// Package config reads a plug-in's own keys into its own struct; a constructor
// joins that struct with the Env of the role:
//
//	config.Define(config.RoleNamer, "my.namer",
//		func(c MyConfig, env plugin.NamerEnv) (naming.Namer, error) { … }, config.Traits{})
//
// What is made may also implement io.Closer; it is closed when the proxy ends.
package plugin

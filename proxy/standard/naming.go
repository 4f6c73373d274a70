package standard

import (
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/fs"
	"github.com/weft-mesh/weft/naming/rewrite"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/config/kinds"
	"github.com/weft-mesh/weft/proxy/plugin"
)

func namers() []config.Entry {
	return []config.Entry{
		config.Define(config.RoleNamer, "io.l5d.fs", func(c kinds.FSNamer, e plugin.NamerEnv) (naming.Namer, error) {
			return fs.New(fs.Config{RootDir: c.RootDir, Prefix: e.Prefix}, fs.Options{Resolve: fs.Resolve(e.Resolve), Logger: e.Logger})
		}, config.Traits{}),
		config.Define(config.RoleNamer, "io.l5d.rewrite", func(c kinds.RewriteNamer, _ plugin.NamerEnv) (naming.Namer, error) {
			return rewrite.New(rewrite.Config{Pattern: c.Pattern, Name: c.Name})
		}, config.Traits{PrefixRequired: true}),
	}
}

func interpreters() []config.Entry {
	return []config.Entry{
		config.Define(config.RoleInterpreter, "default", func(_ none, e plugin.InterpreterEnv) (naming.Interpreter, error) {
			return naming.NewInterpreter(naming.Options{Namers: e.Namers, Global: e.Global, Base: e.Base}), nil
		}, config.Traits{}),
		config.Define(config.RoleInterpreter, "io.l5d.fs", newFSInterpreter, config.Traits{}),
		config.Define(config.RoleInterpreter, "io.l5d.k8s.configMap", newConfigMapInterpreter, config.Traits{Experimental: true}),
	}
}

func newFSInterpreter(c kinds.FSInterpreter, e plugin.InterpreterEnv) (naming.Interpreter, error) {
	file, err := fs.NewDtabFile(c.DtabFile, fs.Options{Logger: e.Logger})
	if err != nil {
		return nil, err
	}
	return newStored("io.l5d.fs", file, e), nil
}

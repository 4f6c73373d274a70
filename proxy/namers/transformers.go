package namers

import (
	"errors"
	"io"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming/transformer"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/plugin"
)

// Transformers makes those of a namer or an interpreter, which closes them.
func (s *Set) Transformers(part config.Part) ([]transformer.Transformer, error) {
	root := dtab.MustPath("/%")
	var all []transformer.Transformer
	for _, t := range part.Transformers {
		env := plugin.TransformerEnv{
			Binder: s.binder, Resolve: s.resolver.Resolve, Shared: &s.shared, Logger: plugin.Named(s.opts.Logger, t.Kind),
		}
		if !t.DefaultPrefix {
			env.Prefix = root.Concat(t.Prefix)
		}
		made, err := config.Build[transformer.Transformer](t, env)
		if err != nil {
			for _, m := range all {
				err = errors.Join(err, closeIt(m))
			}
			return nil, err
		}
		all = append(all, made)
	}
	return all, nil
}

func closeIt(v any) error {
	if c, ok := v.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

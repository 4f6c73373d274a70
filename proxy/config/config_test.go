package config_test

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming/match"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/config/kinds"
)

// declared returns options that know every kind of Linkerd and build none, with the
// protocol http built.
func declared(t testing.TB) config.Options {
	t.Helper()
	http := config.Define(config.RoleProtocol, "http", func(struct{}, struct{}) (string, error) { return "http", nil }, config.Traits{})
	r, err := config.NewRegistry(append(kinds.All(), http)...)
	require.NoError(t, err)
	return config.Options{Registry: r, IgnoreFiles: true}
}

// lenient accepts kinds that are only declared.
func lenient(t testing.TB) config.Options {
	t.Helper()
	opts := declared(t)
	opts.AllowNotBuilt = true
	return opts
}

// problems loads a document that must have problems and returns them.
func problems(t testing.TB, doc string, opts config.Options) []string {
	t.Helper()
	_, err := config.Load("l5d.yaml", []byte(doc), opts)
	require.Error(t, err)
	var ps config.Problems
	require.ErrorAs(t, err, &ps)
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return lines
}

func load(t testing.TB, doc string) *config.Linker {
	t.Helper()
	l, err := config.Load("l5d.yaml", []byte(doc), lenient(t))
	require.NoError(t, err)
	return l
}

// diff tells two configurations apart, apart from where in a document they stood.
func diff(a, b *config.Linker) string {
	return cmp.Diff(a, b,
		cmpopts.IgnoreUnexported(config.Linker{}, config.Router{}, config.Part{}),
		cmpopts.IgnoreFields(config.Linker{}, "Warnings"),
		cmp.Comparer(func(x, y dtab.Path) bool { return x == y }),
		cmp.Comparer(func(x, y dtab.Dtab) bool { return x.String() == y.String() }),
		cmp.Comparer(func(x, y netip.Addr) bool { return x == y }),
		cmp.Comparer(func(x, y *match.Matcher) bool { return x.String() == y.String() }),
		cmp.Comparer(func(x, y config.PathRegexp) bool { return x.String() == y.String() }),
	)
}

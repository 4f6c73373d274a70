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
func declared(tb testing.TB) config.Options {
	tb.Helper()
	http := config.Define(config.RoleProtocol, "http", func(struct{}, struct{}) (string, error) { return "http", nil }, config.Traits{})
	r, err := config.NewRegistry(append(kinds.All(), http)...)
	require.NoError(tb, err)
	return config.Options{Registry: r, IgnoreFiles: true}
}

// lenient accepts kinds that are only declared.
func lenient(tb testing.TB) config.Options {
	tb.Helper()
	opts := declared(tb)
	opts.AllowNotBuilt = true
	return opts
}

// problems loads a document that must have problems and returns them.
func problems(tb testing.TB, doc string, opts config.Options) []string {
	tb.Helper()
	_, err := config.Load("l5d.yaml", []byte(doc), opts)
	require.Error(tb, err)
	var ps config.Problems
	require.ErrorAs(tb, err, &ps)
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return lines
}

func load(tb testing.TB, doc string) *config.Linker {
	tb.Helper()
	l, err := config.Load("l5d.yaml", []byte(doc), lenient(tb))
	require.NoError(tb, err)
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

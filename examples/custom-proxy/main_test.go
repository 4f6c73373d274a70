package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/proxy/plugin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRun(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out, nil))
	assert.Equal(t, `users is one
the file changed: users is two
the file is broken: users is two
nobody: 502 Bad Gateway
`, out.String())
}

func TestMistakesInTheConfiguration(t *testing.T) {
	file := filepath.Join(t.TempDir(), "weft.yaml")
	require.NoError(t, os.WriteFile(file, []byte(example), 0o600))
	_, err := newProxy(file)
	require.ErrorContains(t, err, "weft.yaml:4:9: namers[0].file", "there is no services.json here")
}

// until is a writer that ends a context when it has been written to.
type until struct {
	bytes.Buffer
	end func()
}

func (w *until) Write(p []byte) (int, error) {
	defer w.end()
	return w.Buffer.Write(p)
}

func TestServesAFile(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("weft.yaml", []byte(example), 0o600))
	require.NoError(t, os.WriteFile("services.json", []byte("{}"), 0o600))
	ctx, cancel := context.WithCancel(t.Context())
	out := until{end: cancel}
	require.NoError(t, run(ctx, &out, []string{"weft.yaml"}))
	assert.Regexp(t, `^serving map\[http:\[127\.0\.0\.1:\d+\]\], admin on 127\.0\.0\.1:\d+\n$`, out.String())
}

func TestNamesThatDoNotExistAreFailedOver(t *testing.T) {
	file := filepath.Join(t.TempDir(), "services.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"users": ["10.0.0.1:80"], "asleep": []}`), 0o600))
	prefix := dtab.MustPath("/#/json")
	namer, err := newNamer(jsonConfig{File: file}, plugin.NamerEnv{Prefix: prefix})
	require.NoError(t, err)
	defer namer.(*naming.Catalog).Close()
	names := naming.NewInterpreter(naming.Options{
		Namers: naming.Namers{{Prefix: prefix, Namer: namer}},
		Base:   dtab.MustParse("/a => /#/json/nobody | /#/json/users ; /b => /#/json/asleep | /#/json/users"),
	})
	defer names.Close()
	for name, want := range map[string]string{"/a/v1": "/#/json/users", "/b": "/#/json/asleep"} {
		known := func(s naming.State[dtab.Tree[*naming.Bound]]) bool { return s.Known }
		s, err := weft.Until(t.Context(), names.Bind(t.Context(), nil, dtab.MustPath(name)), known)
		require.NoError(t, err)
		assert.Equal(t, want, s.Value.Value.ID.String())
	}
}

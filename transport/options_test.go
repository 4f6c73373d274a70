package transport_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/transport"
)

func TestErrorsShowTheDtabOfTheInterpreter(t *testing.T) {
	in := naming.NewInterpreter(naming.Options{Base: dtab.MustParse("/svc => /nowhere")})
	for _, tt := range []struct{ base, want string }{
		{"", "base dtab:\n  /svc => /nowhere\n"},
		{"/a => /b", "base dtab:\n  /a => /b\n"},
	} {
		r, err := transport.NewRouter(transport.Options{Interpreter: in, Base: dtab.MustParse(tt.base)})
		require.NoError(t, err)
		d := r.Dest(dtab.MustPath("/svc/web"), nil)
		_, err = d.Route(t.Context())
		d.Release()
		require.ErrorIs(t, err, transport.ErrNoHosts)
		assert.Contains(t, err.Error(), tt.want)
		require.NoError(t, r.Close())
	}
	require.NoError(t, in.Close())
}

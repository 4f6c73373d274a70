package origin_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/origin"
)

func TestPatternsAreTold(t *testing.T) {
	p := origin.Pattern{Seed: 3, Size: 3 << 20}
	whole := p.Bytes()
	require.Len(t, whole, 3<<20)
	n, err := p.Check(bytes.NewReader(whole))
	require.NoError(t, err)
	assert.Equal(t, p.Size, n)
	read, err := io.ReadAll(p.Reader())
	require.NoError(t, err)
	assert.True(t, bytes.Equal(whole, read))

	at := 2<<20 + 12345
	changed := bytes.Clone(whole)
	changed[at] ^= 1
	rows := map[string][]byte{
		"changed": changed,
		"lost":    append(bytes.Clone(whole[:at]), whole[at+64<<10:]...),
		"doubled": append(bytes.Clone(whole[:at]), whole[at-16384:]...),
		"more":    append(bytes.Clone(whole), 1),
		"another": origin.Pattern{Seed: 4, Size: p.Size}.Bytes(),
	}
	for name, b := range rows {
		_, err := p.Check(bytes.NewReader(b))
		assert.ErrorIs(t, err, origin.ErrWrongBytes, name)
	}
	n, err = p.Check(bytes.NewReader(whole[:at]))
	require.ErrorIs(t, err, origin.ErrTruncated)
	assert.Equal(t, int64(at), n)
}

func TestEveryProtocol(t *testing.T) {
	s := origin.Serve(t, nil, nil)
	for protocol, proto := range map[string]string{"h1": "HTTP/1.1", "h2c": "HTTP/2.0"} {
		c := origin.Client(t, protocol, s.Addr)
		resp, err := c.Post("http://any.where/check?seed=9&size=300000", "", origin.Pattern{Seed: 9, Size: 300000}.Reader())
		require.NoError(t, err)
		text, _ := io.ReadAll(resp.Body)
		assert.Equal(t, proto, resp.Proto)
		assert.Equal(t, 200, resp.StatusCode, string(text))

		resp, err = c.Post("http://any.where/check?seed=8&size=300000", "", origin.Pattern{Seed: 9, Size: 300000}.Reader())
		require.NoError(t, err)
		assert.Equal(t, http.StatusUnprocessableEntity, resp.StatusCode)

		for _, opts := range []string{"", "&chunk=1000", "&unsized=1"} {
			resp, err = c.Get(fmt.Sprintf("http://any.where/pattern?seed=7&size=%d%s", 1<<20, opts))
			require.NoError(t, err)
			_, err = origin.Pattern{Seed: 7, Size: 1 << 20}.Check(resp.Body)
			require.NoError(t, err)
		}
		c.CloseIdleConnections()
	}
	assert.GreaterOrEqual(t, s.Conns.Opened(), 2)
}

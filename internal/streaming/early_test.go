package streaming_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/child"
	"github.com/weft-mesh/weft/internal/origin"
)

func TestAnAnswerDuringAnUploadArrives(t *testing.T) {
	child.Heavy(t)
	for _, w := range ways(t) {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			_, client, _ := w.run(t, nil)
			for range 10 {
				p := origin.Pattern{Size: 20 << 20}
				req, err := http.NewRequest(http.MethodPost, url(w.scheme, "/refuse"), io.NopCloser(p.Reader()))
				require.NoError(t, err)
				req.ContentLength = p.Size
				resp, err := client.Do(req)
				require.NoError(t, err)
				text, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				assert.Equal(t, http.StatusRequestEntityTooLarge, resp.StatusCode)
				assert.Equal(t, "too much\n", string(text))
				// The connection, or another one, serves the next request.
				require.NoError(t, download(client, w.scheme, origin.Pattern{Size: 1000}, ""))
			}
		})
	}
}

package streaming_test

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/child"
	"github.com/weft-mesh/weft/internal/origin"
)

// TestHalfAnAnswerDoesNotLookWhole has the origin die in the middle of an answer
// whose length it did not announce.
func TestHalfAnAnswerDoesNotLookWhole(t *testing.T) {
	child.Heavy(t)
	for _, w := range ways(t) {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			half := origin.Pattern{Seed: 4, Size: 300_000}
			mux := http.NewServeMux()
			mux.Handle("/", origin.Handler())
			mux.HandleFunc("/half", func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(w, half.Reader())
				_ = http.NewResponseController(w).Flush()
				<-r.Context().Done()
			})
			_, client, o := w.run(t, mux)
			resp, err := client.Get(url(w.scheme, "/half"))
			require.NoError(t, err)
			defer resp.Body.Close()
			got := half.NewChecker()
			_, err = io.CopyN(got, resp.Body, half.Size)
			require.NoError(t, err)
			// With nothing on the way the connection ends (FIN) instead of being reset.
			time.Sleep(50 * time.Millisecond)
			o.Close()
			n, err := io.Copy(io.Discard, resp.Body)
			require.Error(t, err, "it seems to be whole")
			assert.Zero(t, n)
		})
	}
}

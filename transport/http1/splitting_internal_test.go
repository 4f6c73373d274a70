package http1

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/weft-mesh/weft/internal/attacks"
)

// TestResponseSplitting has every response that parsers could disagree about refused, or
// read in one way, after which the connection is not used again.
func TestResponseSplitting(t *testing.T) {
	t.Parallel()
	for _, a := range attacks.Responses() {
		t.Run(a.ID, func(t *testing.T) {
			t.Parallel()
			h, body, _, err := parsed(t, a.Send, a.Method)
			if a.Body == attacks.Refused {
				assert.Error(t, err, a.Source)
				return
			}
			assert.NoError(t, err, a.Source)
			assert.Equal(t, a.Body, body, a.Source)
			assert.Equal(t, a.Close, h.close, a.Source)
			if h.framing == chunked || h.bodiless() {
				assert.NotContains(t, h.header, "Content-Length", a.Source)
			}
			assert.NotContains(t, h.header, "Transfer-Encoding", a.Source)
			assert.LessOrEqual(t, len(h.header["Content-Length"]), 1, a.Source)
		})
	}
}

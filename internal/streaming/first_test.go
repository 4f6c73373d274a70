package streaming_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/weft-mesh/weft/internal/child"
	"github.com/weft-mesh/weft/internal/origin"
)

// TestTheFirstRequestMayBeAnUpload has bodies arrive while the connection to the
// endpoint is still being made.
func TestTheFirstRequestMayBeAnUpload(t *testing.T) {
	child.Heavy(t)
	for _, w := range ways(t) {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			w.router.Dtab, w.router.Label = "/svc => /$/inet/127.1", "router" // names are ports
			w.router.Client += ", requestAttemptTimeoutMs: 10000"
			weft := child.Run(t, child.Config(w.router))
			client := origin.Client(t, w.client, weft.Addr(t, "router"))
			for i := range 20 {
				o := origin.Serve(t, nil, nil)
				p := origin.Pattern{Seed: uint32(i), Size: 60_000 + 30_000*int64(i)}
				assert.NoError(t, uploadTo(client, w.scheme+"://"+o.Port, p, i%2 == 0), "%d bytes", p.Size)
			}
		})
	}
}

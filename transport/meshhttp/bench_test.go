package meshhttp_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkRoundTrip is a request over loopback: by a plain http.Transport, and
// through the mesh.
func BenchmarkRoundTrip(b *testing.B) {
	l := newLoad(b, 1)
	plain := &http.Transport{DisableCompression: true}
	defer plain.CloseIdleConnections()
	for _, c := range []struct {
		name string
		rt   http.RoundTripper
		url  string
	}{{"plain", plain, "http://" + l.servers[0].addr + "/"}, {"mesh", l.mesh, "http://web/"}} {
		b.Run(c.name, func(b *testing.B) {
			req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, c.url, http.NoBody)
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				resp, err := c.rt.RoundTrip(req)
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		})
	}
}

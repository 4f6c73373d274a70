package streaming_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/child"
	"github.com/weft-mesh/weft/internal/origin"
)

const (
	huge = 1 << 30
	// flat is how much more memory a proxy may need for it.
	flat = 64 << 20
)

// size is how much is moved: less where time matters.
func (w way) size() int64 {
	if w.name != "http" && w.name != "h2" && os.Getenv("WEFT_SOAK") == "" || testing.Short() {
		return huge / 8
	}
	return huge
}

func TestHugeBodiesStreamInFlatMemory(t *testing.T) {
	child.Heavy(t)
	for _, w := range ways(t) {
		t.Run(w.name, func(t *testing.T) {
			weft, client, _ := w.run(t, nil)
			p := origin.Pattern{Seed: 1, Size: 1 << 20}
			require.NoError(t, download(client, w.scheme, p, ""))
			require.NoError(t, upload(client, w.scheme, p, false))
			for name, move := range map[string]func(p origin.Pattern) error{
				"download": func(p origin.Pattern) error { return download(client, w.scheme, p, "") },
				"upload":   func(p origin.Pattern) error { return upload(client, w.scheme, p, true) },
			} {
				t.Run(name, func(t *testing.T) {
					grown, begin, cpu := memory(t, weft.Process), time.Now(), weft.CPU()
					require.NoError(t, move(origin.Pattern{Seed: 2, Size: w.size()}))
					more := grown()
					t.Logf("%d MB in %v, %v of the proxy's CPU, %d KB more memory", w.size()>>20, time.Since(begin).Round(time.Millisecond), weft.CPU()-cpu, more>>10)
					assert.Less(t, more, int64(flat))
				})
			}
			t.Run("unsized", func(t *testing.T) {
				p := origin.Pattern{Seed: 3, Size: 50 << 20}
				require.NoError(t, download(client, w.scheme, p, "&unsized=1"))
				require.NoError(t, upload(client, w.scheme, p, false))
			})
		})
	}
}

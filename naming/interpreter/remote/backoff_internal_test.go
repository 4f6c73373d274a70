package remote

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestBackoff(t *testing.T) {
	b := backoff{base: time.Second, limit: 10 * time.Second}
	for range 3 {
		for _, most := range []time.Duration{1, 2, 4, 8, 10, 10} {
			d := b.next()
			assert.LessOrEqual(t, d, most*time.Second)
			assert.GreaterOrEqual(t, d, most*time.Second/2)
		}
		b.reset()
	}
}

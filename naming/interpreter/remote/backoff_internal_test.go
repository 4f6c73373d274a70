package remote

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestBackoff(t *testing.T) {
	b := backoff{base: time.Second, limit: 10 * time.Second}
	for range 3 {
		for _, seconds := range []int{1, 2, 4, 8, 10, 10} {
			d, most := b.next(), time.Duration(seconds)*time.Second
			assert.LessOrEqual(t, d, most)
			assert.GreaterOrEqual(t, d, most/2)
		}
		b.reset()
	}
}

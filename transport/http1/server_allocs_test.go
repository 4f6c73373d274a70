package http1_test

import (
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/transport/http1"
)

// TestServerAllocations has a request of six fields cost one string, and one more to spare.
func TestServerAllocations(t *testing.T) {
	if http1.RaceEnabled {
		t.Skip("the race detector allocates")
	}
	at := onTCP(t, http1.NewServer(http1.ServerOptions{Handler: http.HandlerFunc(benchHandler), Recycle: true}))
	c, err := net.Dial("tcp", at)
	require.NoError(t, err)
	defer c.Close()
	request, buf := []byte(benchRequest), make([]byte, 4096)
	n := 0
	one := func() {
		c.Write(request)
		if n == 0 {
			n, _ = c.Read(buf)
			return
		}
		io.ReadFull(c, buf[:n])
	}
	assert.LessOrEqual(t, testing.AllocsPerRun(2000, one), 2.0)
}

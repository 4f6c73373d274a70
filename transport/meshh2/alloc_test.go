package meshh2_test

import (
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2/hpack"

	"github.com/weft-mesh/weft/transport/http2"
	"github.com/weft-mesh/weft/transport/meshh2"
)

// mostAllocations is how often a small call may allocate in the relay, both of its
// connections included.
const mostAllocations = 12

func TestRelayAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("allocations are counted without the race detector")
	}
	origin := originAddr(t)
	hello := []byte("\x00\x00\x00\x00\x05hello")
	for _, c := range []struct {
		name       string
		fields     []hpack.HeaderField
		body       []byte
		classifier meshh2.Classifier
	}{
		{"get", getFields, nil, meshh2.NonRetryable5XX{}},
		{"gRPC", postFields, hello, meshh2.GRPC{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			bare := allocations(t, origin, c.fields, c.body)
			relayed := allocations(t, relayAddr(t, origin, c.classifier), c.fields, c.body)
			t.Logf("%.1f, of which %.1f of the caller and the endpoint", relayed, bare)
			assert.LessOrEqual(t, relayed-bare, float64(mostAllocations))
		})
	}
}

// allocations returns how often a call allocates, at both ends and in between.
func allocations(t *testing.T, addr string, fields []hpack.HeaderField, body []byte) float64 {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	conn := http2.NewClientConn(nc, http2.Options{}, nil)
	served := make(chan struct{})
	go func() { _ = conn.Serve(); close(served) }()
	defer func() { _ = conn.Close(); <-served }()
	c := &call{ended: make(chan error, 1)}
	return testing.AllocsPerRun(500, func() {
		s, err := conn.Open(c, fields, body == nil)
		if err == nil && body != nil {
			_, err = s.SendData(body, true)
		}
		require.NoError(t, err)
		conn.Flush()
		require.NoError(t, <-c.ended)
	})
}

// call waits for a response.
type call struct{ ended chan error }

var _ http2.Receiver = (*call)(nil)

func (c *call) Head(_ *http2.Stream, _ []hpack.HeaderField, end bool) {
	if end {
		c.ended <- nil
	}
}

func (c *call) Data(s *http2.Stream, p []byte, end bool) {
	if s.Consume(len(p)); end {
		c.ended <- nil
	}
}
func (c *call) Trailer(*http2.Stream, []hpack.HeaderField) { c.ended <- nil }
func (c *call) Reset(_ *http2.Stream, err error)           { c.ended <- err }
func (c *call) Sent(*http2.Stream, int)                    {}

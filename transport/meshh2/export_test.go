package meshh2

import "github.com/weft-mesh/weft/transport/http2"

// FirstAttempt returns the receiver of the endpoint's stream that belongs to the
// receiver of a caller's, and that stream.
func FirstAttempt(r http2.Receiver) (http2.Receiver, *http2.Stream) {
	x := r.(*exchange) //nolint:forcetypeassert // every Handler's is one
	x.mu.Lock()
	defer x.mu.Unlock()
	return &x.first, x.first.out
}

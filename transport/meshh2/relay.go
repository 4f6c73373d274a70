package meshh2

import (
	"context"
	"sync"

	"golang.org/x/net/http2/hpack"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/propagation"
	"github.com/weft-mesh/weft/transport"
)

// Relay takes HTTP/2 requests that Handlers have received through the mesh to
// endpoints. A request is a state machine that the goroutines drive which read the
// two connections; only what must wait for the naming has a goroutine, for so long.
// It is safe for concurrent use.
type Relay struct {
	opts      Options
	router    *transport.Router
	heads     sync.Pool       // of *Head
	exchanges sync.Pool       // of *exchange
	noWait    context.Context //nolint:containedctx // one that has ended: what would wait for it says so

	mu      sync.Mutex
	closing bool
	parked  sync.WaitGroup // goroutines; they start under mu, so that none comes after the wait
}

// New returns a Relay with a router of its own. Close ends both.
func New(opts Options) (*Relay, error) {
	opts = opts.withDefaults()
	router, err := transport.NewRouter(opts.Mesh)
	if err != nil {
		return nil, err
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	return &Relay{opts: opts, router: router, noWait: ended}, nil
}

// Router returns the router under the relay.
func (r *Relay) Router() *transport.Router { return r.router }

// Close ends the router's bindings and clients and waits for the goroutines of
// both. Requests that wait for a binding fail; those that are on their way to an
// endpoint are not disturbed.
func (r *Relay) Close() error {
	err := r.router.Close()
	r.mu.Lock()
	r.closing = true
	r.mu.Unlock()
	r.parked.Wait()
	return err
}

// Identify returns the logical name of a request and the per-request dtab that its
// head carries, without sending it anywhere.
func (r *Relay) Identify(fields []hpack.HeaderField) (dtab.Path, dtab.Dtab, error) {
	var req Head
	req.Load(fields)
	local, err := propagation.TakeDtab(&req)
	if err != nil {
		return dtab.Path{}, nil, &weft.Error{Stage: weft.StageIdentify, Unsent: true, Err: err}
	}
	path, err := r.identify(&req)
	return path, local, err
}

// identify asks the identifier and dresses its error.
func (r *Relay) identify(req *Head) (dtab.Path, error) {
	path, err := r.opts.Identifier.Identify(req)
	if err != nil {
		return dtab.Path{}, &weft.Error{Stage: weft.StageIdentify, Unsent: true, Err: err}
	}
	return path, nil
}

// park runs f in a goroutine that Close waits for. After Close it does nothing and
// reports false.
func (r *Relay) park(f func()) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closing {
		return false
	}
	r.parked.Go(f)
	return true
}

// exchange returns one without anything in it.
func (r *Relay) exchange() *exchange {
	if x, ok := r.exchanges.Get().(*exchange); ok {
		return x
	}
	x := &exchange{}
	x.first.x = x
	return x
}

// head returns an empty Head with room in it, to be given back by free.
func (r *Relay) head() *Head {
	if h, ok := r.heads.Get().(*Head); ok {
		return h
	}
	return &Head{Fields: make([]hpack.HeaderField, 0, 24)}
}

// largestKept bounds the Heads that are kept for the next one to use.
const largestKept = 128

func (r *Relay) free(h *Head) {
	if h == nil || cap(h.Fields) > largestKept {
		return
	}
	clear(h.Fields) // the text in it may be large
	h.Fields, h.one[0] = h.Fields[:0], ""
	r.heads.Put(h)
}

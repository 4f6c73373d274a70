package httpapi

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"
)

// outlet is where an answer goes. A client that does not take what is written has it
// fail after a while.
type outlet struct {
	http.ResponseWriter
	control *http.ResponseController
	stalled time.Duration

	mu      sync.Mutex
	hurried bool
}

// hurry is how long the client has for what is being written when the Handler is
// closed.
const hurry = time.Second

func newOutlet(w http.ResponseWriter, stalled time.Duration) *outlet {
	return &outlet{ResponseWriter: w, control: http.NewResponseController(w), stalled: stalled}
}

// arm gives what is written from now on its time. Without a connection, as in tests,
// there is nothing to set.
func (o *outlet) arm() {
	o.mu.Lock()
	defer o.mu.Unlock()
	d := o.stalled
	if o.hurried {
		d = min(d, hurry)
	}
	_ = o.control.SetWriteDeadline(time.Now().Add(d))
}

// disarm is for the time in which nothing is written: in HTTP/2 a deadline ends a
// stream also then.
func (o *outlet) disarm() {
	o.mu.Lock()
	defer o.mu.Unlock()
	_ = o.control.SetWriteDeadline(time.Time{})
}

// hurryAfter shortens the time of what is being written when ctx ends. The result
// takes that back, and must be called.
func (o *outlet) hurryAfter(ctx context.Context) func() {
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		o.mu.Lock()
		o.hurried = true
		o.mu.Unlock()
		o.arm()
	})
	return func() {
		if !stop() {
			<-done
		}
	}
}

// answer sends a whole answer.
func (o *outlet) answer(status int, body string) {
	o.arm() // and stays so: the server sends the end of it when the handler has returned
	o.WriteHeader(status)
	if body != "" {
		_, _ = io.WriteString(o, body) // nobody is left to be told
	}
}

// send sends a part of an answer now.
func (o *outlet) send(part string) error {
	o.arm()
	defer o.disarm()
	if part != "" {
		if _, err := io.WriteString(o, part); err != nil {
			return err
		}
	}
	return o.control.Flush()
}

// WriteString implements io.StringWriter.
func (o *outlet) WriteString(s string) (int, error) { return io.WriteString(o.ResponseWriter, s) }

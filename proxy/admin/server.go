package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weft-mesh/weft/telemetry/prom"
)

// Server is the admin server: an http.Handler, and the listener that runs it. It
// is safe for concurrent use.
type Server struct {
	site    atomic.Pointer[site]
	start   time.Time
	cross   *http.CrossOriginProtection
	http    *http.Server
	closing chan struct{} // closed when Shutdown begins: what takes long ends
	once    sync.Once

	profiling sync.Mutex // held by the one that takes a profile over time
}

// site is what one set of Options is served as.
type site struct {
	opts   Options
	server *Server
	mux    *mux
	filter *filter
	pages  *pages

	scrapes prom.Memory
}

// New returns a server of what opts say. It has no goroutines until Serve.
func New(opts Options) (*Server, error) {
	s := &Server{
		start:   opts.withDefaults().Start,
		cross:   http.NewCrossOriginProtection(),
		closing: make(chan struct{}),
	}
	if err := s.Update(opts); err != nil {
		return nil, err
	}
	handler := s.site.Load().opts.Log.Handler()
	s.http = &http.Server{
		Handler: s,
		// There is no limit to the whole request: net/http would end the requests
		// whose answer takes longer than that. Bodies have their own limit.
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(handler, slog.LevelWarn),
	}
	return s, nil
}

// Update makes the server show what opts say, as after a reload of the
// configuration. Requests under way end as they began. After an error the server
// shows what it showed before.
func (s *Server) Update(opts Options) error {
	if opts.Start.IsZero() {
		opts.Start = s.start
	}
	opts = opts.withDefaults()
	if err := checkRouters(opts.Routers); err != nil {
		return err
	}
	p, err := newPages()
	if err != nil {
		return err
	}
	x := &site{opts: opts, server: s, mux: &mux{handlers: map[string]http.Handler{}}, pages: p}
	if err := x.register(); err != nil {
		return err
	}
	if x.filter, err = opts.Security.filter(x.mux); err != nil {
		return err
	}
	s.site.Store(x)
	return nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "+
		"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	if err := s.cross.Check(r); err != nil {
		writeText(w, http.StatusForbidden, "admin: "+err.Error())
		return
	}
	handler := s.site.Load().filter
	if r.Method == http.MethodHead {
		head := &headWriter{ResponseWriter: w}
		defer head.finish()
		w = head
	}
	handler.ServeHTTP(w, r)
}

// Serve answers requests on ln, which it closes, until Shutdown is called or ctx
// ends, and returns nil then. The end of ctx also ends the requests under way. It
// may be called for several listeners.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var ender sync.WaitGroup
	served := make(chan struct{})
	ender.Go(func() {
		select {
		case <-served:
		case <-ctx.Done():
			s.end()
		}
	})
	err := s.http.Serve(ln)
	_ = ln.Close() // net/http does so unless it was shut down before it began
	close(served)
	ender.Wait()
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("admin: serving %s: %w", ln.Addr(), err)
	}
	return nil
}

// Shutdown closes the listeners, lets the requests under way end, and waits for
// them or for the end of ctx, when it breaks their connections and returns the
// context's error. Profiles that are being taken end early.
func (s *Server) Shutdown(ctx context.Context) error {
	s.once.Do(func() { close(s.closing) })
	err := s.http.Shutdown(ctx)
	if err != nil {
		_ = s.http.Close() // what it cannot close is closed
	}
	return err
}

// end is Shutdown without patience.
func (s *Server) end() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = s.Shutdown(ctx)
}

package standard

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"google.golang.org/grpc"

	"github.com/weft-mesh/weft/namerd/daemon"
	"github.com/weft-mesh/weft/namerd/destination"
	"github.com/weft-mesh/weft/namerd/httpapi"
	"github.com/weft-mesh/weft/namerd/meshapi"
	"github.com/weft-mesh/weft/namerd/thriftapi"
	"github.com/weft-mesh/weft/proxy/accesslog"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/config/kinds"
	"github.com/weft-mesh/weft/proxy/tlsfiles"
)

func interfaces() []config.Entry {
	role, t := config.RoleInterface, config.Traits{}
	return []config.Entry{
		config.Define(role, "io.l5d.httpController", newHTTPController, t),
		config.Define(role, "io.l5d.mesh", newMeshInterface, t),
		config.Define(role, "io.l5d.thriftNameInterpreter", newThriftInterface, t),
		config.Define(role, "io.l5d.destination", newDestinationInterface, t),
	}
}

// serverTLS returns how an interface speaks TLS, nil if it does not.
func serverTLS(i kinds.Interface, protocols ...string) *tls.Config {
	if i.TLS == nil {
		return nil
	}
	return tlsfiles.Server(*i.TLS, protocols...)
}

func newHTTPController(c kinds.HTTPController, e daemon.InterfaceEnv) (daemon.Interface, error) {
	h := httpapi.New(e.Namerd, httpapi.Options{Logger: e.Logger})
	s := &http.Server{
		Handler: h,
		// Watches last: bodies and answers have limits of their own in the handler.
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(e.Logger.Handler(), slog.LevelDebug),
	}
	t := serverTLS(c.Interface)
	return daemon.Interface{
		SocketOptions: c.SocketOptions,
		Serve: func(ln net.Listener) error {
			if t != nil {
				ln = tls.NewListener(ln, t)
			}
			if err := s.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		},
		Shutdown: func(ctx context.Context) error {
			err := h.Shutdown(ctx)
			if late := s.Shutdown(ctx); late != nil {
				err = errors.Join(err, late, s.Close())
			}
			return err
		},
	}, nil
}

func newMeshInterface(c kinds.Mesh, e daemon.InterfaceEnv) (daemon.Interface, error) {
	o := meshapi.Options{TLS: serverTLS(c.Interface, "h2"), Logger: e.Logger}
	var access *accesslog.Log
	if c.H2AccessLog != "" {
		access = accesslog.New(c.H2AccessLog, accesslog.OptionsOf(c.H2AccessLogRollPolicy, c.H2AccessLogAppend, c.H2AccessLogRotateCount, c.H2AccessLogFormat))
		l := callLog{access}
		o.ServerOptions = []grpc.ServerOption{grpc.UnaryInterceptor(l.unary), grpc.StreamInterceptor(l.stream)}
	}
	s := meshapi.New(e.Namerd, o)
	i := daemon.Interface{SocketOptions: c.SocketOptions, Serve: s.Serve, Shutdown: s.Shutdown}
	if access != nil {
		i.Serve = func(ln net.Listener) error {
			if err := access.Open(); err != nil {
				return errors.Join(err, ln.Close())
			}
			return s.Serve(ln)
		}
		i.Shutdown = func(ctx context.Context) error { return errors.Join(s.Shutdown(ctx), access.Close()) }
		i.Reopen = access.Reopen
	}
	return i, nil
}

func newThriftInterface(c kinds.ThriftNameInterpreter, e daemon.InterfaceEnv) (daemon.Interface, error) {
	o := thriftapi.Options{TLS: serverTLS(c.Interface), Logger: e.Logger}
	if x := c.Cache; x != nil {
		o.Bindings = thriftCache(x.BindingCacheActive, x.BindingCacheInactive, x.BindingCacheInactiveTTL)
		o.Addrs = thriftCache(x.AddrCacheActive, x.AddrCacheInactive, x.AddrCacheInactiveTTL)
	}
	s := thriftapi.New(e.Namerd, o)
	return daemon.Interface{SocketOptions: c.SocketOptions, Serve: s.Serve, Shutdown: s.Shutdown}, nil
}

func thriftCache(active, inactive *int, ttl *time.Duration) thriftapi.CacheOptions {
	o := thriftapi.CacheOptions{Active: or(active), Inactive: or(inactive), TTL: or(ttl)}
	if inactive != nil && *inactive == 0 {
		o.Inactive = -1 // its way to say none
	}
	return o
}

func newDestinationInterface(c kinds.Destination, e daemon.InterfaceEnv) (daemon.Interface, error) {
	s := destination.New(e.Namerd, destination.Options{
		Prefix: or(c.Prefix), Namespace: c.Namespace, TLS: serverTLS(c.Interface, "h2"), Logger: e.Logger,
	})
	return daemon.Interface{SocketOptions: c.SocketOptions, Serve: s.Serve, Shutdown: s.Shutdown}, nil
}

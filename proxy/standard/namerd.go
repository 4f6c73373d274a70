package standard

import (
	"context"
	"crypto/tls"
	"errors"
	"io"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/interpreter/mesh"
	"github.com/weft-mesh/weft/naming/interpreter/namerd"
	"github.com/weft-mesh/weft/naming/interpreter/namerdhttp"
	"github.com/weft-mesh/weft/naming/interpreter/remote"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/config/kinds"
	"github.com/weft-mesh/weft/proxy/plugin"
	"github.com/weft-mesh/weft/proxy/tlsfiles"
)

func namerdInterpreters() []config.Entry {
	role := config.RoleInterpreter
	return []config.Entry{
		config.Define(role, "io.l5d.mesh", newMesh, config.Traits{}),
		config.Define(role, "io.l5d.namerd", newNamerd, config.Traits{}),
		config.Define(role, "io.l5d.namerd.http", newNamerdHTTP, config.Traits{Experimental: true}),
	}
}

func newMesh(c kinds.NamerdMesh, e plugin.InterpreterEnv) (naming.Interpreter, error) {
	t, err := tlsfiles.ClientConfig(c.TLS)
	if err != nil {
		return nil, err
	}
	cfg := mesh.Config{TLS: t}
	if c.Root != nil {
		cfg.Root = *c.Root
	}
	if c.Retry != nil {
		cfg.RetryBase, cfg.RetryMax = or(c.Retry.Base), or(c.Retry.Max)
	}
	if f := c.FailureThreshold; f != nil {
		cfg.MinPeriod, cfg.CloseTimeout = or(f.MinPeriod), or(f.CloseTimeout)
	}
	if c.InitialStreamWindowSizeKB != nil {
		cfg.InitialStreamWindowSizeKB = *c.InitialStreamWindowSizeKB
	}
	return newRemote(c.Namerd, e, "io.l5d.mesh", func(o remote.Options) (remoteInterpreter, error) { return mesh.New(cfg, o) })
}

func newNamerd(c kinds.NamerdThrift, e plugin.InterpreterEnv) (naming.Interpreter, error) {
	t, err := namerdTLS(c.TLS)
	if err != nil {
		return nil, err
	}
	cfg := namerd.Config{Namespace: c.Namespace, TLS: t}
	if c.Retry != nil {
		cfg.RetryBase, cfg.RetryMax = or(c.Retry.Base), or(c.Retry.Max)
	}
	if f := c.FailureThreshold; f != nil {
		cfg.MinPeriod, cfg.CloseTimeout = or(f.MinPeriod), or(f.CloseTimeout)
	}
	return newRemote(c.Namerd, e, "io.buoyant.namerd.iface.NamerdInterpreterConfig", func(o remote.Options) (remoteInterpreter, error) { return namerd.New(cfg, o) })
}

// namerdTLS reads the block of io.l5d.namerd, which has keys of its own.
func namerdTLS(c *kinds.NamerdTLS) (*tls.Config, error) {
	if c == nil {
		return nil, nil //nolint:nilnil // nil is plain text
	}
	client := &config.ClientTLS{CommonName: &c.CommonName, ClientAuth: c.ClientAuth}
	if c.CACert != "" {
		client.TrustCertsBundle = &c.CACert
	}
	return tlsfiles.ClientConfig(client)
}

func newNamerdHTTP(c kinds.NamerdHTTP, e plugin.InterpreterEnv) (naming.Interpreter, error) {
	t, err := tlsfiles.ClientConfig(c.TLS)
	if err != nil {
		return nil, err
	}
	cfg := namerdhttp.Config{Namespace: c.Namespace, TLS: t}
	if c.Retry != nil {
		cfg.RetryBase, cfg.RetryMax = or(c.Retry.Base), or(c.Retry.Max)
	}
	return newRemote(c.Namerd, e, "io.l5d.namerd.http", func(o remote.Options) (remoteInterpreter, error) { return namerdhttp.New(cfg, o) })
}

// remoteInterpreter is what asks a namerd.
type remoteInterpreter interface {
	naming.Interpreter
	naming.Delegator
	plugin.StatePage
	io.Closer
}

// viaNamerd is an interpreter that asks a namerd, with the router's dtab sent along.
type viaNamerd struct {
	remoteInterpreter
	base dtab.Dtab
	dst  *dstEndpoints
}

// newRemote makes an interpreter that finds namerd at what its dsts are bound to. Its
// metrics are below the scope.
func newRemote(c kinds.Namerd, e plugin.InterpreterEnv, scope string, build func(remote.Options) (remoteInterpreter, error)) (naming.Interpreter, error) {
	dsts := c.Dsts
	if c.Dst != nil {
		dsts = append([]dtab.Path{*c.Dst}, dsts...)
	}
	v := &viaNamerd{base: e.Base, dst: newDestination(e.Binder, e.Logger, dsts...)}
	var err error
	v.remoteInterpreter, err = build(remote.Options{
		Endpoints: v.dst.Endpoints, Metrics: e.Metrics.Scope(scope), Logger: e.Logger,
		Cache: remote.CacheOptions{Dir: c.CacheDir, Name: e.Router, Rules: e.Base},
	})
	if err != nil {
		return nil, errors.Join(err, v.dst.Close())
	}
	return v, nil
}

// Bind implements naming.Interpreter.
func (v *viaNamerd) Bind(ctx context.Context, local dtab.Dtab, p dtab.Path) weft.Source[naming.State[dtab.Tree[*naming.Bound]]] {
	return v.remoteInterpreter.Bind(ctx, v.base.Concat(local), p)
}

// Delegate implements naming.Delegator.
func (v *viaNamerd) Delegate(ctx context.Context, local dtab.Dtab, p dtab.Path) (naming.Delegation, error) {
	return v.remoteInterpreter.Delegate(ctx, v.base.Concat(local), p)
}

// Bare implements plugin.Bare.
func (v *viaNamerd) Bare() naming.Delegator { return v.remoteInterpreter }

// Watches implements naming.Reporter: where namerd is, then what it was asked.
func (v *viaNamerd) Watches() []naming.WatchStatus {
	return append(v.dst.shared.Watches(), v.remoteInterpreter.Watches()...)
}

// Close ends the interpreter, then the watch of where namerd is.
func (v *viaNamerd) Close() error { return errors.Join(v.remoteInterpreter.Close(), v.dst.Close()) }

package plugin

import (
	"context"
	"crypto/tls"
	"log/slog"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/tap"
	"github.com/weft-mesh/weft/telemetry"
)

// Resolve resolves host:port to endpoints that are kept up to date until ctx ends.
type Resolve func(ctx context.Context, host, port string) weft.Source[naming.State[weft.EndpointSet]]

// NamerEnv is what a namer is made from. It makes a naming.Namer.
type NamerEnv struct {
	// Prefix is the whole prefix of its names, with /#.
	Prefix dtab.Path
	// Resolve resolves host names.
	Resolve Resolve
	// Binder binds the paths of the configured namers and of /$, without a dtab, once
	// all namers are made.
	Binder naming.Interpreter
	// Shared holds what it has in common with other plug-ins.
	Shared  *Shared
	Metrics *telemetry.Scope
	Logger  *slog.Logger
}

// Lister is implemented by namers that can enumerate their names, for
// /bound-names.json.
type Lister interface {
	Names() ([]dtab.Path, error)
}

// Stater is implemented by namers that have a state page, /namer_state/<prefix>.json.
type Stater interface {
	// State returns what the page shows as JSON.
	State() any
}

// DtabHolder is implemented by interpreters that have a dtab of their own, such as
// the content of a file.
type DtabHolder interface {
	// Stored returns the dtab in force.
	Stored() dtab.Dtab
}

// StatePage is implemented by interpreters that have a page of what they hold and
// watch, /<router>/interpreter_state/<key>.json.
type StatePage interface {
	DtabHolder
	naming.Reporter
	// StateKey returns the key, such as io.l5d.mesh/default.
	StateKey() string
}

// Bare is implemented by interpreters that can explain names as if the router had
// no dtab, for questions that bring it along. For others, the proxy makes a second
// interpreter, without a Base: those who follow something far away should not be two.
type Bare interface {
	// Bare returns the interpreter without its Base. It lives as long as the
	// interpreter. Nil means that it cannot explain names.
	Bare() naming.Delegator
}

// InterpreterEnv is what an interpreter is made from. It makes a
// naming.Interpreter, which may be a naming.Delegator too.
type InterpreterEnv struct {
	// Router is the label of the router.
	Router string
	// Base is the router's dtab.
	Base dtab.Dtab
	// Namers are the configured namers, in the order of the configuration.
	Namers naming.Namers
	// Global answers for /$/….
	Global  naming.Namer
	Resolve Resolve
	// Binder binds the paths of the configured namers and of /$, without a dtab: those
	// that say where a namerd is.
	Binder  naming.Interpreter
	Shared  *Shared
	Metrics *telemetry.Scope
	Logger  *slog.Logger
}

// IdentifierEnv is what an identifier is made from. That of an http router makes a
// meshhttp.Identifier, that of an h2 router a meshh2.Identifier.
type IdentifierEnv struct {
	// Prefix is the router's dstPrefix.
	Prefix dtab.Path
	// Label is the router's.
	Label string
	// BindingTimeout is how long a request may wait for its name. Zero is 10 s.
	BindingTimeout time.Duration
	// Report shows what the identifier watches. Nil does not.
	Report func(kind string, r naming.Reporter)
	Shared *Shared
	Logger *slog.Logger
}

// Certificates is implemented by identifiers that know certificates for the hosts of
// the names they find.
type Certificates interface {
	// Certificate returns what chooses the certificate for a client. It returns nil for
	// clients that it knows none for; the server's own is shown to those.
	Certificate() func(*tls.ClientHelloInfo) (*tls.Certificate, error)
}

// LabelerEnv is what a labeler of Forwarded headers is made from. It makes a
// meshhttp.Labeler.
type LabelerEnv struct {
	// Router is the label of the router.
	Router string
}

// Env is what plug-ins are made from that need nothing but their own keys:
// classifiers, balancers, backoffs, accrual policies, trace propagators.
type Env struct{}

// TelemeterEnv is what a telemeter is made from. It makes a Telemeter.
type TelemeterEnv struct {
	Tree   *telemetry.Tree
	Logger *slog.Logger
}

// RouterEnv is what a router is made from. It makes a *Router.
type RouterEnv struct {
	Config      *config.Router
	Interpreter naming.Interpreter
	// Tree is the root of all metrics.
	Tree    *telemetry.Tree
	Tracers *telemetry.Tracers
	// Tap is shown the requests that have ended.
	Tap *tap.Hub
	// Report shows what a part of it watches, beside its interpreter. Nil does not.
	Report func(kind string, r naming.Reporter)
	// Shared holds what its parts have in common with other plug-ins.
	Shared *Shared
	Logger *slog.Logger
}

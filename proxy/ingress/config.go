package ingress

import (
	"log/slog"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/k8s"
)

// Source is where the ingresses come from: *k8s.Ingresses. One that is an io.Closer is
// closed with the Rules.
type Source = weft.Source[naming.State[k8s.Table]]

// Config is the configuration of io.l5d.ingress.
type Config struct {
	// Prefix is what names begin with, the router's dstPrefix. The empty path is /svc.
	Prefix dtab.Path

	// Class is the class of the ingresses that count. Empty is linkerd.
	Class string

	// IgnoreDefaultBackends leaves requests that no rule matches unidentified.
	IgnoreDefaultBackends bool

	// Timeout is how long an HTTP/1 request waits for the first list of ingresses, the
	// router's binding timeout. Zero is 10 s, a negative value none.
	Timeout time.Duration
}

// Options are the settings of Rules. The zero value is the default.
type Options struct {
	// Logger is told, at level Warn, of rules that cannot match. Nil is silent.
	Logger *slog.Logger
}

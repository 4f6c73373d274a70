package admin

import (
	"context"
	"fmt"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/transport"
)

// Router is what the server shows of a router. Functions are as in Options.
type Router struct {
	// Label is the router's name in metrics and the namespace of its names in
	// /delegator.json. It is required, and no two routers have the same.
	Label string

	// Protocol is "http", "h2", "thrift", …
	Protocol string

	// Base is the dtab of the router's configuration.
	Base dtab.Dtab

	// Stored returns the dtab that the interpreter keeps somewhere else, such as a
	// namespace of namerd. Nil has none.
	Stored func() dtab.Dtab

	// Delegator explains names as the router's interpreter binds them; the rules of
	// Base come with the question and are not its own. Nil cannot.
	Delegator naming.Delegator

	// Identify says what a request would be named, and what dtab it brings along,
	// without sending it: a method, a request target and headers such as "Host: web".
	// Nil if the protocol has no such requests.
	Identify func(ctx context.Context, method, target string, headers []string) (dtab.Path, dtab.Dtab, error)

	// Clients returns what the router is connected to. Nil is none.
	Clients func() []ClientInfo

	// View returns what the router has come to, for /endpoints.json. Nil shows the
	// router without names and endpoints.
	View func(transport.ViewOptions) transport.View

	// Servers are the addresses that the router listens on.
	Servers []string

	// InterpreterStates are the pages /<label>/interpreter_state/<key>.json, such as
	// io.l5d.k8s.configmap or io.l5d.mesh/default.
	InterpreterStates map[string]func() any
}

// ClientInfo is a bound name that a router sends requests to.
type ClientInfo struct {
	ID dtab.Path

	// State is "bound", "Pending", "Neg" or "Failed: " and why.
	State string

	// Addresses are host:port.
	Addresses []string
}

// checkRouters says what is wrong with the labels.
func checkRouters(routers []Router) error {
	seen := make(map[string]bool, len(routers))
	for i, r := range routers {
		switch {
		case r.Label == "":
			return fmt.Errorf("admin: router %d: it needs a label", i)
		case seen[r.Label]:
			return fmt.Errorf("admin: router %q: the label is taken by another router", r.Label)
		}
		seen[r.Label] = true
	}
	return nil
}

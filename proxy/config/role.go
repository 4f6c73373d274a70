package config

import "strings"

// Role is what a plug-in is for. Each role has kinds of its own; the same name may
// be a kind of several roles.
type Role string

// The roles of Linkerd's and namerd's configurations.
const (
	RoleProtocol           Role = "protocol"
	RoleNamer              Role = "namer"
	RoleInterpreter        Role = "interpreter"
	RoleTransformer        Role = "transformer"
	RoleTelemeter          Role = "telemeter"
	RoleAnnouncer          Role = "announcer"
	RoleLoadBalancer       Role = "loadBalancer"
	RoleFailureAccrual     Role = "failureAccrual"
	RoleBackoff            Role = "backoff"
	RoleLabeler            Role = "labeler"
	RoleRequestAuthorizer  Role = "requestAuthorizer"
	RoleHTTPIdentifier     Role = "http.identifier"
	RoleHTTPClassifier     Role = "http.classifier"
	RoleHTTPPropagator     Role = "http.tracePropagator"
	RoleH2Identifier       Role = "h2.identifier"
	RoleH2Classifier       Role = "h2.classifier"
	RoleH2Propagator       Role = "h2.tracePropagator"
	RoleStorage            Role = "storage"
	RoleInterface          Role = "interface"
	rolePolicies           Role = "policies" // client and service: io.l5d.global or io.l5d.static
	protocolH2                  = "h2"
	perProtocol                 = "*."
	kindKeyName                 = "kind"
	kindGlobal, kindStatic      = "io.l5d.global", "io.l5d.static"
)

// in resolves a role that depends on the router's protocol ("*.classifier"): h2
// has kinds of its own, the other protocols share those of http, as in the
// original.
func (r Role) in(variant string) Role {
	rest, ok := strings.CutPrefix(string(r), perProtocol)
	switch {
	case !ok:
		return r
	case variant == protocolH2:
		return Role("h2." + rest)
	default:
		return Role("http." + rest)
	}
}

// String returns the word for messages: "namer", "http identifier".
func (r Role) String() string { return strings.ReplaceAll(string(r), ".", " ") }

// roleTraits says which keys plug-ins of a role have in common besides "kind".
type roleTraits struct {
	prefix, transformers, experimental bool
	defaultKind                        string
}

func (r Role) traits() roleTraits {
	switch r {
	case RoleNamer:
		return roleTraits{prefix: true, transformers: true, experimental: true}
	case RoleInterpreter:
		return roleTraits{transformers: true, experimental: true, defaultKind: "default"}
	case RoleTransformer, RoleAnnouncer:
		return roleTraits{prefix: true}
	case RoleTelemeter, RoleStorage, RoleInterface:
		return roleTraits{experimental: true}
	default:
		return roleTraits{}
	}
}

package standard

import (
	"strings"

	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/config/kinds"
	"github.com/weft-mesh/weft/proxy/plugin"
	"github.com/weft-mesh/weft/transport/meshh2"
)

func h2Identifiers() []config.Entry {
	type id = meshh2.Identifier
	role, t := config.RoleH2Identifier, config.Traits{}
	return []config.Entry{
		config.Define(role, "io.l5d.header.token", func(c kinds.HeaderIdentifier, e plugin.IdentifierEnv) (id, error) {
			return meshh2.HeaderToken{Prefix: e.Prefix, Header: strings.ToLower(c.Header)}, nil
		}, t),
		config.Define(role, "io.l5d.header.path", func(c kinds.HeaderPathIdentifier, e plugin.IdentifierEnv) (id, error) {
			p := meshh2.HeaderPath{Prefix: e.Prefix, Header: strings.ToLower(c.Header)}
			if c.Segments != nil {
				p.Segments = *c.Segments
			}
			return p, nil
		}, t),
	}
}

func h2Classifiers() []config.Entry {
	role, t := config.RoleH2Classifier, config.Traits{}
	of := func(name string, c meshh2.Classifier) config.Entry {
		return config.Define(role, name, func(none, plugin.Env) (meshh2.Classifier, error) { return c, nil }, t)
	}
	grpc := func(name string, kind meshh2.GRPCKind) config.Entry {
		return config.Define(role, name, func(c kinds.GRPCClassifier, _ plugin.Env) (meshh2.Classifier, error) {
			return meshh2.GRPC{Kind: kind, Success: grpcCodes(c.SuccessStatusCodes)}, nil
		}, t)
	}
	return []config.Entry{
		of("io.l5d.h2.nonRetryable5XX", meshh2.NonRetryable5XX{}),
		of("io.l5d.h2.retryableRead5XX", meshh2.Read),
		of("io.l5d.h2.retryableIdempotent5XX", meshh2.Idempotent),
		of("io.l5d.h2.retryableAll5XX", meshh2.All),
		of("io.l5d.h2.allSuccessful", meshh2.AllSuccessful{}),
		grpc("io.l5d.h2.grpc.default", meshh2.GRPCDefault),
		grpc("io.l5d.h2.grpc.compliant", meshh2.GRPCCompliant),
		grpc("io.l5d.h2.grpc.alwaysRetryable", meshh2.GRPCAlways),
		grpc("io.l5d.h2.grpc.neverRetryable", meshh2.GRPCNever),
		config.Define(role, "io.l5d.h2.grpc.retryableStatusCodes", func(c kinds.GRPCStatusClassifier, _ plugin.Env) (meshh2.Classifier, error) {
			return meshh2.GRPC{
				Kind: meshh2.GRPCListed, Success: grpcCodes(c.SuccessStatusCodes), Codes: grpcCodes(c.RetryableStatusCodes),
			}, nil
		}, t),
	}
}

// grpcCodes keeps an empty list apart from none, which is the default.
func grpcCodes(numbers []int) []meshh2.Code {
	if numbers == nil {
		return nil
	}
	codes := make([]meshh2.Code, 0, len(numbers))
	for _, n := range numbers {
		codes = append(codes, meshh2.Code(n)) //nolint:gosec // the decoder refuses negative ones
	}
	return codes
}

package standard_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/plugin"
	"github.com/weft-mesh/weft/proxy/standard"
	"github.com/weft-mesh/weft/transport/meshh2"
)

// h2Registry has a protocol h2, whatever the standard one knows of it.
func h2Registry(t *testing.T) config.Registry {
	t.Helper()
	var entries []config.Entry
	for _, e := range standard.Kinds() {
		if e.Role != config.RoleProtocol || e.Name != "h2" {
			entries = append(entries, e)
		}
	}
	reg, err := config.NewRegistry(append(entries, config.Define(config.RoleProtocol, "h2", func(struct{}, plugin.RouterEnv) (*plugin.Router, error) {
		return nil, nil //nolint:nilnil // never asked for
	}, config.Traits{}))...)
	require.NoError(t, err)
	return reg
}

func TestH2Kinds(t *testing.T) {
	reg := h2Registry(t)
	load := func(yaml string) (*config.Linker, error) {
		return config.Load("linkerd.yaml", []byte(yaml), config.Options{Registry: reg})
	}
	pfx := dtab.MustPath("/pfx")
	for keys, want := range map[string]meshh2.Identifier{
		"{kind: io.l5d.header.token}":                               meshh2.HeaderToken{Prefix: pfx},
		"{kind: io.l5d.header.token, header: My-Header}":            meshh2.HeaderToken{Prefix: pfx, Header: "my-header"},
		"{kind: io.l5d.header.path}":                                meshh2.HeaderPath{Prefix: pfx},
		"{kind: io.l5d.header.path, segments: 2}":                   meshh2.HeaderPath{Prefix: pfx, Segments: 2},
		"{kind: io.l5d.header.path, header: L5d-Name, segments: 1}": meshh2.HeaderPath{Prefix: pfx, Header: "l5d-name", Segments: 1},
		"[{kind: io.l5d.header.token, header: x}]":                  meshh2.HeaderToken{Prefix: pfx, Header: "x"},
		"[{kind: io.l5d.header.path}, {kind: io.l5d.header.token}]": meshh2.HeaderPath{Prefix: pfx},
		"{kind: io.l5d.header.path, header: ':path', segments: 1}":  meshh2.HeaderPath{Prefix: pfx, Header: ":path", Segments: 1},
		"{kind: io.l5d.header.token, header: ':authority'}":         meshh2.HeaderToken{Prefix: pfx, Header: ":authority"},
		"[{kind: io.l5d.header.token}, {kind: io.l5d.header.path}]": meshh2.HeaderToken{Prefix: pfx},
	} {
		cfg, err := load("routers:\n- {protocol: h2, dstPrefix: /pfx, servers: [{port: 0}], identifier: " + keys + "}\n")
		require.NoError(t, err, keys)
		got, err := config.Build[meshh2.Identifier](cfg.Routers[0].Identifiers[0], plugin.IdentifierEnv{Prefix: pfx})
		require.NoError(t, err, keys)
		assert.Equal(t, want, got, keys)
	}
	for keys, want := range map[string]meshh2.Classifier{
		"kind: io.l5d.h2.nonRetryable5XX":                                                               meshh2.NonRetryable5XX{},
		"kind: io.l5d.h2.retryableRead5XX":                                                              meshh2.Read,
		"kind: io.l5d.h2.retryableIdempotent5XX":                                                        meshh2.Idempotent,
		"kind: io.l5d.h2.retryableAll5XX":                                                               meshh2.All,
		"kind: io.l5d.h2.allSuccessful":                                                                 meshh2.AllSuccessful{},
		"kind: io.l5d.h2.grpc.default":                                                                  meshh2.GRPC{},
		"kind: io.l5d.h2.grpc.compliant":                                                                meshh2.GRPC{Kind: meshh2.GRPCCompliant},
		"kind: io.l5d.h2.grpc.alwaysRetryable":                                                          meshh2.GRPC{Kind: meshh2.GRPCAlways},
		"kind: io.l5d.h2.grpc.neverRetryable, successStatusCodes: [0, 1, 2, 3]":                         meshh2.GRPC{Kind: meshh2.GRPCNever, Success: []meshh2.Code{0, 1, 2, 3}},
		"kind: io.l5d.h2.grpc.default, successStatusCodes: []":                                          meshh2.GRPC{Success: []meshh2.Code{}},
		"kind: io.l5d.h2.grpc.retryableStatusCodes, retryableStatusCodes: [8, 14]":                      meshh2.GRPC{Kind: meshh2.GRPCListed, Codes: []meshh2.Code{8, 14}},
		"kind: io.l5d.h2.grpc.retryableStatusCodes, retryableStatusCodes: [8], successStatusCodes: [5]": meshh2.GRPC{Kind: meshh2.GRPCListed, Codes: []meshh2.Code{8}, Success: []meshh2.Code{5}},
	} {
		cfg, err := load("routers:\n- {protocol: h2, servers: [{port: 0}], service: {responseClassifier: {" + keys + "}}}\n")
		require.NoError(t, err, keys)
		part := cfg.Routers[0].Service.For(dtab.MustPath("/svc/x"))
		got, err := config.Build[meshh2.Classifier](*part.ResponseClassifier, plugin.Env{})
		require.NoError(t, err, keys)
		assert.Equal(t, want, got, keys)
	}
	for name, row := range map[string][2]string{
		"segments below 1":         {"protocol: h2, identifier: {kind: io.l5d.header.path, segments: 0}", "`segments` must be >= 1"},
		"no codes to retry":        {"protocol: h2, service: {responseClassifier: {kind: io.l5d.h2.grpc.retryableStatusCodes}}", "retryableStatusCodes"},
		"http classifier in h2":    {"protocol: h2, service: {responseClassifier: {kind: io.l5d.http.retryableRead5XX}}", "io.l5d.http.retryableRead5XX"},
		"h2 classifier in http":    {"protocol: http, service: {responseClassifier: {kind: io.l5d.h2.retryableRead5XX}}", "io.l5d.h2.retryableRead5XX"},
		"gRPC classifier in http":  {"protocol: http, service: {responseClassifier: {kind: io.l5d.h2.grpc.default}}", "io.l5d.h2.grpc.default"},
		"http identifier in h2":    {"protocol: h2, identifier: {kind: io.l5d.methodAndHost}", "io.l5d.methodAndHost"},
		"h2 identifier in http":    {"protocol: http, identifier: {kind: io.l5d.header.path}", "io.l5d.header.path"},
		"a code that is no number": {"protocol: h2, service: {responseClassifier: {kind: io.l5d.h2.grpc.default, successStatusCodes: [OK]}}", "successStatusCodes"},
	} {
		_, err := load("routers:\n- {" + row[0] + ", servers: [{port: 0}]}\n")
		assert.ErrorContains(t, err, row[1], name)
	}
}

package config_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const good = `routers:
- protocol: http
  servers:
  - port: 4140
`

func TestBadSnippets(t *testing.T) {
	tests := []struct{ id, doc, want string }{
		// 1.1: syntax
		{"empty", "", "l5d.yaml:1:1: the document is empty"},
		{"comments only", "# nothing\n", "l5d.yaml:1:1: the document is empty"},
		{"null", "~", "l5d.yaml:1:1: the document is empty"},
		{"list", "- routers\n", "l5d.yaml:1:1: want an object, found a list"},
		{"text", "routers", `l5d.yaml:1:1: want an object, found the string "routers"`},
		{"two documents", good + "---\na: b\n", "l5d.yaml:5:1: a configuration is a single YAML document, found a second one"},
		{"yaml", "routers: [\n", "l5d.yaml:1:1: not YAML: did not find expected node content"},
		{"yaml tab", "routers:\n\t- protocol: http\n", "l5d.yaml:2:1: not YAML: found character that cannot start any token"},
		{"json", "{\n\t\"routers\": [1, ]\n}", `l5d.yaml:2:17: not JSON: want a value, found ']'`},
		{"json single quotes", `{'routers': []}`, `l5d.yaml:1:2: not JSON: want a key in double quotes, found '\''`},
		{"json trailing", "{}\n{}", `l5d.yaml:2:1: not JSON: want the end of the text, found '{'`},
		{"json number", `{"a": 01}`, `l5d.yaml:1:7: not JSON: "01" is not a number`},
		{"json unclosed", `{"a": "b`, `l5d.yaml:1:7: not JSON: the string has no end on its line`},
		{"json comma", `{"a": 1 "b": 2}`, `l5d.yaml:1:9: not JSON: want "," or "}", found '"'`},
		{"json deep", `{"a":` + strings.Repeat("[", 300), "nested more than 200 levels deep"},
		{"alias", "usage: &a {enabled: true}\nadmin: *a\n" + good, "l5d.yaml:2:8: admin: aliases are not supported: write the value of *a out"},

		{"tag", "usage: !x {enabled: true}\n" + good, "l5d.yaml:1:8: usage: tags are not supported: remove !x"},
		{"kind list", "namers:\n- kind: [a]\n" + good, "l5d.yaml:2:9: namers[0].kind: want the name of a kind, found a list"},
		{"client kind list", good + "  client: {kind: [a]}\n", "l5d.yaml:5:18: routers[0].client.kind: want the name of a kind, found a list"},

		// 1.1: keys and types
		{"V143 top", "maxHeadersKB: 3\n" + good, `l5d.yaml:1:1: maxHeadersKB: Unrecognized field "maxHeadersKB"; known keys are admin, namers, routers, telemetry, usage`},
		{"V143 router key", "label: x\n" + good, `l5d.yaml:1:1: label: Unrecognized field "label": this is a key of a router: set routers[].label; known keys are admin, namers, routers, telemetry, usage`},
		{"V143 server", good + "    prt: 1\n", `l5d.yaml:5:5: routers[0].servers[0].prt: Unrecognized field "prt" (did you mean "port"?); known keys are addForwardedHeader, announce, clearContext, http2, ip, label, maxCallDepth, maxConcurrentRequests, port, serverSession, socketOptions, timeoutMs, timestampHeader, tls`},
		{"h2 key", good + "    windowUpdateRatio: 1\n", `l5d.yaml:5:5: routers[0].servers[0].windowUpdateRatio: Unrecognized field "windowUpdateRatio": a key of h2 routers only; known keys are`},
		{"namer key", "namers:\n- kind: io.l5d.fs\n  rootdir: /x\n" + good, `l5d.yaml:3:3: namers[0].rootdir: Unrecognized field "rootdir" (did you mean "rootDir"?); known keys are experimental, kind, prefix, rootDir, transformers`},
		{"duplicate", good + "  dtab: /a=>/b\n  dtab: /a=>/b\n", `l5d.yaml:6:3: routers[0].dtab: duplicate key "dtab", first set in line 5`},
		{"duplicate json", `{"usage": {}, "usage": {}, "routers": [{"protocol": "http", "servers": [{}]}]}`, `l5d.yaml:1:15: usage: duplicate key "usage", first set in line 1`},
		{"map for list", "routers:\n  protocol: http\n", "l5d.yaml:2:3: routers: want a list, found an object"},
		{"string for object", good + "admin: yes\n", `l5d.yaml:5:8: admin: want an object, found the string "yes"`},
		{"empty item", good + "namers:\n- \n", "l5d.yaml:6:2: namers[0]: the list item is empty"},
		{"int", good + "    timeoutMs: soon\n", `l5d.yaml:5:16: routers[0].servers[0].timeoutMs: want an integer, found the string "soon"`},
		{"quoted int", good + "    timeoutMs: \"5\"\n", `l5d.yaml:5:16: routers[0].servers[0].timeoutMs: want an integer (without quotes), found the string "5"`},
		{"float for int", good + "    timeoutMs: 1.5\n", `l5d.yaml:5:16: routers[0].servers[0].timeoutMs: want an integer, found 1.5`},
		{"huge", good + "    timeoutMs: 99999999999999999999\n", `l5d.yaml:5:16: routers[0].servers[0].timeoutMs: `},
		{"negative", good + "    timeoutMs: -1\n", `l5d.yaml:5:16: routers[0].servers[0].timeoutMs: -1 is out of range: want at least 0`},
		{"bool", good + "    clearContext: yes\n", `l5d.yaml:5:19: routers[0].servers[0].clearContext: want true or false, found the string "yes"`},
		{"quoted bool", good + "    clearContext: \"true\"\n", `l5d.yaml:5:19: routers[0].servers[0].clearContext: want true or false (without quotes), found the string "true"`},
		{"missing protocol", "routers:\n- servers: []\n", `l5d.yaml:2:3: routers[0]: missing key "protocol"`},
		{"missing routers", "admin: {}\n", "l5d.yaml:1:1: routers: At least one router must be specified in the configuration."},
		{"missing kind", "namers:\n- rootDir: /x\n" + good, `l5d.yaml:2:3: namers[0]: missing key "kind"; known namer kinds are io.l5d.consul, `},
		{"unknown kind", "namers:\n- kind: io.l5d.consol\n" + good, `l5d.yaml:2:9: namers[0].kind: unknown namer kind "io.l5d.consol" (did you mean "io.l5d.consul"?); known are io.l5d.consul, `},
		{"unknown protocol", "routers:\n- protocol: htttp\n  servers: [{}]\n", `l5d.yaml:2:13: routers[0].protocol: unknown protocol "htttp" (did you mean "http"?); known are h2, http, mux, thrift, thriftmux`},

		// values
		{"port", "routers:\n- protocol: http\n  servers:\n  - port: 65536\n", "l5d.yaml:4:11: routers[0].servers[0].port: 65536 outside valid range for ports"},
		{"V145", good + "    ip: 127.1\n", `l5d.yaml:5:9: routers[0].servers[0].ip: want a literal IPv4 or IPv6 address, found "127.1"`},
		{"host", good + "    ip: localhost\n", `l5d.yaml:5:9: routers[0].servers[0].ip: want a literal IPv4 or IPv6 address, found "localhost"`},
		{"path", good + "  dstPrefix: svc\n", "l5d.yaml:5:14: routers[0].dstPrefix: '/' expected but 's' found at '[s]vc'"},
		{"dtab", good + "  dtab: /svc = /foo\n", "l5d.yaml:5:15: routers[0].dtab: '>' expected but ' ' found at '/svc =[ ]/foo'"},
		{"dtab block", good + "  dtab: |\n    # first\n    /svc => /foo ;\n    /bar -> /foo ;\n", "l5d.yaml:8:10: routers[0].dtab: '=' expected but '-' found"},
		{"dtab folded", good + "  dtab: >-   # routes\n    /svc  =>   /foo ;\n\n    /bar => &/foo ;\n", "l5d.yaml:8:13: routers[0].dtab: "},
		{"dtab end", good + "  dtab: |\n    /svc => /foo ;\n    /bar =>\n\n", "l5d.yaml:7:12: routers[0].dtab: "},
		{"dtab quoted", good + "  dtab: \"/\\x73vc => é\"\n", "l5d.yaml:5:21: routers[0].dtab: "},
		{"dtab single quoted", good + "  dtab: '/svc => ''x'\n", "l5d.yaml:5:18: routers[0].dtab: "},
		{"dtab plain lines", good + "  dtab: /svc => /a ;\n    /b => )\n", "l5d.yaml:6:11: routers[0].dtab: "},
		{"pattern", good + "  client: {kind: io.l5d.static, configs: [{prefix: \"/{a}(\"}]}\n", `l5d.yaml:5:52: routers[0].client.configs[0].prefix: match: pattern "/{a}("`},
		{"regexp", good + "admin: {security: {pathWhitelist: [\"(\"]}}\n", "l5d.yaml:5:36: admin.security.pathWhitelist[0]: error parsing regexp: missing closing ): `(`"},
		{"roll", good + "  httpAccessLogRollPolicy: weekly(8)\n", `l5d.yaml:5:28: routers[0].httpAccessLogRollPolicy: want never, hourly, daily, weekly(1) to weekly(7), sighup or a size such as 3.megabytes, found "weekly(8)"`},
		{"V139", "routers:\n- protocol: thrift\n  thriftProtocol: magic\n  servers: [{}]\n", `l5d.yaml:3:19: routers[0].thriftProtocol: unsupported thrift protocol magic: want "binary" or "compact"`},
		{"sampleRate", good + "telemetry:\n- kind: io.l5d.recentRequests\n", `l5d.yaml:6:3: telemetry[0]: missing key "sampleRate"`},
		{"enum", good + "namers:\n- kind: io.l5d.consul\n  healthStatuses: [passing, warn]\n", `l5d.yaml:7:29: namers[0].healthStatuses[1]: want passing or warning or critical or maintenance, found "warn" (did you mean "warning"?)`},
		{"rewrite", good + "namers:\n- kind: io.l5d.rewrite\n  pattern: /a\n  name: /b\n", "l5d.yaml:6:3: namers[0]: The 'prefix' property is required for the io.l5d.rewrite namer."},
		{"labeler", good + "    addForwardedHeader: {by: {kind: ipport}}\n", `l5d.yaml:5:37: routers[0].servers[0].addForwardedHeader.by.kind: unknown labeler kind "ipport" (did you mean "ip:port"?)`},
		{"h2 classifier", good + "  service: {responseClassifier: {kind: io.l5d.h2.allSuccessful}}\n", `l5d.yaml:5:40: routers[0].service.responseClassifier.kind: unknown http classifier kind "io.l5d.h2.allSuccessful" (did you mean "io.l5d.http.allSuccessful"?)`},
		{"client kind", good + "  client: {kind: io.l5d.default}\n", `l5d.yaml:5:18: routers[0].client.kind: unknown kind "io.l5d.default"; known are io.l5d.global, io.l5d.static`},
		{"root", good + "  interpreter: {kind: io.l5d.mesh, dst: /a, root: /a/b}\n", "l5d.yaml:5:51: routers[0].interpreter.root: io.l5d.mesh: `root` may only contain a single path element (for now): /a/b"},
		{"dst", good + "  interpreter: {kind: io.l5d.namerd}\n", "l5d.yaml:5:16: routers[0].interpreter.dst: `dst` is a required field"},
		{"retry", good + "  interpreter: {kind: io.l5d.mesh, dst: /a, retry: {baseSeconds: 9, maxSeconds: 8}}\n", "l5d.yaml:5:52: routers[0].interpreter.retry: illegal retry values: baseSeconds=9 maxSeconds=8"},
		{"static path", good + "  identifier: {kind: io.l5d.static}\n", "l5d.yaml:5:15: routers[0].identifier.path: path is required"},

		// removed keys
		{"timeoutMs", good + "  timeoutMs: 1\n", `l5d.yaml:5:3: routers[0].timeoutMs: Unrecognized field "timeoutMs": set service.totalTimeoutMs; known keys are`},
		{"maxChunkKB", good + "  maxChunkKB: 1\n", `Unrecognized field "maxChunkKB": Linkerd 1.7 has no such key any more; remove it`},
		{"connectTimeoutMs", good + "  client: {connectTimeoutMs: 1}\n", `Unrecognized field "connectTimeoutMs": there is no such key: the TCP connect timeout is 1 s`},

		// rules
		{"no routers", "routers: []\n", "l5d.yaml:1:10: routers: At least one router must be specified in the configuration."},
		{"label", good + "- protocol: http\n  servers: [{port: 1}]\n", "l5d.yaml:5:13: routers[1].protocol: Multiple routers with the label http"},
		{"label set", good + "- protocol: http\n  label: http\n  servers: [{port: 1}]\n", "l5d.yaml:6:10: routers[1].label: Multiple routers with the label http"},
		{"no servers", "routers:\n- protocol: http\n  label: x\n", "l5d.yaml:2:3: routers[0].servers: router 'x' has no servers"},
		{"V141 one router", good + "  - port: 4140\n", "l5d.yaml:5:11: routers[0].servers[1].port: Server conflict on port 4140: routers[0].servers[0].port listens on 127.0.0.1:4140 already"},
		{"V141 default", good + "- {protocol: http, label: b, servers: [{ip: 0.0.0.0}]}\n", "l5d.yaml:5:40: routers[1].servers[0]: Server conflict on port 4140"},
		{"admin conflict", good + "  - port: 9990\n", "l5d.yaml:5:11: routers[0].servers[1].port: Server conflict on port 9990: admin listens on 127.0.0.1:9990 already"},
		{"streaming", good + "  streamingEnabled: false\n  streamAfterContentLengthKB: 5\n", "l5d.yaml:6:31: routers[0].streamAfterContentLengthKB: Conflicting streaming options set. Can't disable streaming and set streamAfterContentLengthKB in http"},
		{"identifiers", good + "  identifier: []\n", "l5d.yaml:5:15: routers[0].identifier: empty identifier list"},
		{"V144", "routers:\n- protocol: thriftmux\n  servers: [{}]\n", "l5d.yaml:2:13: routers[0].protocol: The thriftmux protocol is experimental and must be explicitly enabled by setting the `experimental' parameter to `true' on each router."},
		{"V144 namer", good + "namers:\n- kind: io.l5d.curator\n  prefix: /c\n  zkAddrs: [{host: h}]\n", "l5d.yaml:6:9: namers[0]: The /c namer is experimental and must be explicitly enabled by setting the `experimental' parameter to `true'."},
		{"vector 101", "telemetry:\n- kind: io.l5d.statsd\n" + good, "l5d.yaml:2:9: telemetry[0]: The io.l5d.statsd telemeter is experimental and must be explicitly enabled by setting the `experimental' parameter to `true'."},
		{"zipkin key", "telemetry:\n- kind: io.l5d.zipkin\n  hots: a\n" + good, `l5d.yaml:3:3: telemetry[0].hots: Unrecognized field "hots" (did you mean "host"?)`},
		{"zipkin url", "telemetry:\n- kind: io.l5d.zipkin\n  url: zipkin:9411\n" + good, "l5d.yaml:3:8: telemetry[0].url: "},
		{"zipkin both", "telemetry:\n- kind: io.l5d.zipkin\n  host: a\n  url: http://zipkin:9411\n" + good, "l5d.yaml:4:8: telemetry[0].url: url takes the place of host and port: remove those"},
		{"otlp protocol", "telemetry:\n- kind: io.weft.otlp\n  protocol: tcp\n" + good, `l5d.yaml:3:13: telemetry[0].protocol: want grpc or http, found "tcp"`},
		{"access log", good + "  httpAccessLogFormat: xml\n", `l5d.yaml:5:24: routers[0].httpAccessLogFormat: want text or json, found "xml"`},
		{"V146", good + "    tls: {certPath: a}\n", `l5d.yaml:5:10: routers[0].servers[0].tls: missing key "keyPath"`},
		{"tls enabled", good + "    tls: {enabled: true, certPath: a, keyPath: b}\n", `Unrecognized field "enabled": servers speak TLS when they have a tls object`},
		{"commonName", good + "  client: {tls: {trustCertsBundle: a}}\n", "l5d.yaml:5:17: routers[0].client.tls: tls is configured with validation but `commonName` is not set"},
		{"commonName static", good + "  client: {kind: io.l5d.static, configs: [{prefix: /, tls: {commonName: a}}, {prefix: /b, tls: {protocols: [TLSv1.2]}}]}\n", "l5d.yaml:5:96: routers[0].client.configs[1].tls: tls is configured with validation but `commonName` is not set"},
		{"both trusts", good + "  client: {tls: {commonName: x, trustCertsBundle: a, trustCerts: [b]}}\n", "routers[0].client.tls.trustCerts: Both trustCerts and trustCertsBundle have been set. Please use only trustCertsBundle."},
		{"clientAuth", good + "  client: {tls: {disableValidation: true, clientAuth: {certPath: a, keyPath: b}}}\n", "l5d.yaml:5:37: routers[0].client.tls.disableValidation: requirement failed: disableValidation: true is incompatible with clientAuth"},
		{"V148", good + "  service: {retries: {backoff: {kind: jittered, maxMs: 5}}}\n", "l5d.yaml:5:32: routers[0].service.retries.backoff.minMs: 'minMs' must be specified"},
		{"budget", good + "  client: {requeueBudget: {ttlSecs: 61}}\n", "l5d.yaml:5:37: routers[0].client.requeueBudget.ttlSecs: 61 is out of range: want 1 to 60"},
		{"pool", good + "  client: {hostConnectionPool: {minSize: 3, maxSize: 2}}\n", "l5d.yaml:5:42: routers[0].client.hostConnectionPool.minSize: minSize must not be larger than maxSize"},
		{"announce", good + "    announce: [/web]\n", "l5d.yaml:5:16: routers[0].servers[0].announce[0]: a name to announce starts with /# and the prefix of an announcer, found /web"},
	}
	for _, tt := range tests {
		t.Run(tt.id, func(t *testing.T) {
			lines := problems(t, tt.doc, lenient(t))
			assert.Condition(t, func() bool {
				for _, l := range lines {
					if strings.Contains(l, tt.want) {
						return true
					}
				}
				return false
			}, "want %s\ngot  %s", tt.want, strings.Join(lines, "\n     "))
			errors := 0
			for _, l := range lines {
				if !strings.Contains(l, "warning: ") {
					errors++
				}
			}
			assert.Equal(t, 1, errors, "one mistake, one message:\n%s", strings.Join(lines, "\n"))
		})
	}
}

func TestEachMistakeHasItsMessage(t *testing.T) {
	doc := `admin:
  port: 99999
namers:
- kind: io.l5d.fs
  rootDirr: /disco
routers:
- protocol: http
  dtab: |
    /svc => /#/io.l5d.fs ;
    /srv = /svc ;
  service:
    totalTimeoutMs: 1s
  servers:
  - port: 4140
  - port: 4140
`
	assert.Equal(t, []string{
		"l5d.yaml:2:9: admin.port: 99999 outside valid range for ports",
		`l5d.yaml:5:3: namers[0].rootDirr: Unrecognized field "rootDirr" (did you mean "rootDir"?); known keys are experimental, kind, prefix, rootDir, transformers`,
		"l5d.yaml:10:11: routers[0].dtab: '>' expected but ' ' found",
		`l5d.yaml:12:21: routers[0].service.totalTimeoutMs: want an integer, found the string "1s"`,
		"l5d.yaml:15:11: routers[0].servers[1].port: Server conflict on port 4140: routers[0].servers[0].port listens on 127.0.0.1:4140 already",
	}, problems(t, doc, lenient(t)))
}

func TestNotBuilt(t *testing.T) {
	doc := "namers:\n- kind: io.l5d.consul\n  hosst: x\nrouters:\n- protocol: h2\n  servers: [{maxFrameBytes: 16384}]\n"
	lines := problems(t, doc, declared(t))
	require.Len(t, lines, 3)
	assert.Equal(t, `l5d.yaml:2:9: namers[0].kind: kind "io.l5d.consul" is known to Linkerd 1.x but this version of weft does not implement it yet`, lines[0])
	assert.Contains(t, lines[1], `Unrecognized field "hosst" (did you mean "host"?)`, "the keys are checked all the same")
	assert.Equal(t, `l5d.yaml:5:13: routers[0].protocol: protocol "h2" is known to Linkerd 1.x but this version of weft does not implement it yet`, lines[2])
}

func TestAcceptedSnippets(t *testing.T) {
	for id, doc := range map[string]string{
		"V142 other ip":       good + "  - {port: 4140, ip: 127.0.0.2}\n",
		"two ephemeral":       "routers:\n- protocol: http\n  servers: [{port: 0}, {port: 0}]\n",
		"null keys":           good + "  client:\n  dtab:\nadmin:\n",
		"unquoted id":         good + "usage: {orgId: 123}\n",
		"identifier list":     good + "  identifier:\n  - kind: io.l5d.path\n  - kind: io.l5d.header.token\n",
		"experimental http":   good + "  experimental: true\n",
		"percent above 1":     good + "  client: {requeueBudget: {percentCanRetry: 5.0}}\n",
		"interpreter no kind": good + "  interpreter: {transformers: [{kind: io.l5d.localhost}]}\n",
		"empty forwarded":     good + "    addForwardedHeader: {}\n",
		"tls off":             good + "  client: {tls: {enabled: false}}\n",
		"tls completed":       good + "  client: {kind: io.l5d.static, configs: [{prefix: /, tls: {trustCertsBundle: a}}, {prefix: /a, tls: {commonName: a}}]}\n",
		"byte order mark":     "\uFEFF" + good,
		"crlf":                strings.ReplaceAll(good, "\n", "\r\n"),
		"document start":      "---\n" + good,
		"json with tabs":      "\t{\n\t\t\"routers\":\t[{\"protocol\": \"http\", \"servers\": [{}]}]\n}\n",
	} {
		t.Run(id, func(t *testing.T) { load(t, doc) })
	}
}

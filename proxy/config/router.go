package config

import (
	"net/netip"
	"strconv"
	"time"

	"github.com/weft-mesh/weft/dtab"
)

// Router is one router of a proxy. Keys that only some protocols have are marked in
// their tags and are unknown to the others.
type Router struct {
	Protocol string `yaml:"protocol" weft:"required,variant"`

	// Label names the router in statistics; default is the protocol. See Name.
	Label *string `yaml:"label"`

	// Dtab is the router's base dtab.
	Dtab dtab.Dtab `yaml:"dtab"`

	// DstPrefix is the prefix of identified names; default /svc. See Prefix.
	DstPrefix *dtab.Path `yaml:"dstPrefix"`

	// Originator marks the first hop, for statistics only.
	Originator bool `yaml:"originator"`

	// Interpreter is zero if there is none, which means the kind "default".
	Interpreter Part `yaml:"interpreter" weft:"role=interpreter"`

	// BindingTimeout limits name binding and obtaining a connection; default 10 s.
	BindingTimeout *time.Duration `yaml:"bindingTimeoutMs" weft:"unit=ms"`

	BindingCache BindingCache `yaml:"bindingCache"`
	Announcers   []Part       `yaml:"announcers" weft:"role=announcer"`

	// Experimental is needed by experimental protocols and accepted by all.
	Experimental bool `yaml:"experimental"`

	Servers []Server `yaml:"servers"`
	Client  Client   `yaml:"client"`
	Service Service  `yaml:"service"`

	// Identifiers are tried in order; nil means the protocol's default. The key takes
	// an object or a list.
	Identifiers []Part `yaml:"identifier" weft:"role=*.identifier,single,only=http|h2"`

	// TracePropagator is zero if there is none, which means io.l5d.default.
	TracePropagator Part `yaml:"tracePropagator" weft:"role=*.tracePropagator,only=http|h2"`

	HTTPRouter   `yaml:",inline"`
	H2Router     `yaml:",inline"`
	ThriftRouter `yaml:",inline"`

	entry Entry
}

// HTTPRouter is the keys of http routers only.
type HTTPRouter struct {
	AccessLog            *string     `yaml:"httpAccessLog" weft:"only=http"`
	AccessLogRollPolicy  *RollPolicy `yaml:"httpAccessLogRollPolicy" weft:"only=http"`
	AccessLogAppend      *bool       `yaml:"httpAccessLogAppend" weft:"only=http"`      // true
	AccessLogRotateCount *int        `yaml:"httpAccessLogRotateCount" weft:"only=http"` // -1: keep all
	AccessLogFormat      *string     `yaml:"httpAccessLogFormat" weft:"only=http,enum=text|json"`

	MaxHeadersKB     *int `yaml:"maxHeadersKB" weft:"only=http,min=1"`     // 8; also limits l5d-err
	MaxInitialLineKB *int `yaml:"maxInitialLineKB" weft:"only=http,min=1"` // 4
	MaxErrResponseKB *int `yaml:"maxErrResponseKB" weft:"only=http,min=1"` // 5120

	StreamingEnabled           *bool `yaml:"streamingEnabled" weft:"only=http"`                 // true
	StreamAfterContentLengthKB *int  `yaml:"streamAfterContentLengthKB" weft:"only=http,min=0"` // 5
	CompressionLevel           *int  `yaml:"compressionLevel" weft:"only=http,min=-1,max=9"`    // -1: textual types
}

// H2Router is the keys of h2 routers only.
type H2Router struct {
	H2AccessLog            *string     `yaml:"h2AccessLog" weft:"only=h2"`
	H2AccessLogRollPolicy  *RollPolicy `yaml:"h2AccessLogRollPolicy" weft:"only=h2"`
	H2AccessLogAppend      *bool       `yaml:"h2AccessLogAppend" weft:"only=h2"`
	H2AccessLogRotateCount *int        `yaml:"h2AccessLogRotateCount" weft:"only=h2"`
	H2AccessLogFormat      *string     `yaml:"h2AccessLogFormat" weft:"only=h2,enum=text|json"`
}

// ThriftRouter is the keys of thrift and thriftmux routers.
type ThriftRouter struct {
	ThriftMethodInDst bool            `yaml:"thriftMethodInDst" weft:"only=thrift|thriftmux"`
	ThriftProtocol    *ThriftProtocol `yaml:"thriftProtocol" weft:"only=thrift|thriftmux"` // binary
}

// BindingCache bounds what a router remembers of names. Zero-valued keys mean the
// defaults: 1000 entries each, idle ones for 600 s.
type BindingCache struct {
	Paths   *int           `yaml:"paths" weft:"min=0"`
	Trees   *int           `yaml:"trees" weft:"min=0"`
	Bounds  *int           `yaml:"bounds" weft:"min=0"`
	Clients *int           `yaml:"clients" weft:"min=0"`
	IdleTTL *time.Duration `yaml:"idleTtlSecs" weft:"unit=s"`
}

// Part returns the router's protocol as a plug-in, to be built by Build.
func (r *Router) Part() Part {
	return Part{Kind: r.Protocol, Config: struct{}{}, entry: r.entry, path: "protocol"}
}

// Name returns the router's label.
func (r *Router) Name() string {
	if r.Label != nil {
		return *r.Label
	}
	return r.Protocol
}

// Prefix returns the prefix of identified names.
func (r *Router) Prefix() dtab.Path {
	if r.DstPrefix != nil {
		return *r.DstPrefix
	}
	return defaultDstPrefix()
}

// Addr returns the address that server i of the router listens on.
func (r *Router) Addr(i int) netip.AddrPort {
	s := r.Servers[i]
	ip := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	if s.IP != nil {
		ip = *s.IP
	}
	port := map[string]int{"http": 4140, "mux": 4141, protocolH2: 4142, "thrift": 4114, "thriftmux": 4144}[r.Protocol]
	if s.Port != nil {
		port = *s.Port
	}
	return netip.AddrPortFrom(ip, uint16(port)) //nolint:gosec // the decoder checks the range
}

// KeyHint implements the decoder's hints: where the keys of older layouts went.
func (*Router) KeyHint(key string) string {
	switch key {
	case "timeoutMs", "totalTimeoutMs":
		return "set service.totalTimeoutMs"
	case "responseClassifier", "retries":
		return "set service." + key
	case "failFast", "loadBalancer", "failureAccrual", "hostConnectionPool", "requestAttemptTimeoutMs", "requeueBudget":
		return "set client." + key
	case "timestampHeader", "maxConcurrentRequests", "addForwardedHeader", "maxCallDepth", "clearContext", "port", "ip":
		return "set servers[]." + key
	case "tls":
		return "set servers[].tls or client.tls"
	case "bindingTimeout":
		return "set bindingTimeoutMs"
	case "baseDtab":
		return "set dtab"
	case "maxChunkKB", "maxRequestKB", "maxResponseKB", "engine":
		return "Linkerd 1.7 has no such key any more; remove it"
	default:
		return ""
	}
}

// ThriftProtocol is the encoding of thrift messages: "binary" or "compact".
type ThriftProtocol string

// UnmarshalConfig implements Unmarshaler.
func (p *ThriftProtocol) UnmarshalConfig(value any) error {
	s, _ := value.(string)
	if s != "binary" && s != "compact" {
		return keyError{message: "unsupported thrift protocol " + show(value) + `: want "binary" or "compact"`}
	}
	*p = ThriftProtocol(s)
	return nil
}

func show(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	default:
		return ""
	}
}

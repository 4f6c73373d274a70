package config

import (
	"net/netip"
	"time"

	"github.com/weft-mesh/weft/dtab"
)

// Server is one listening socket of a router.
type Server struct {
	Port *int        `yaml:"port" weft:"port"` // by protocol; 0 is any free port
	IP   *netip.Addr `yaml:"ip"`               // loopback

	// Label is cosmetic; default is the router's.
	Label *string `yaml:"label"`

	// TLS is nil for plain text.
	TLS *ServerTLS `yaml:"tls"`

	// MaxConcurrentRequests rejects what exceeds it at once; nil is no limit.
	MaxConcurrentRequests *int `yaml:"maxConcurrentRequests" weft:"min=1"`

	// Timeout is that of a whole request; nil is none.
	Timeout *time.Duration `yaml:"timeoutMs" weft:"unit=ms"`

	// Announce is names of the form /#/<announcer prefix>/….
	Announce []dtab.Path `yaml:"announce"`

	ClearContext  bool          `yaml:"clearContext"`
	ServerSession *Session      `yaml:"serverSession"`
	SocketOptions SocketOptions `yaml:"socketOptions"`

	AddForwardedHeader *ForwardedHeader `yaml:"addForwardedHeader" weft:"only=http|h2"`
	MaxCallDepth       *int             `yaml:"maxCallDepth" weft:"only=http|h2,min=1"` // 1000
	TimestampHeader    *string          `yaml:"timestampHeader" weft:"only=http,nonempty"`

	// HTTP2 serves callers of an http router that speak HTTP/2, by prior knowledge or
	// as ALPN finds out, besides those that speak HTTP/1.
	HTTP2 *bool `yaml:"http2" weft:"only=http"` // true

	H2Settings                        `yaml:",inline"`
	MaxConcurrentStreamsPerConnection *int `yaml:"maxConcurrentStreamsPerConnection" weft:"only=h2,min=1"` // 1000

	ThriftFramed *bool `yaml:"thriftFramed" weft:"only=thrift|thriftmux"` // true
}

// H2Settings are the keys of connections that speak HTTP/2, on both sides.
type H2Settings struct {
	WindowUpdateRatio        *float64 `yaml:"windowUpdateRatio" weft:"only=h2,min=0,max=1"` // 0.99
	HeaderTableBytes         *int     `yaml:"headerTableBytes" weft:"only=h2,min=0"`
	InitialStreamWindowBytes *int     `yaml:"initialStreamWindowBytes" weft:"only=h2,min=0,max=2147483647"`
	MaxFrameBytes            *int     `yaml:"maxFrameBytes" weft:"only=h2,min=16384,max=16777215"`
	MaxHeaderListBytes       *int     `yaml:"maxHeaderListBytes" weft:"only=h2,min=0"`
}

// Session bounds the life of connections; nil keys are no bound.
type Session struct {
	LifeTime *time.Duration `yaml:"lifeTimeMs" weft:"unit=ms"`
	IdleTime *time.Duration `yaml:"idleTimeMs" weft:"unit=ms"`
}

// SocketOptions are those of TCP sockets.
type SocketOptions struct {
	NoDelay      *bool          `yaml:"noDelay"`   // true
	ReuseAddr    *bool          `yaml:"reuseAddr"` // true
	ReusePort    bool           `yaml:"reusePort"`
	ReadTimeout  *time.Duration `yaml:"readTimeoutMs" weft:"unit=ms"`
	WriteTimeout *time.Duration `yaml:"writeTimeoutMs" weft:"unit=ms"`
	KeepAlive    *bool          `yaml:"keepAlive"`
	Backlog      *int           `yaml:"backlog" weft:"min=0"`
}

// ForwardedHeader adds an RFC 7239 Forwarded header. Labelers that are zero are of
// kind requestRandom.
type ForwardedHeader struct {
	By  Part `yaml:"by" weft:"role=labeler"`
	For Part `yaml:"for" weft:"role=labeler"`
}

// KeyHint implements the decoder's hints.
func (*Server) KeyHint(key string) string {
	if key == "dstPrefix" || key == "dtab" || key == "identifier" {
		return "this is a key of the router"
	}
	return ""
}

package tap

import (
	"iter"
	"net/url"
	"strings"
	"time"
)

// Event is a request that has ended. What is unknown is zero.
type Event struct {
	Time     time.Time `json:"time"` // when the request began
	Router   string    `json:"router"`
	Server   string    `json:"server"` // address of the listener; empty for one of the process itself
	Peer     string    `json:"peer"`   // address of the caller
	Protocol string    `json:"protocol"`
	Method   string    `json:"method"`
	Host     string    `json:"host"`
	Path     string    `json:"path"` // with its query

	Service  string `json:"service"`  // logical name
	Client   string `json:"client"`   // bound name of the last attempt
	Endpoint string `json:"endpoint"` // address of the last attempt
	Attempts int    `json:"attempts"`

	Status     int    `json:"status"` // of HTTP; 0 if there was no response
	GRPCStatus string `json:"grpcStatus,omitempty"`
	Class      string `json:"class"` // success, failure, retryable, ignored
	Error      string `json:"error"`

	LatencyMs     float64 `json:"latencyMs"`     // to the end of the response
	RequestBytes  int64   `json:"requestBytes"`  // of the body; -1 if not known
	ResponseBytes int64   `json:"responseBytes"` // of the body; -1 if not known

	// RequestHeaders are those of the request as the mesh passed it on. Values of the
	// same name are joined by ", ", those of credentials are Redacted.
	RequestHeaders map[string]string `json:"requestHeaders"`

	Trace string `json:"trace"` // its id
}

// Fields are the headers of a request: pairs of name and value, valid during the call
// that gets them.
type Fields = iter.Seq2[string, string]

// Redacted stands for a value that is not shown.
const Redacted = "(redacted)"

// secret reports whether values of a header are credentials.
func secret(name string) bool {
	name = strings.ToLower(name)
	switch name {
	case "authorization", "proxy-authorization", "cookie", "set-cookie", "cookie2", "set-cookie2",
		"www-authenticate", "proxy-authenticate", "authentication-info", "x-forwarded-client-cert",
		"x-csrf-token", "x-xsrf-token", "x-amz-security-token", "x-goog-iap-jwt-assertion":
		return true
	}
	// Names that people make up for theirs.
	for _, part := range [...]string{"token", "secret", "password", "passwd", "api-key", "apikey", "credential", "session", "private-key", "access-key", "jwt"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return strings.HasSuffix(name, "-auth") || strings.HasPrefix(name, "auth-") || strings.HasSuffix(name, "-authorization")
}

// redactQuery redacts the parameters of a query that are credentials by their names.
func redactQuery(path string) string {
	before, query, ok := strings.Cut(path, "?")
	if !ok || !strings.Contains(query, "=") {
		return path
	}
	params := strings.Split(query, "&")
	for i, p := range params {
		name, value, _ := strings.Cut(p, "=")
		if value == "" {
			continue
		}
		plain, err := url.QueryUnescape(name)
		if err != nil {
			plain = name
		}
		if secret(plain) || strings.EqualFold(plain, "code") || strings.EqualFold(plain, "sig") || strings.EqualFold(plain, "signature") {
			params[i] = name + "=" + Redacted
		}
	}
	return before + "?" + strings.Join(params, "&")
}

// copyOf returns a copy of e that shares no memory with it: adapters use theirs again.
func copyOf(e *Event, fields Fields) *Event {
	c := *e
	for _, s := range []*string{
		&c.Router, &c.Server, &c.Peer, &c.Protocol, &c.Method, &c.Host, &c.Path, &c.Service, &c.Client, &c.Endpoint,
		&c.GRPCStatus, &c.Class, &c.Error, &c.Trace,
	} {
		*s = strings.Clone(*s)
	}
	c.Path = redactQuery(c.Path)
	c.RequestHeaders = map[string]string{}
	if fields == nil {
		return &c
	}
	for name, value := range fields {
		old, twice := c.RequestHeaders[name]
		switch {
		case secret(name):
			value = Redacted
		case twice:
			value = old + ", " + value
		default:
			value = strings.Clone(value)
		}
		c.RequestHeaders[strings.Clone(name)] = value
	}
	return &c
}

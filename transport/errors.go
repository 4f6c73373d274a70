package transport

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/weft-mesh/weft/dtab"
)

// Sentinels below the typed errors of this package, for errors.Is.
var (
	ErrNoHosts = errors.New("transport: the name has no endpoints")
	ErrTimeout = errors.New("transport: timed out")
	ErrClosed  = errors.New("transport: the router is closed")
	ErrTooLate = errors.New("transport: the deadline passed before the request was sent")
)

// NoHostsError says that a name led nowhere: no rule or namer knows it, or what
// it is bound to has no endpoints. Its text is Linkerd's, which ends up in 502
// bodies.
type NoHostsError struct {
	Path  dtab.Path // the logical name
	Base  dtab.Dtab // the router's dtab
	Local dtab.Dtab // the per-request dtab
}

// Error returns the block that starts with "Unable to route request!".
func (e *NoHostsError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Unable to route request!\n\nservice name: %s\ndtab:\n\nbase dtab:\n", e.Path)
	writeRules(&b, e.Base)
	b.WriteString("override dtab:\n")
	writeRules(&b, e.Local)
	return b.String()
}

// writeRules writes a rule per line, and an empty line for no rules.
func writeRules(b *strings.Builder, d dtab.Dtab) {
	for _, r := range d {
		fmt.Fprintf(b, "  %s => %s\n", r.Prefix, dtab.ShowTree(r.Dst))
	}
	if len(d) == 0 {
		b.WriteByte('\n')
	}
}

// Is makes errors.Is(err, ErrNoHosts) hold.
func (e *NoHostsError) Is(target error) bool { return target == ErrNoHosts }

// BindingTimeoutError says that a name was not bound, or its endpoints were not
// known, within the binding timeout.
type BindingTimeoutError struct {
	Timeout time.Duration
	Path    dtab.Path
	Tree    string // what the name is bound to, empty while it is not bound
	Cause   error  // why it is not bound, if that is known
}

// Error returns Linkerd's text, and after it the cause.
func (e *BindingTimeoutError) Error() string {
	if e.Tree == "" {
		text := fmt.Sprintf("Exceeded %s binding timeout while resolving name: %s", DurationText(e.Timeout), e.Path)
		if e.Cause != nil {
			text += ": " + e.Cause.Error()
		}
		return text
	}
	return fmt.Sprintf("Exceeded %s binding timeout while connecting to %s for name: %s", DurationText(e.Timeout), e.Tree, e.Path)
}

func (e *BindingTimeoutError) Unwrap() error { return e.Cause }

// TimeoutError says that an attempt, or the request with all its attempts, took
// too long.
type TimeoutError struct {
	Limit   time.Duration
	To      string // the client for an attempt, the router's label for a request
	Attempt bool   // a single attempt timed out, not the whole request
	Remote  string // the endpoint of the attempt, if known
}

// Error returns Linkerd's text.
func (e *TimeoutError) Error() string {
	what := "the request, including retries (if applicable)"
	if e.Attempt {
		what = "an individual request, excluding retries"
	}
	remote := e.Remote
	if remote == "" {
		remote = "Not Available"
	}
	return fmt.Sprintf("exceeded %s to %s while waiting for a response for %s. Remote Info: %s", DurationText(e.Limit), e.To, what, remote)
}

// Timeout reports true, as for net.Error.
func (e *TimeoutError) Timeout() bool { return true }

// Is makes errors.Is(err, ErrTimeout) hold.
func (e *TimeoutError) Is(target error) bool { return target == ErrTimeout }

// ConnectError says that no connection to the chosen endpoint could be made. Its
// text is Linkerd's, with the cause appended.
type ConnectError struct {
	Service  dtab.Path
	Client   dtab.Path
	Addrs    []string // all endpoints of the client
	Selected string
	Err      error
}

// Error returns the block that starts with "Unable to establish connection".
func (e *ConnectError) Error() string {
	return fmt.Sprintf("Unable to establish connection to %s.\n\nservice name: %s\nclient name: %s\naddresses: [%s]\nselected address: %s\ncause: %v\n",
		e.Selected, e.Service, e.Client, strings.Join(e.Addrs, ", "), e.Selected, e.Err)
}

// Unwrap returns the cause.
func (e *ConnectError) Unwrap() error { return e.Err }

package meshgrpc

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/weft-mesh/weft/dtab"
)

// ErrUnidentified is below every error of the identifiers of this package.
var ErrUnidentified = errors.New("meshgrpc: the call has no name")

// Identifier finds the logical name of a call. target is the name that the Conn
// was made with, fullMethod is "/package.Service/Method". It is called
// concurrently and must not block.
type Identifier interface {
	Identify(ctx context.Context, target, fullMethod string) (dtab.Path, error)
}

// HostIdentifier names a call by its target alone: Prefix/target. A target with
// slashes in it is a path of several segments. It is Linkerd's
// io.l5d.header.token.
type HostIdentifier struct {
	Prefix dtab.Path
}

// Identify implements Identifier.
func (h HostIdentifier) Identify(_ context.Context, target, _ string) (dtab.Path, error) {
	return under(h.Prefix, target, 0)
}

// MethodPath names a call by its method: Prefix/package.Service/Method. The target
// is not part of the name. It is Linkerd's io.l5d.header.path.
type MethodPath struct {
	Prefix dtab.Path

	// Segments is how many segments of the method are used: 1 leaves out the method
	// and keeps the service. Zero means all.
	Segments int
}

// Identify implements Identifier.
func (m MethodPath) Identify(_ context.Context, _, fullMethod string) (dtab.Path, error) {
	return under(m.Prefix, fullMethod, m.Segments)
}

// under appends the first n segments of name to prefix, all of them if n is 0.
func under(prefix dtab.Path, name string, n int) (dtab.Path, error) {
	elems := strings.Split(strings.Trim(name, "/"), "/")
	if elems[0] == "" {
		return dtab.Path{}, fmt.Errorf("%w: Missing destination path", ErrUnidentified)
	}
	if n > 0 {
		if len(elems) < n {
			return dtab.Path{}, fmt.Errorf("%w: Path must have at least %d segment(s)", ErrUnidentified, n)
		}
		elems = elems[:n]
	}
	p, err := prefix.Append(elems...)
	if err != nil {
		return dtab.Path{}, fmt.Errorf("%w: %q: %w", ErrUnidentified, name, err)
	}
	return p, nil
}

package http1

import (
	"context"
	"net"
	"net/http"
)

// connContext is the context of a connection: it ends when the caller is gone.
type connContext struct {
	context.Context
	local net.Addr
	hang  *hangup
}

// Value implements context.Context.
func (c *connContext) Value(key any) any {
	switch key {
	case hangupKey{}:
		return c.hang
	case http.LocalAddrContextKey:
		return c.local
	}
	return c.Context.Value(key)
}

package meshhttp

import "time"

// PoolOptions are the keys of Linkerd's hostConnectionPool, clientSession and
// socketOptions, as far as they concern one endpoint. The zero value bounds
// nothing but the time to connect and the size of a response's head.
type PoolOptions struct {
	// MaxSize bounds the connections to an endpoint; zero is no bound.
	MaxSize int
	// MinSize is how many connections IdleTimeout leaves alone.
	MinSize int
	// MaxWaiters bounds the requests that wait for one of MaxSize connections; zero
	// is no bound, a negative number none at all.
	MaxWaiters int
	// IdleTimeout closes connections that were not used for this long; zero keeps
	// them.
	IdleTimeout time.Duration
	// LifeTime closes connections that have lived for this long, as soon as they are
	// idle; zero lets them live.
	LifeTime time.Duration
	// ReadTimeout and WriteTimeout limit each wait for the endpoint to send or to take
	// something; zero is no limit.
	ReadTimeout, WriteTimeout time.Duration
	// ConnectTimeout limits making a TCP connection; zero means 1 s, as in Finagle.
	ConnectTimeout time.Duration
	// MaxHeaderBytes limits the head of a response; zero means 1 MiB.
	MaxHeaderBytes int64
}

func (o PoolOptions) withDefaults() PoolOptions {
	if o.ConnectTimeout <= 0 {
		o.ConnectTimeout = time.Second
	}
	if o.MaxHeaderBytes <= 0 {
		o.MaxHeaderBytes = 1 << 20
	}
	return o
}

// limit is how many requests may be at an endpoint or wait to get there; zero is
// no limit.
func (o PoolOptions) limit() int64 {
	if o.MaxSize <= 0 || o.MaxWaiters == 0 {
		return 0
	}
	return int64(o.MaxSize) + int64(max(o.MaxWaiters, 0))
}

// maxIdle is how many connections are kept: all there are, which MaxSize or the
// number of concurrent requests bounds.
func (o PoolOptions) maxIdle() int {
	if o.MaxSize > 0 {
		return o.MaxSize
	}
	return 1 << 20
}

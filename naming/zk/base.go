package zk

import (
	"context"
	"strings"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// base is what the namers have in common.
type base struct {
	prefix    dtab.Path
	config    Config
	separator string     // of the servers in the first element of a name, if they are there
	ensemble  sessionKey // if they are not
	opts      Options
	sessions  *Sessions
	own       bool // the sessions
	faults    *faults
}

func newBase(c Config, o Options, prefix string) (base, error) {
	key, err := c.session()
	if err != nil {
		return base{}, err
	}
	b := finishBase(c, o, prefix)
	b.ensemble = key
	return b, nil
}

// newClassBase is newBase for a namer whose names begin with the servers.
func newClassBase(c Config, o Options, prefix, separator string) (base, error) {
	c.Addrs = []string{"checks.the.rest"}
	if _, err := c.session(); err != nil {
		return base{}, err
	}
	b := finishBase(c, o, prefix)
	b.separator = separator
	return b, nil
}

func finishBase(c Config, o Options, prefix string) base {
	o = o.withDefaults()
	b := base{prefix: withPrefix(c.Prefix, prefix), config: c, opts: o, sessions: o.Sessions, faults: newFaults(o.Logger)}
	if b.sessions == nil {
		b.sessions, b.own = NewSessions(SessionsOptions{Logger: o.Logger}), true
	}
	return b
}

// Prefix returns the whole prefix of the namer's names.
func (b *base) Prefix() dtab.Path { return b.prefix }

// Malformed returns how many versions of znodes could not be understood so far.
func (b *base) Malformed() uint64 { return b.faults.bad.Load() }

// sharing are the options of the namer's watches, which log by themselves.
func (b *base) sharing() naming.SharedOptions { return naming.SharedOptions{Linger: b.opts.Linger} }

// close ends the sessions that are the namer's own.
func (b *base) close() error {
	if b.own {
		return b.sessions.Close()
	}
	return nil
}

// follow follows a directory in the session with an ensemble.
func follow[T any](
	ctx context.Context, b *base, ensemble sessionKey, d directory[T], report func(listing[T], string), fail func(error),
) error {
	s, release, err := b.sessions.use(ensemble)
	if err != nil {
		return err
	}
	defer release()
	d.s, d.faults = s, b.faults
	return d.follow(ctx, report, fail)
}

// ensembleOf returns the servers that a name is about, and the rest of it.
func (b *base) ensembleOf(p dtab.Path) (sessionKey, dtab.Path, error) {
	if b.separator == "" {
		return b.ensemble, p, nil
	}
	c := b.config
	c.Addrs = strings.Split(p.Elem(0), b.separator)
	key, err := c.session()
	return key, p.Drop(1), err
}

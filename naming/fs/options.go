package fs

import (
	"context"
	"log/slog"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// Config is the configuration of the namer.
type Config struct {
	// RootDir is the directory that holds the files. It is required and must exist.
	RootDir string `yaml:"rootDir"`

	// Prefix is the whole prefix of the namer, with which the ids of its names begin.
	// The empty path is /#/io.l5d.fs.
	Prefix dtab.Path `yaml:"-"`
}

// Resolve returns the endpoints of host at port, kept up to date until ctx ends.
// It does not block. The method Resolve of package inet's Resolver is one.
type Resolve func(ctx context.Context, host, port string) weft.Source[naming.State[weft.EndpointSet]]

// Options are the settings of a Namer and of a DtabFile. The zero value is the
// default.
type Options struct {
	// Resolve resolves host names. Nil takes IP addresses and localhost only; lines
	// with other hosts are reported and left out.
	Resolve Resolve

	// Quiet is how long a file must not have changed to be read. Zero is 8 ms.
	Quiet time.Duration

	// Patience is how long content that looks unfinished, or a file that is gone,
	// must not have changed to be believed. It is the longest pause within a rewrite
	// that goes unnoticed. Zero is 50 ms.
	Patience time.Duration

	// Poll is how often files are compared with what is known of them, for what the
	// operating system does not report: network file systems, targets of symbolic
	// links elsewhere. Zero is 5 s.
	Poll time.Duration

	// MayBeAbsent accepts a directory or a dtab file that does not exist yet.
	MayBeAbsent bool

	// Logger is told, at level Warn, what is wrong with files. Nil is silent.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Quiet <= 0 {
		o.Quiet = 8 * time.Millisecond
	}
	if o.Patience <= 0 {
		o.Patience = 50 * time.Millisecond
	}
	if o.Poll <= 0 {
		o.Poll = 5 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

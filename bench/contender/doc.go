// Package contender knows the proxies that a benchmark compares: where their binaries
// are, how they are configured (the templates in config/ are the whole of it) and how
// they are started.
package contender

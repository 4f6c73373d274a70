package config

import (
	"fmt"
	"reflect"
)

// Traits are what a kind is known by besides its name. The zero Traits are those of
// an ordinary kind.
type Traits struct {
	// Experimental kinds are refused without `experimental: true`.
	Experimental bool

	// DefaultPrefix is the prefix of a namer, transformer or announcer that sets
	// none, without "/#" or "/%". Empty means "/" and the kind.
	DefaultPrefix string

	// PrefixRequired refuses the kind without an explicit prefix.
	PrefixRequired bool

	// Gone says, as a sentence, why a kind that is only declared will not be built any
	// more and what takes its place. It is said to those who use the kind. Empty for all
	// others.
	Gone string
}

// Entry is one kind of one role: the struct that its keys are read into and, unless
// it is only declared, what builds it. Entries are made by Define and Declare.
type Entry struct {
	Traits

	Role Role
	Name string

	config reflect.Type
	build  func(cfg, env any) (any, error)
}

// Define returns the entry of a kind that is built. Its keys are the fields of C
// (see the package comment for the tags); build gets them together with what the
// caller of Build has to give to kinds of the role.
func Define[C, E, T any](role Role, name string, build func(cfg C, env E) (T, error), traits Traits) Entry {
	e := Declare[C](role, name, traits)
	e.build = func(cfg, env any) (any, error) {
		c, ok := cfg.(C)
		if !ok {
			return nil, fmt.Errorf("config: %s %s: want a configuration of type %T, got %T", role, name, c, cfg)
		}
		v, ok := env.(E)
		if !ok {
			return nil, fmt.Errorf("config: %s %s: is built from a %v, got %T", role, name, reflect.TypeFor[E](), env)
		}
		return build(c, v)
	}
	return e
}

// Declare returns the entry of a kind whose keys are known but that cannot be built.
// Configurations that use it are checked and then refused.
func Declare[C any](role Role, name string, traits Traits) Entry {
	return Entry{Traits: traits, Role: role, Name: name, config: reflect.TypeFor[C]()}
}

// Built reports whether the kind can be built.
func (e Entry) Built() bool { return e.build != nil }

// Config returns the struct type that the kind's keys are read into.
func (e Entry) Config() reflect.Type { return e.config }

// discriminator is the key that names a kind of the entry's role.
func (e Entry) discriminator() string {
	if e.Role == RoleProtocol {
		return "protocol"
	}
	return kindKeyName
}

// prefix is the prefix of a plug-in that sets none.
func (e Entry) prefix() string {
	if e.DefaultPrefix != "" {
		return e.DefaultPrefix
	}
	return "/" + e.Name
}

// notBuilt is the message for a kind that is only declared.
func (e Entry) notBuilt() string {
	if e.Gone != "" {
		return fmt.Sprintf("%s %q of Linkerd 1.x cannot be used any more: %s", e.discriminator(), e.Name, e.Gone)
	}
	return fmt.Sprintf("%s %q is known to Linkerd 1.x but this version of weft does not implement it yet", e.discriminator(), e.Name)
}

// needsFlag is the original's message for an experimental kind without the flag.
func (e Entry) needsFlag(what string) string {
	text := fmt.Sprintf("The %s %s is experimental and must be explicitly enabled by setting the `experimental' parameter to `true'", what, e.Role)
	if e.Role == RoleProtocol {
		return text + " on each router."
	}
	return text + "."
}

// Package config reads the configuration files of Linkerd 1.x: YAML or JSON,
// strictly, with the line and column of everything that is wrong.
//
// Load reads a proxy's configuration into a Linker. Parse and Document.Decode read
// any other document with the same care. Which kinds of plug-ins there are is said
// by a Registry, which is a value: package proxy/config/kinds lists what Linkerd 1.7.5
// knows, a custom proxy appends its own entries.
//
// # Structs
//
// A plug-in's keys are the fields of a struct with yaml tags; fields without one
// are not read, and structs tagged `yaml:",inline"` add their fields. The struct
// gets every rule that can be said in a tag from `weft:"…"`, options separated by
// commas:
//
//	required       the key must be set
//	nonempty       the string or list must not be empty
//	min=1,max=60   the range of a number, ends included
//	enum=a|b       the values of a string
//	port           an integer from 0 to 65535
//	unit=ms        a time.Duration written as an integer, also unit=s
//	file, dir      the name of an existing file or directory
//	readable       a file that should be readable now: a warning otherwise
//	secret         not shown by JSON
//	single         a list that may be written as its only item, an object
//	role=namer     a Part or list of Parts of that role
//	only=http|h2   a key of routers of these protocols only
//
// Fields are strings, booleans, numbers, dtab.Path, dtab.Dtab, time.Duration, types
// that implement Unmarshaler or encoding.TextUnmarshaler, pointers to these, and
// structs, slices and string-keyed maps of them. A pointer stays nil when the key
// is absent. A null counts as absent.
//
// A struct may have these methods on its pointer:
//
//	Validate() error             // rules that tags cannot say; errors.Join for several
//	KeyHint(key string) string   // what became of a key that is no more
//
// # Rules
//
// Unknown keys, duplicate keys and wrong types are errors at every level, in the
// words of the original where it has its own. Everything is reported at once.
// What the original notices when a request first needs it, such as TLS settings
// without a common name, is reported when the document is loaded.
package config

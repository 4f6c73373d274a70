// Package inet resolves host:port to a set of endpoints and keeps it up to date
// with DNS.
//
//	host              answer
//	10.0.0.1          that address, without a look-up
//	127.1, 2130706433 IPv4 in fewer parts: the last part fills what is left
//	::1, [::1]        that address (the original failed on colons)
//	localhost, ""     127.0.0.1, without a look-up
//	anything else     the A and AAAA records of the system's resolver
//
// Numbers with leading zeros are not shorthand, as tools disagree on whether
// they are octal; they are names like any other, which DNS does not know.
//
// It is not a Namer: package global makes names of it (/$/inet/host/port), and
// package fs resolves with it the host names in its files. Both take
// [Resolver.Resolve] as a function.
package inet

// Package dns has two namers whose services are records of DNS: [Namer] for
// addresses (A and AAAA), which Linkerd 1.x had not, and [SRVNamer] for SRV records,
// io.l5d.dnssrv.
//
//	name, under the prefix   namer  asks for         answer
//	/users.internal/8080     dns    A and AAAA       bound, id <prefix>/users.internal/8080
//	/users.internal/8080/r…  dns    the same         the same, residual /r…
//	/10.0.0.1/8080           dns    nothing          bound, to that address
//	/_http._tcp.users        SRV    SRV, and what    bound, id <prefix>/_http._tcp.users
//	                                targets need
//	/_http._tcp.users/r…     SRV    the same         the same, residual /r…
//
// There is no such name (Neg) when DNS says so: it does not exist, it has no record
// of the type, it is not a name of DNS at all, or its only SRV target is ".". A
// server that fails, refuses or does not answer says nothing: the last good
// endpoints stay in force, marked stale, and the question is asked again soon.
//
// # How DNS is asked
//
// The servers are those of the configuration, otherwise those of /etc/resolv.conf,
// which is read again when it changes. Each is asked in turn until one of them
// answers. A name without a dot at its end is looked for in the search domains of
// /etc/resolv.conf by its rules (ndots). Questions go by UDP with EDNS0 and 2048
// bytes; an answer that was cut off is asked for again by TCP. CNAME records are
// followed, across answers too. Files such as /etc/hosts are not looked at, except
// that localhost is 127.0.0.1.
//
// AAAA records are asked for only if the machine has an IPv6 address that reaches
// beyond the link. If one of the two families cannot be asked for, the addresses of
// that family stay what they were.
//
// # How often
//
// An answer of Namer is asked for again when its TTL ends, the smallest one of all
// records that led to it, but not more often than every [Config].MinTTL and not less
// often than every [Config].MaxTTL. That a name does not exist holds as long as the
// SOA record of that answer says, within the same bounds.
//
// SRVNamer asks every [SRVConfig].RefreshInterval whatever the TTL: somebody chose
// it, and a caching server in between answers quickly. The addresses of targets are
// taken from the additional section if they are there; others are asked for as often,
// but not within their TTL.
//
// # Priorities and weights
//
// Of the targets of an SRV record those with the lowest priority are taken that have
// an address, as RFC 2782 wants it. Endpoints have the weight of their record, shared
// among the addresses of the target; a weight of 0 beside others is a tenth. Targets
// that do not exist are left out.
package dns

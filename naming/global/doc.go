// Package global is the namer of the names that exist everywhere, /$/…: plain
// addresses, the constants, and the utility namers that take names apart. It is
// what an interpreter asks when no dtab rule and no configured namer knows a
// path. Lookup takes whole names, with their /$.
//
// The first row that fits holds:
//
//	name                                     answer
//	/$/inet/<host>/<port>/r…                 bound, id /$/inet/<host>/<port>, residual /r…
//	/$/inet/<port>/r…                        the same on localhost
//	/$/fixedinet/<host>/<port>/r…, …/<port>  the same, resolved once instead of polled
//	/$/fail…                                 Fail
//	/$/nil…                                  Empty
//	/$/<class>/…                             the utility namer <class>, see below
//	/$, or not under /$                      Neg
//
// A port is a decimal 32-bit number, sign and leading zeros allowed; whether it
// makes sense shows in the endpoints, not in the tree. So /$/inet/8080/9090 is a
// host named 8080, and /$/inet/host is the class "inet", which there is none of.
//
//	class, all of them under io.buoyant.     after the class → answer
//	hostportPfx                              /pfx/host:port/r… → /pfx/host/port/r…
//	porthostPfx                              /pfx/host:port/r… → /pfx/port/host/r…
//	http.anyMethod                           /METHOD/r… → /r…
//	http.anyMethodPfx                        /pfx/METHOD/r… → /pfx/r…
//	http.anyHost                             /host/r… → /r…
//	http.anyHostPfx                          /pfx/host/r… → /pfx/r…
//	http.subdomainOf                         /domain/sub.domain/r… → /sub/r…
//	http.subdomainOfPfx                      /domain/pfx/sub.domain/r… → /pfx/sub/r…
//	http.domainToPath                        /a.b.c/r… → /c/b/a/r…
//	http.domainToPathPfx                     /pfx/a.b.c/r… → /pfx/c/b/a/r…
//	rinet                                    /port/host/r… → bound, id /$/io.buoyant.rinet/<port>/<host>
//	http.status                              /code/r… → bound to an answer with that status
//	namer.zk.leader                          not built yet
//
// A host is letters, digits and ".:_-"; a method is upper-case letters. What does
// not fit is Neg. Two classes have other names: com.twitter.finagle.namer.global
// is this namer itself, and com.twitter.serverset is not built yet. More can be
// added with [Options].
//
// The source is Finagle's Namer.global and the namers of io.buoyant in Linkerd
// 1.7.5.
package global

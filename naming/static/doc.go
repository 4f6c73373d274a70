// Package static is a namer whose names and endpoints its owner sets: for
// programs that know their endpoints by other means, for tests, and for the few
// services that no discovery knows.
//
//	name, under the prefix        answer
//	/web, which was set           bound, id <prefix>/web
//	/web/r…                       the same, residual /r…
//	/web/api, if that was set too bound, id <prefix>/web/api: the longest name wins
//	/other                        Neg
//
// Linkerd has no such namer; /$/inet is the nearest to it.
package static

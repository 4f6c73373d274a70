// Package match implements the path patterns of Linkerd's static client and
// service configurations and of the io.l5d.rewrite namer, such as
// /#/io.l5d.fs/{service} or /s/*/prod/{name}:https.
//
// A pattern is split on "/"; leading and trailing empty segments are dropped.
// Each segment is one of
//
//   - "*", which matches any one segment;
//   - text with captures such as "{service}:https", in which "." stands for itself,
//     each {name} captures as much as it can, and any other character has its meaning
//     in a regular expression. The expression is searched for in the segment, it need
//     not match all of it. A name is made of letters, digits, "." and the characters
//     from ":" to "_" in ASCII; "-" is none of them, so {my-svc} captures nothing;
//   - anything else, which is compared literally.
//
// Segments of the path are compared, and captured, in their canonical (escaped)
// form. A pattern matches every path that it matches a prefix of. A path shorter
// than the pattern does not match, also where the pattern goes on with "*".
//
// The source is io.buoyant's PathMatcher in Linkerd 1.7.5.
package match

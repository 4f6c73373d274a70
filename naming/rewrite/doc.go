// Package rewrite is the namer io.l5d.rewrite: it turns names that fit a pattern
// into other names, which are looked up again.
//
//	pattern       name              under the prefix    answer
//	/{svc}/*/api  /#/io.l5d.fs/{svc} /web/prod/api       /#/io.l5d.fs/web
//	                                /web/prod/api/v1    /#/io.l5d.fs/web: what is left is dropped
//	                                /web/prod           Neg
//	/{v}.{dom}    /{dom}/{v}        /a.b.c              /c/a.b: a capture takes what it can
//
// How patterns match is described in package match. A capture that is empty, or
// is not a whole element of a path, can make the new name one that cannot be
// read; the look-up then fails.
package rewrite

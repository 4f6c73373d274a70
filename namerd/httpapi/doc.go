// Package httpapi is the HTTP API of namerd, io.l5d.httpController: an
// http.Handler that shows and changes the dtabs of namespaces and says what names
// are bound to, once or as a stream for as long as the client listens.
//
//	/api/1/dtabs                       list (any method); ?watch=true
//	/api/1/dtabs/<ns>                  GET, HEAD, POST, PUT, DELETE; ?watch=true
//	/api/1/bind/<ns>?path=&dtab=       what a name is bound to; ?watch=true
//	/api/1/addr/<ns>?path=             the endpoints of an id; ?watch=true
//	/api/1/resolve/<ns>?path=&dtab=    the endpoints of a name; ?watch=true
//	/api/1/delegate/<ns>?path=&dtab=   how a name is bound; POST too
//	/api/1/delegate?path=&dtab=        the same by a dtab that is sent along
//	/api/1/bound-names                 the ids that namers can enumerate; ?watch=true
//	/api/1/history/<ns>?limit=         the changes of a namespace, the latest first
//
// A namespace is what follows, as it was sent: it is not decoded and may contain
// slashes, so a Handler must not stand behind an http.ServeMux, which cleans paths.
//
// Statuses, bodies and headers are those of namerd 1.7.5. Beyond it:
//
//   - every error says what is wrong in the header weft-error, also where 1.7.5 has
//     no body, and in the body elsewhere;
//   - If-Match takes quoted and weak tags, lists and *, and DELETE honours it;
//   - PUT and POST answer with the ETag of the version that they made;
//   - writes are noted in the history, with what the headers weft-author and
//     weft-reason say;
//   - while the store cannot be asked, what is known of it is served with the header
//     weft-stale, whose value is the reason; what is not known is a 503;
//   - a body of more than 1 MiB is a 413, an invalid namespace a 400, a missing path
//     and an invalid dtab are a 400, a tag that is not base64 is a 412;
//   - writes that a browser sends on behalf of a page of another origin are a 403.
//
// A stream sends the newest value that there is whenever the client has taken the one
// before: whoever reads slowly misses values in between and holds up nobody, and
// whoever does not read at all is cut off.
package httpapi

// Package marathon is the namer io.l5d.marathon, whose names are the apps of a
// Marathon and whose endpoints are their tasks.
//
//	name, under the prefix   there is an app      answer
//	/web                     /web                 its tasks, id <prefix>/web
//	/Prod/Web/r…             /prod/web            its tasks, id <prefix>/prod/web, residual /r…
//	/prod/web/r…             /prod and /prod/web  those of /prod, residual /web/r…
//	/other                   none                 Neg
//
// Names are looked up in lower case, as the ids of apps are; the shortest prefix
// that is an app wins. An app without tasks that can be used is Neg.
//
// # How it stays up to date
//
// The list of apps is asked for every [Config].TTL, once for all names, and so is
// each app that somebody observes, once for all names that lead to it. Failures
// are retried with a back-off of at most TTL; until then the last good answers
// stay in force, marked stale. Only a list without the app and an app without
// tasks are Neg; an answer of another shape than Marathon's is a failure, whatever
// its status.
//
// # Endpoints
//
// A task is at its first IP address and the app's first discovery port if the app
// has an ipAddress.discovery with ports, and at the host and the first port of the
// task otherwise. Tasks that have no address yet are left out, and so are those
// that cannot be understood, which are counted and logged.
package marathon

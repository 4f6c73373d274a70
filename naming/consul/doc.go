// Package consul is the namer io.l5d.consul, whose names are the services of a
// Consul catalog, the dtab of the interpreter io.l5d.consul.interpreter, which is a
// key in Consul's store, and an announcer that registers the listeners of a proxy.
//
//	name, under the prefix   includeTag   answer
//	/dc1/web                 no           the instances of web in dc1, id <prefix>/dc1/web
//	/dc1/Web/r…              no           the same, id <prefix>/dc1/Web, residual /r…
//	/.local/web              no           the same in the datacenter of the agent
//	/dc1/canary/web          yes          those with the tag canary, id <prefix>/dc1/canary/web
//	/dc1                     either       Neg
//
// A service without instances is Neg. There is one poll per datacenter, tag and
// service, however many names lead to it.
//
// # How it stays up to date
//
// Each name is a blocking query: the agent answers when the index of the service
// has passed the one of the answer before, or after a minute. An answer is not
// believed at once, but asked for again with consistent reads, when it might
// come from a server that has not caught up with its own log: after an outage, when
// the index goes backwards, and when it says that a service has no instances. In
// mode stale the reads are consistent only if the index goes backwards.
//
// While the agent does not answer, cannot answer (it has no leader) or refuses to
// (the token), the last good answer stays in force, marked stale. An answer from
// which ACLs have removed everything is a refusal too, not an empty service.
//
// One probe per namer asks once a second, if nothing else was heard, whether the
// agent is there, so that a connection that silently leads nowhere is not waited
// for; when the agent is back, everything is asked again at once.
//
// An agent accepts 200 connections of one client address unless its
// limits.http_max_conns_per_client says otherwise. Names beyond
// [Options].MaxQueries take turns, and so learn of changes later.
package consul

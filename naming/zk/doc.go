// Package zk has the namers and the announcer whose services are in ZooKeeper.
//
//	namer                name, under the prefix       answer
//	io.l5d.serversets    /zk/path[:endpoint][#shard]  the members of a serverset of Twitter's
//	io.l5d.zkLeader      /zk/path                     the addresses of a group's leader
//	io.l5d.curator       /service                     the instances of Curator's service discovery
//
// The names /$/com.twitter.serverset/hosts/zk/path and
// /$/io.buoyant.namer.zk.leader/host::host/zk/path are the first two with the ensemble
// in the name.
//
// # Sessions
//
// Whatever asks one ensemble with the same credentials shares one session ([Sessions]),
// which is opened when the first name is observed and closed when none has been for a
// while. Every znode that is read is watched, so that only what changed is read again.
// A connection that is lost is replaced; the servers then say what changed meanwhile. A
// session that expired is replaced by a new one, and everything is read again. Until
// then the last answers stay in force, marked stale.
//
// # Serversets
//
// A serverset is a znode whose children member_… are JSON:
//
//	{"serviceEndpoint":{"host":"10.0.0.1","port":80},
//	 "additionalEndpoints":{"admin":{"host":"10.0.0.1","port":9990}},"status":"ALIVE","shard":0}
//
// Members that are ALIVE are endpoints. Children vector_… give weights. A member that
// vanishes without having said so stays for [Options].RemovalHold: its session may have
// expired, and it registers again. A name that has no endpoints moves its last element
// to the residual, until it has some.
package zk

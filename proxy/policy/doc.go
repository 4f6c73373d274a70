// Package policy turns the client and service sections of a configuration into the
// options of a transport.Router, and the keys that routers of several protocols
// have into what they make of them. What a protocol adds goes into the Adapter
// fields.
package policy

// Package h2router makes routers of protocol h2: a meshh2 relay as its
// configuration says, and a listener for each of its servers.
package h2router

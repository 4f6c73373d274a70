// Package policy turns the client and service sections of a configuration into
// the options of a transport.Router. It knows no protocol; what a protocol adds
// goes into the Adapter fields.
package policy

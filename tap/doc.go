// Package tap shows live requests to those who ask for them.
//
// A Hub stands between adapters, which know when a request has ended, and watchers,
// who want to see some of them. Without watchers a request costs one atomic load:
//
//	if hub.Watched() {
//		hub.Offer(&tap.Event{…}, fields)
//	}
//
// A watcher has a Filter, a rate and a queue. What is too much for one of them is
// dropped and counted; nothing ever holds up a request. An event is copied only for a
// watcher that takes it, and values of headers that are credentials are not copied at
// all.
package tap

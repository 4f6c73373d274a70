// Package demo is `weft demo`: the two-hop mesh of Linkerd's getting-started
// guides, and a control plane for it, in one process.
//
//	caller → outgoing :4140 → incoming :4141 → hello
//	hello  → outgoing :4140 → incoming :4141 → world (or world-v2)
//	incoming → namerd: where is hello?
package demo

// Package servers starts the real servers that weft is tested against: the API server of
// Kubernetes with its etcd, Consul, etcd, ZooKeeper, CoreDNS, Prometheus. Each is a child
// process on loopback ports of its own, with its data in a directory of the test, and
// can be killed, paused and started again on the same data and ports.
//
// The programs come from package testtool: built once and kept, or installed. A test
// whose server cannot be had is skipped, loudly, and fails in CI.
package servers

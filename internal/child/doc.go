// Package child runs programs beside a test: weft itself, its endpoints, its
// clients. They end with the test, their output is shown if it fails, and what they
// take of the machine (memory, descriptors) can be read while they run (Linux).
package child

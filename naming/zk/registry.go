package zk

import (
	"sync"

	zoo "github.com/go-zookeeper/zk"
)

// query is what a request asks for, and what a watch of ZooKeeper is about.
type query int

const (
	getData     query = iota // the data of a znode that exists
	getChildren              // the names of its children
	getExists                // whether it exists; only a znode that does not stays watched
)

type watchKey struct {
	path string
	query
}

// watching is one watch, set or being set.
type watching struct {
	fired   chan struct{} // closed when it may have become true
	armed   bool          // the server has it
	setting int           // requests under way that set it
}

// registry is the watches that the servers have, in the name of one session. A watch
// lasts until it fires, also if nobody waits for it any more: the library cannot take
// one back. That is why readers share it, and a reader that comes later finds it.
type registry struct {
	mu   sync.Mutex
	all  map[watchKey]*watching
	sets int // of those in all that are armed
}

// join returns the watch to wait for, and whether the request is to set it.
func (r *registry) join(k watchKey) (w *watching, set bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w = r.all[k]
	if w == nil {
		w = &watching{fired: make(chan struct{})}
		if r.all == nil {
			r.all = map[watchKey]*watching{}
		}
		r.all[k] = w
	}
	if w.armed {
		return w, false
	}
	w.setting++
	return w, true
}

// set says how a request that was to set the watch ended.
func (r *registry) set(k watchKey, w *watching, done bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w.setting--
	if r.all[k] != w {
		return // it has fired already
	}
	switch {
	case done && !w.armed:
		w.armed = true
		r.sets++
	case !w.armed && w.setting == 0:
		delete(r.all, k)
	}
}

// fire wakes those who wait for what the event is about.
func (r *registry) fire(e zoo.Event) {
	var about []query
	switch e.Type {
	case zoo.EventNodeCreated:
		about = []query{getExists}
	case zoo.EventNodeDataChanged:
		about = []query{getData}
	case zoo.EventNodeChildrenChanged:
		about = []query{getChildren}
	case zoo.EventNodeDeleted:
		about = []query{getData, getChildren, getExists}
	default: // it is about no znode
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, q := range about {
		r.drop(watchKey{e.Path, q})
	}
}

// drop fires a watch. The mutex is held.
func (r *registry) drop(k watchKey) {
	w := r.all[k]
	if w == nil {
		return
	}
	delete(r.all, k)
	if w.armed {
		r.sets--
	}
	close(w.fired)
}

// reset fires all watches, which the servers have forgotten.
func (r *registry) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for k := range r.all {
		r.drop(k)
	}
}

// armed returns the number of watches that the servers have.
func (r *registry) armed() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sets
}

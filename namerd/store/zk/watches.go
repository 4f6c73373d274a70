package zk

import (
	"sync"

	zoo "github.com/go-zookeeper/zk"
)

// about is what a watch of ZooKeeper is about.
type about int

const (
	data     about = iota // the data of a znode that exists
	children              // the names of its children
	presence              // that a znode that does not exist is made
)

type watchKey struct {
	path string
	about
}

// watches are those that the server has of a link. One lasts until it fires, also if
// nobody waits for it any more, as the library cannot take one back; so readers share
// them, and one that comes later finds it.
type watches struct {
	mu  sync.Mutex
	all map[watchKey]*watching
}

// watching is one watch.
type watching struct {
	fired chan struct{} // closed when it may have become true
	armed bool          // the server has it
}

// join returns the watch to wait for, and whether the request is to set it. It is called
// before the request, so that an event that comes right behind the answer finds it.
func (w *watches) join(k watchKey) (one *watching, set bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	one = w.all[k]
	if one == nil {
		one = &watching{fired: make(chan struct{})}
		if w.all == nil {
			w.all = map[watchKey]*watching{}
		}
		w.all[k] = one
	}
	return one, !one.armed
}

// settle says whether the request that was to set a watch has done so. If not, whoever
// waits for it looks again.
func (w *watches) settle(k watchKey, one *watching, done bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.all[k] != one: // it has fired already
	case done:
		one.armed = true
	case !one.armed:
		w.drop(k)
	}
}

// drop fires a watch. The mutex is held.
func (w *watches) drop(k watchKey) {
	if one := w.all[k]; one != nil {
		delete(w.all, k)
		close(one.fired)
	}
}

// fire wakes those who wait for what the event is about.
func (w *watches) fire(e zoo.Event) {
	var of []about
	switch e.Type {
	case zoo.EventNodeCreated:
		of = []about{presence}
	case zoo.EventNodeDataChanged:
		of = []about{data}
	case zoo.EventNodeChildrenChanged:
		of = []about{children}
	case zoo.EventNodeDeleted:
		of = []about{data, children, presence}
	default: // it is about no znode
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range of {
		w.drop(watchKey{e.Path, a})
	}
}

package zk

import "fmt"

// layout is where things are.
type layout struct {
	prefix  string // whose children are the namespaces
	history string // whose children are their histories
	hidden  map[string]bool
}

func newLayout(prefix string) layout {
	if prefix == "/" { // the history is one of the children then, and ZooKeeper has one of its own
		const history = "dtabs-history"
		return layout{prefix: prefix, history: "/" + history, hidden: map[string]bool{history: true, "zookeeper": true}}
	}
	return layout{prefix: prefix, history: prefix + "-history"}
}

// dtab returns the znode of a namespace.
func (l layout) dtab(namespace string) string { return below(l.prefix, namespace) }

// changes returns the znode of its history.
func (l layout) changes(namespace string) string { return below(l.history, namespace) }

// check says what is wrong with the name of a namespace.
func (l layout) check(namespace string) error {
	if l.hidden[namespace] {
		return fmt.Errorf("%s is not a namespace with the pathPrefix /", namespace)
	}
	return checkElement(namespace)
}

func below(parent, name string) string {
	if parent == "/" {
		return "/" + name
	}
	return parent + "/" + name
}

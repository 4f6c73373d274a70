package storetest

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
)

// outcome is what a writer was told of an attempt.
type outcome int

const (
	made    outcome = iota
	refused         // somebody else was faster: it must have had no effect
	unknown         // an error after which it may have been made
)

// attempt is one Update of a writer. The id is its own.
type attempt struct {
	id      string
	base    namerd.Stored // what it was made from
	made    namerd.Version
	outcome outcome
}

// chain is what happened to a namespace to which writers appended: the history checker.
type chain struct {
	namespace string
	first     namerd.Version
	dtab      dtab.Dtab // at first

	mu       sync.Mutex
	attempts []attempt

	observed [][]storedState // by observer
}

func newChain(namespace string, first namerd.Version, d dtab.Dtab) *chain {
	return &chain{namespace: namespace, first: first, dtab: d}
}

func (c *chain) add(a attempt) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.attempts = append(c.attempts, a)
}

func (c *chain) acknowledged() (n int) {
	for _, a := range c.attempts {
		if a.outcome == made {
			n++
		}
	}
	return n
}

// lastID returns the id of the last rule of a dtab.
func lastID(d dtab.Dtab) string {
	if len(d) == 0 {
		return ""
	}
	return strings.TrimPrefix(d[len(d)-1].Prefix.String(), "/")
}

// check returns what is wrong with the history that ended with last, of which the
// store says that changes were the latest ones.
func (c *chain) check(last namerd.Stored, changes []namerd.Change) (problems []string) {
	add := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	order, problem := c.walk(last)
	if problem != "" {
		add("%s", problem)
	}

	// What there must have been at each version, from the beginning.
	texts := map[namerd.Version]string{c.first: c.dtab.String()}
	place := map[namerd.Version]int{c.first: 0}
	in := map[string]bool{}
	d := c.dtab
	for i, a := range order {
		in[a.id] = true
		d = appended(d, a.id)
		v := last.Version
		if i+1 < len(order) {
			v = order[i+1].base.Version // whatever its writer was told, this is how readers found it
		}
		if a.outcome == made && a.made != v {
			add("write %s was told version %q and is at %q", a.id, a.made, v)
		}
		if _, again := texts[v]; again {
			add("version %q was made twice", v)
		}
		texts[v], place[v] = d.String(), i+1
	}

	if text := texts[last.Version]; problem == "" && text != last.Dtab.String() {
		add("the last version is %s and should be %s", last.Dtab, text)
	}

	bases := map[namerd.Version]string{}
	for _, a := range c.attempts {
		switch {
		case a.outcome == made && !in[a.id]:
			add("write %s was acknowledged and is lost", a.id)
		case a.outcome == refused && in[a.id]:
			add("write %s was refused and made all the same", a.id)
		}
		if a.outcome == made {
			if other, again := bases[a.base.Version]; again {
				add("writes %s and %s were both acknowledged on version %q", other, a.id, a.base.Version)
			}
			bases[a.base.Version] = a.id
		}
		if text, ok := texts[a.base.Version]; !ok {
			add("version %q was read, which no write has made", a.base.Version)
		} else if text != a.base.Dtab.String() {
			add("version %q was read as %s and is %s", a.base.Version, a.base.Dtab, text)
		}
	}
	problems = append(problems, c.checkObserved(texts, place)...)
	problems = append(problems, checkChanges(order, last, changes)...)
	return problems
}

// walk goes back from the last version to the first and returns the attempts that
// made them, the first one first.
func (c *chain) walk(last namerd.Stored) (order []attempt, problem string) {
	by := map[string]attempt{}
	for _, a := range c.attempts {
		by[a.id] = a
	}
	for at := last; at.Version != c.first; {
		a, ok := by[lastID(at.Dtab)]
		if !ok {
			problem = fmt.Sprintf("version %q has a rule that nobody wrote, or wrote twice: %s", at.Version, at.Dtab)
			break
		}
		delete(by, a.id)
		order = append(order, a)
		at = a.base
	}
	slices.Reverse(order)
	return order, problem
}

// checkObserved checks that observers saw versions of the chain, in its order.
func (c *chain) checkObserved(texts map[namerd.Version]string, place map[namerd.Version]int) (problems []string) {
	for _, all := range c.observed {
		at := 0
		for _, st := range all {
			if !st.Known {
				continue
			}
			v := st.Value.Version
			text, ok := texts[v]
			switch {
			case !ok:
				problems = append(problems, fmt.Sprintf("version %q was observed, which no write has made", v))
			case text != st.Value.Dtab.String():
				problems = append(problems, fmt.Sprintf("version %q was observed as %s and is %s", v, st.Value.Dtab, text))
			case place[v] < at:
				problems = append(problems, fmt.Sprintf("version %q was observed after a later one", v))
			}
			at = place[v]
		}
	}
	return problems
}

// checkChanges compares what the store says of the latest changes.
func checkChanges(order []attempt, last namerd.Stored, changes []namerd.Change) (problems []string) {
	if len(changes) > 0 && changes[0].Version != last.Version {
		problems = append(problems, fmt.Sprintf("the history ends with version %q instead of %q", changes[0].Version, last.Version))
	}
	for i, ch := range changes {
		at := len(order) - 1 - i
		switch {
		case at >= 0 && ch.Author != order[at].id:
			problems = append(problems, fmt.Sprintf("change %d from the end was by %s and is said to be by %q", i, order[at].id, ch.Author))
		case at >= 0 && order[at].outcome == made && ch.Version != order[at].made:
			problems = append(problems, fmt.Sprintf("change %d from the end made version %q and is said to have made %q", i, order[at].made, ch.Version))
		}
	}
	return problems
}

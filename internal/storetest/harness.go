package storetest

import (
	"cmp"
	"testing"
	"time"

	"github.com/weft-mesh/weft/namerd"
)

// Harness is a store to be tested. Only Open is required. Namespaces of the tests
// are of lower case letters, digits and dashes, begin with a letter, have at most 40
// characters, and are different in every test, so all may share one server; whatever
// else is in it must not change.
type Harness struct {
	// Open returns another handle on the same data, as another process would have, and
	// closes it by t.Cleanup. A store that can have only one returns that each time.
	Open func(t *testing.T) namerd.Store

	// Fresh is Open for tests that close the handle themselves. Nil is Open; a store that
	// has only one handle returns one on other data.
	Fresh func(t *testing.T) namerd.Store

	// Restart makes the server go away, lets it be away for a moment, and brings it back
	// with its data, as handles that are open see it. Nil if there is no server.
	Restart func(t *testing.T)

	// BadNamespaces are names that the store cannot have: writes give ErrInvalid, reads
	// find nothing there or give ErrInvalid. They may be empty.
	BadNamespaces []string

	// GoodNamespaces are strange names that it can have.
	GoodNamespaces []string

	// DeletedWithHistory says that a namespace takes its history with it when it is deleted.
	DeletedWithHistory bool

	// NoRevision says that the store has no order of its writes: revisions are zero.
	NoRevision bool

	// History is how many changes of a namespace are kept at least. Zero is 100.
	History int

	// MaxText is the length of text in bytes up to which dtabs must not be refused as too
	// large. Zero is 200 KB.
	MaxText int

	// Many is how many namespaces the test with many makes. Zero is 200.
	Many int

	// Steps is how many operations a run of the property test has on average, and Runs
	// how many runs there are. Zero is 30 and 30; more than 100 runs are 100.
	Steps, Runs int

	// Load is what Run gives to Concurrent.
	Load Load

	// Within is how long an observer may take to see a write on a busy machine before the
	// test fails. Zero is 20 s.
	Within time.Duration
}

func (h Harness) withDefaults() Harness {
	if h.Fresh == nil {
		h.Fresh = h.Open
	}
	h.History = cmp.Or(h.History, 100)
	h.MaxText = cmp.Or(h.MaxText, 200<<10)
	h.Many = cmp.Or(h.Many, 200)
	h.Steps = cmp.Or(h.Steps, 30)
	h.Runs = cmp.Or(h.Runs, 30)
	h.Load = h.Load.withDefaults()
	h.Within = cmp.Or(h.Within, 20*time.Second)
	return h
}

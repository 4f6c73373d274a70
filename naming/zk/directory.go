package zk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	zoo "github.com/go-zookeeper/zk"

	"github.com/weft-mesh/weft/naming"
)

// directory follows the children of a znode and what they say. It keeps what every
// child said, and reads again only what has changed.
type directory[T any] struct {
	s    *session
	path string

	// wanted picks the children to read, from all of them in order.
	wanted func(names []string) []string
	// parse reads what a child says. A child that it refuses is reported and left out,
	// or keeps what it said before.
	parse  func(name string, data []byte) (T, error)
	faults *faults

	link    int // the connection at the time of the last listing
	listed  *answer
	entries map[string]*entry[T]
}

// entry is a child.
type entry[T any] struct {
	name    string
	value   T
	usable  bool  // value holds, if only from before
	bad     error // what is wrong with what it says now
	zxid    int64
	changed <-chan struct{}
}

// listing is what a directory says.
type listing[T any] struct {
	absent  bool
	entries []*entry[T] // the usable ones by name
	zxid    int64       // the last change
	bad     error       // what is wrong with one of them
}

// version is what WatchStatus shows.
func (l listing[T]) version() string { return fmt.Sprintf("%#x", l.zxid) }

// follow reports the listing until ctx ends, and again whenever it changed or a
// lost connection was found again.
func (d *directory[T]) follow(ctx context.Context, report func(listing[T], string), fail func(error)) error {
	for ctx.Err() == nil {
		link, linkChanged := d.s.link.Load()
		signals := []<-chan struct{}{linkChanged}
		if link.up {
			l, err := d.read(ctx, link.count)
			switch {
			case ctx.Err() != nil:
				continue
			case err != nil && connectionLost(err):
				// The link tells why, as soon as the library does.
				waitFor(ctx, time.Second, signals)
				continue
			case err != nil:
				return err
			}
			report(l, l.version())
			signals = d.signals(signals)
		} else if link.err != nil {
			fail(link.err)
		}
		_ = naming.Any(ctx, signals) // the loop looks at ctx
	}
	return nil
}

// read brings what is known up to date. A child that has gone since it was listed
// makes it begin again: who comes next is in the same listing as who has gone.
func (d *directory[T]) read(ctx context.Context, link int) (listing[T], error) {
	for gone := true; gone; {
		if d.listed == nil || d.link != link || closed(d.listed.changed) {
			if err := d.list(ctx); err != nil {
				return listing[T]{}, err
			}
			d.link = link
		}
		var err error
		if gone, err = d.readChildren(ctx); err != nil {
			return listing[T]{}, err
		}
		if gone {
			d.listed = nil
		}
	}
	l := listing[T]{absent: !d.listed.exists, zxid: d.listed.stat.Pzxid}
	for _, e := range d.entries {
		l.zxid = max(l.zxid, e.zxid)
		l.bad = cmp.Or(l.bad, e.bad)
		if e.usable {
			l.entries = append(l.entries, e)
		}
	}
	slices.SortFunc(l.entries, func(a, b *entry[T]) int { return cmp.Compare(a.name, b.name) })
	return l, nil
}

// list reads the names of the children, and forgets who has gone.
func (d *directory[T]) list(ctx context.Context) error {
	for {
		a, err := d.s.ask(ctx, getChildren, d.path)
		a.exists = err == nil
		if errors.Is(err, zoo.ErrNoNode) {
			a, err = d.s.ask(ctx, getExists, d.path)
			if err == nil && a.exists {
				continue // it was made in between
			}
		}
		if err != nil {
			return explained(d.path, err)
		}
		d.listed = &a
		break
	}
	slices.Sort(d.listed.children)
	old := d.entries
	d.entries = make(map[string]*entry[T], len(d.listed.children))
	for _, name := range d.wanted(d.listed.children) {
		if e := old[name]; e != nil {
			d.entries[name] = e
		} else {
			d.entries[name] = &entry[T]{name: name}
		}
	}
	return nil
}

// readChildren reads the children that are new or have changed, and reports whether
// one of them has gone.
func (d *directory[T]) readChildren(ctx context.Context) (gone bool, failure error) {
	type said struct {
		*entry[T]
		answer
	}
	stale := make([]*entry[T], 0, len(d.entries))
	for _, e := range d.entries {
		if e.changed == nil || closed(e.changed) {
			stale = append(stale, e)
		}
	}
	slices.SortFunc(stale, func(a, b *entry[T]) int { return strings.Compare(a.name, b.name) })
	got := make(chan said, len(stale))
	asked := 0
	for _, e := range stale {
		k := watchKey{below(d.path, e.name), getData}
		if failure = d.s.start(ctx, k, func(a answer) { got <- said{e, a} }); failure != nil {
			break
		}
		asked++
	}
	for range asked {
		select {
		case a := <-got:
			switch {
			case errors.Is(a.err, zoo.ErrNoNode):
				gone = true
			case a.err != nil:
				failure = cmp.Or(failure, explained(below(d.path, a.name), a.err))
			default:
				d.heard(a.entry, a.answer)
			}
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
	return gone, failure
}

// heard takes what a child says.
func (d *directory[T]) heard(e *entry[T], a answer) {
	e.changed = a.changed
	if e.zxid == a.stat.Mzxid {
		return
	}
	e.zxid = a.stat.Mzxid
	v, err := d.parse(e.name, a.data)
	if e.bad = err; err != nil {
		d.faults.malformed(below(d.path, e.name), e.zxid, err)
		return
	}
	e.value, e.usable = v, true
}

// signals appends what may change the listing.
func (d *directory[T]) signals(to []<-chan struct{}) []<-chan struct{} {
	to = append(to, d.listed.changed)
	for _, e := range d.entries {
		to = append(to, e.changed)
	}
	return to
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// waitFor waits for one of the signals, no longer than d.
func waitFor(ctx context.Context, d time.Duration, signals []<-chan struct{}) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	_ = naming.Any(ctx, signals) // whatever it was, look again
}

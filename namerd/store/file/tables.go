package file

import (
	"encoding/json"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/weft-mesh/weft/namerd"
)

const (
	// format is the version of what is in the file. Another one is refused.
	format = "1"

	// maxHistory is how many changes of a namespace are kept.
	maxHistory = 100

	// maxGraves is how many deleted namespaces are remembered, for their history and for
	// their count.
	maxGraves = 1000
)

// tables is the file as one transaction sees it.
type tables struct{ weft, live, dead, graves, history *bolt.Bucket }

func newTables(tx *bolt.Tx) (*tables, error) {
	t := &tables{}
	for name, b := range t.all() {
		if *b = tx.Bucket([]byte(name)); *b == nil {
			return nil, fmt.Errorf("it has no bucket %s", name)
		}
	}
	return t, nil
}

// createTables makes those of a new file, whose revisions are of the sequence with a name.
func createTables(tx *bolt.Tx, of string) error {
	t := &tables{}
	for name, b := range t.all() {
		var err error
		if *b, err = tx.CreateBucket([]byte(name)); err != nil {
			return err
		}
	}
	return errors.Join(
		t.weft.Put([]byte("format"), []byte(format)), t.weft.Put([]byte("of"), []byte(of)),
		t.setNumber("revision", 0), t.setNumber("floor", 0))
}

func (t *tables) all() map[string]**bolt.Bucket {
	return map[string]**bolt.Bucket{"weft": &t.weft, "live": &t.live, "dead": &t.dead, "graves": &t.graves, "history": &t.history}
}

func (t *tables) number(key string) (uint64, error) {
	n, err := parseNumber(t.weft.Get([]byte(key)))
	if err != nil {
		return 0, fmt.Errorf("its %s: %w", key, err)
	}
	return n, nil
}

func (t *tables) setNumber(key string, n uint64) error { return t.weft.Put([]byte(key), number(n)) }

// record returns the record of a namespace and whether it exists. One that there
// never was has a record that begins its count.
func (t *tables) record(namespace string) (r record, exists bool, err error) {
	if b := t.live.Get([]byte(namespace)); b != nil {
		r, err = decodeRecord(b)
		return r, true, err
	}
	if b := t.dead.Get([]byte(namespace)); b != nil {
		r, err = decodeRecord(b)
		return r, false, err
	}
	r.count, err = t.number("floor")
	return r, false, err
}

// set writes the record of a namespace that exists from now on, or does not.
func (t *tables) set(namespace string, was record, existed bool, r record, exists bool) error {
	key := []byte(namespace)
	if exists {
		err := t.live.Put(key, r.encode())
		if !existed {
			err = errors.Join(err, t.dead.Delete(key), t.graves.Delete(number(was.revision)))
		}
		return err
	}
	return errors.Join(t.live.Delete(key), t.dead.Put(key, r.encode()), t.graves.Put(number(r.revision), key))
}

// forget removes the oldest of too many deleted namespaces. It returns their names.
func (t *tables) forget() (names []string, err error) {
	n := 0
	graves := t.graves.Cursor()
	for k, _ := graves.First(); k != nil; k, _ = graves.Next() {
		n++
	}
	for ; n > maxGraves; n-- {
		k, v := graves.First()
		name := string(v)
		r, _, err := t.record(name)
		if err != nil {
			return names, err
		}
		floor, err := t.number("floor")
		if err != nil {
			return names, err
		}
		if err := errors.Join(t.setNumber("floor", max(floor, r.count)), t.dead.Delete(v), t.dropHistory(v), t.graves.Delete(k)); err != nil {
			return names, err
		}
		names = append(names, name)
	}
	return names, nil
}

func (t *tables) dropHistory(namespace []byte) error {
	err := t.history.DeleteBucket(namespace)
	if errors.Is(err, bolterrors.ErrBucketNotFound) {
		return nil
	}
	return err
}

// addChange appends the change that was a namespace's write number count.
func (t *tables) addChange(namespace string, count uint64, c namerd.Change) error {
	b, err := t.history.CreateBucketIfNotExists([]byte(namespace))
	if err != nil {
		return err
	}
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if err := b.Put(number(count), text); err != nil {
		return err
	}
	if count <= maxHistory {
		return nil
	}
	return b.Delete(number(count - maxHistory))
}

// changes returns the last changes of a namespace, the latest first.
func (t *tables) changes(namespace string, limit int) ([]namerd.Change, error) {
	b := t.history.Bucket([]byte(namespace))
	if b == nil {
		return nil, nil
	}
	var list []namerd.Change
	last := b.Cursor()
	for k, v := last.Last(); k != nil && len(list) < limit; k, v = last.Prev() {
		var c namerd.Change
		if err := json.Unmarshal(v, &c); err != nil {
			return nil, fmt.Errorf("its change %x: %w", k, err)
		}
		list = append(list, c)
	}
	return list, nil
}

package file

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// Open opens the store in a file, which is made if it does not exist, readable for
// its owner only, as are the directories above it. The error says what is wrong with
// which file.
func Open(path string, o Options) (*Store, error) {
	if path == "" {
		return nil, errors.New("file: no path")
	}
	o = o.withDefaults()
	if err := create(path); err != nil {
		return nil, fmt.Errorf("file: making %s: %w", path, err)
	}
	db, err := openDB(path, o)
	if err != nil {
		return nil, err
	}
	s, err := newStore(db)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("file: %s: %w", path, err), db.Close())
	}
	return s, nil
}

// create makes the file unless there is one. It gets its name when it is complete, so
// that a process that is killed meanwhile leaves no half of one.
func create(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+".new*") // with mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // its other name stays
	if err := f.Close(); err != nil {
		return err
	}
	db, err := bolt.Open(f.Name(), 0o600, nil)
	if err != nil {
		return err
	}
	of := rand.Text()
	if err := errors.Join(db.Update(func(tx *bolt.Tx) error { return createTables(tx, of) }), db.Close()); err != nil {
		return err
	}
	// Another process that does the same is not overwritten.
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return syncDir(dir)
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// openDB opens a file that exists and checks that it is whole.
func openDB(path string, o Options) (*bolt.DB, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("file: %w", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("file: %s is not a file", path)
	case info.Size() == 0:
		return nil, fmt.Errorf("file: %s is empty, which a store never is: remove it to begin with nothing", path)
	}
	// All that bbolt takes for granted is read once before it opens the file for writing,
	// since it would panic then and keep the lock.
	db, err := openBolt(path, bolt.Options{Timeout: o.LockTimeout, ReadOnly: true})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(db.View(readAll), db.Close()); err != nil {
		return nil, damaged(path, err)
	}
	db, err = openBolt(path, bolt.Options{Timeout: o.LockTimeout, FreelistType: bolt.FreelistMapType})
	if err != nil {
		return nil, err
	}
	if err := db.View(check); err != nil {
		return nil, errors.Join(damaged(path, err), db.Close())
	}
	return db, nil
}

func openBolt(path string, o bolt.Options) (*bolt.DB, error) {
	db, err := func() (db *bolt.DB, err error) {
		defer guard(&err)()
		return bolt.Open(path, 0o600, &o)
	}()
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("file: %s is in use by another process: one at a time can have it", path)
	case errors.Is(err, os.ErrPermission):
		return nil, fmt.Errorf("file: %w", err)
	case err != nil:
		return nil, damaged(path, err)
	}
	return db, nil
}

func damaged(path string, err error) error {
	return fmt.Errorf("file: %s is no store of dtabs or is damaged: %w", path, err)
}

// guard makes panics an error, and faults, too: what bbolt does about files that it
// did not write.
func guard(err *error) func() {
	was := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(was)
		if r := recover(); r != nil {
			*err = fmt.Errorf("%v", r)
		}
	}
}

// readAll reads every key and value of a file.
func readAll(tx *bolt.Tx) (err error) {
	defer guard(&err)()
	info, err := os.Stat(tx.DB().Path())
	if err != nil {
		return err
	}
	if tx.Size() > info.Size() {
		return fmt.Errorf("it has %d bytes of %d", info.Size(), tx.Size())
	}
	var read func(b *bolt.Bucket) error
	read = func(b *bolt.Bucket) error {
		return b.ForEach(func(k, v []byte) error {
			if v == nil {
				return read(b.Bucket(k))
			}
			return nil
		})
	}
	return tx.ForEach(func(_ []byte, b *bolt.Bucket) error { return read(b) })
}

// check says what is wrong with the structure of a file.
func check(tx *bolt.Tx) (first error) {
	for err := range tx.Check() {
		if first == nil {
			first = err
		}
	}
	return first
}

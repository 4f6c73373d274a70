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
func openDB(path string, o Options) (db *bolt.DB, err error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("file: %w", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("file: %s is not a file", path)
	case info.Size() == 0:
		return nil, fmt.Errorf("file: %s is empty, which a store never is: remove it to begin with nothing", path)
	}
	var file *os.File
	// A damaged file makes bbolt panic and, where pages are missing at its end, fault.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = errors.Join(damaged(path, fmt.Errorf("%v", r)), file.Close()) // which lets go of the lock
		}
	}()
	db, err = bolt.Open(path, 0o600, &bolt.Options{
		Timeout:      o.LockTimeout,
		FreelistType: bolt.FreelistMapType,
		OpenFile: func(name string, flag int, mode os.FileMode) (*os.File, error) {
			f, err := os.OpenFile(name, flag, mode) //nolint:gosec // the path is the caller's
			file = f
			return f, err
		},
	})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("file: %s is in use by another process: one at a time can have it", path)
	case errors.Is(err, os.ErrPermission):
		return nil, fmt.Errorf("file: %w", err)
	case err != nil:
		return nil, damaged(path, err)
	}
	if err := check(db); err != nil {
		return nil, errors.Join(damaged(path, err), db.Close())
	}
	return db, nil
}

func damaged(path string, err error) error {
	return fmt.Errorf("file: %s is no store of dtabs or is damaged: %w", path, err)
}

// check says what is wrong with the structure of a file.
func check(db *bolt.DB) error {
	info, err := os.Stat(db.Path())
	if err != nil {
		return err
	}
	return db.View(func(tx *bolt.Tx) error {
		if tx.Size() > info.Size() {
			return fmt.Errorf("it has %d bytes of %d", info.Size(), tx.Size())
		}
		var first error
		for err := range tx.Check() {
			if first == nil {
				first = err
			}
		}
		return first
	})
}

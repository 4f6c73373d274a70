package file

import (
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// maxBatch is how many writes are made in one transaction.
const maxBatch = 1024

// run makes writes until Close. All that wait when a transaction begins are made in
// it: while the disk is busy with one, the next one gathers.
func (s *Store) run() {
	for {
		select {
		case first := <-s.ops:
			s.commit(s.gather(first))
		case <-s.closing:
			return
		}
	}
}

// gather returns an op and those that wait, too.
func (s *Store) gather(first *op) []*op {
	batch := []*op{first}
	for len(batch) < maxBatch {
		select {
		case o := <-s.ops:
			batch = append(batch, o)
		default:
			return batch
		}
	}
	return batch
}

// commit makes a batch of writes, shows what has become of it, and then tells those
// who wait.
func (s *Store) commit(batch []*op) {
	changed := map[string]bool{}
	err := s.db.Update(func(tx *bolt.Tx) error {
		t, err := newTables(tx)
		if err != nil {
			return err
		}
		for _, o := range batch {
			names, err := o.make(t)
			for _, ns := range names {
				changed[ns] = true
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	// A transaction that failed may be in the file all the same, if what failed was the
	// last thing that the disk was asked for: so what is shown is read either way.
	if shown := s.show(changed); err == nil {
		err = shown
	}
	for _, o := range batch {
		if o.err == nil && err != nil {
			o.version, o.err = "", fmt.Errorf("file: writing to %s: %w", s.db.Path(), err)
		}
		close(o.done)
	}
}

// show brings the image up to date and wakes the watches.
func (s *Store) show(changed map[string]bool) error {
	if len(changed) == 0 {
		return nil
	}
	var comeOrGone []string
	err := s.db.View(func(tx *bolt.Tx) error {
		t, err := newTables(tx)
		if err == nil {
			comeOrGone, err = s.image.update(t, changed)
		}
		return err
	})
	if len(comeOrGone) > 0 {
		s.bells.Ring(allNames{})
	}
	for ns := range changed {
		s.bells.Ring(oneDtab(ns))
	}
	return err
}

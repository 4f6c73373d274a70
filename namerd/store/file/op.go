package file

import (
	"context"
	"errors"
	"time"
	"unicode/utf8"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
)

// maxText is how long the text of a dtab may be, in bytes.
const maxText = 8 << 20

// op is one write that somebody waits for.
type op struct {
	ctx       context.Context //nolint:containedctx // of the one who waits
	namespace string
	dtab      dtab.Dtab
	text      string // of the dtab
	deletes   bool
	note      namerd.Note
	at        time.Time
	// only returns an error of namerd if the write is not to be made on what there is.
	only func(cur record, exists bool) error

	// What came of it, once done is closed.
	done    chan struct{}
	version namerd.Version
	err     error
}

// check says why the op cannot be made whatever there is.
func (o *op) check() error {
	if err := checkName(o.namespace); err != nil {
		return &namerd.Error{Is: namerd.ErrInvalid, Namespace: o.namespace, Detail: err}
	}
	if len(o.text) > maxText {
		return &namerd.Error{Is: namerd.ErrTooLarge, Namespace: o.namespace, Detail: errors.New("its text must not have more than 8 MiB")}
	}
	return nil
}

// make makes the op in a transaction. An error of it is the transaction's; one that is
// only the op's is kept there. It returns the namespaces that it has changed.
func (o *op) make(t *tables) (changed []string, err error) {
	if o.err = context.Cause(o.ctx); o.err != nil {
		return nil, nil //nolint:nilerr // the others can be made
	}
	was, existed, err := t.record(o.namespace)
	if err != nil {
		o.err = err
		return nil, nil //nolint:nilerr // the others can be made
	}
	if err := o.only(was, existed); err != nil {
		o.err = &namerd.Error{Is: err, Namespace: o.namespace}
		return nil, nil //nolint:nilerr // the others can be made
	}
	revision, err := t.number("revision")
	if err != nil {
		return nil, err
	}
	r := record{count: was.count + 1, revision: revision + 1, text: o.text}
	c := namerd.Change{Note: o.note, At: o.at, Deleted: o.deletes, Dtab: o.dtab}
	if !o.deletes {
		o.version, c.Version = r.version(), r.version()
	}
	err = errors.Join(
		t.setNumber("revision", r.revision),
		t.set(o.namespace, was, existed, r, !o.deletes),
		t.addChange(o.namespace, r.count, c))
	if err != nil || !o.deletes {
		return []string{o.namespace}, err
	}
	forgotten, err := t.forget()
	return append(forgotten, o.namespace), err
}

// checkName says what is wrong with the name of a namespace. It may be whatever can
// follow /api/1/dtabs/ in a URL.
func checkName(namespace string) error {
	switch {
	case namespace == "":
		return errors.New("it must not be empty")
	case len(namespace) > 1024:
		return errors.New("it must not have more than 1024 bytes")
	case !utf8.ValidString(namespace):
		return errors.New("it must be UTF-8")
	}
	return nil
}

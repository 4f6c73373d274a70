package namerd

import "errors"

// What can keep a write from being made. Stores return them in an *Error.
var (
	ErrExists    = errors.New("namerd: the namespace exists")
	ErrMissing   = errors.New("namerd: the namespace does not exist")
	ErrMismatch  = errors.New("namerd: the namespace has another version")
	ErrInvalid   = errors.New("namerd: the store cannot have such a namespace")
	ErrForbidden = errors.New("namerd: the store does not permit it")
	ErrTooLarge  = errors.New("namerd: the dtab is too large for the store")
)

// Error is why a store did not do what it was asked for.
type Error struct {
	// Is is one of the errors of this package. errors.Is finds it.
	Is        error
	Namespace string

	// Detail adds what the store says: the rule that a name breaks, the version that
	// there is. May be nil.
	Detail error
}

// Error returns the text that namerd 1.7.5 has for it, with the detail.
func (e *Error) Error() string {
	text := "namerd: namespace " + e.Namespace
	for _, known := range []struct {
		is   error
		text string
	}{
		{ErrExists, "The dtab namespace " + e.Namespace + " already exists"},
		{ErrMissing, "The dtab namespace " + e.Namespace + " does not exist"},
		{ErrMismatch, "Could not update dtab: current version does not match provided version"},
		{ErrInvalid, "invalid dtab namespace " + e.Namespace},
		{ErrForbidden, "You do not have sufficient permissions"},
		{ErrTooLarge, "The dtab for the namespace " + e.Namespace + " is too large for the store"},
	} {
		if errors.Is(e.Is, known.is) {
			text = known.text
		}
	}
	if e.Detail != nil {
		text += ": " + e.Detail.Error()
	}
	return text
}

// Unwrap returns the error of this package and the detail.
func (e *Error) Unwrap() []error {
	if e.Detail == nil {
		return []error{e.Is}
	}
	return []error{e.Is, e.Detail}
}

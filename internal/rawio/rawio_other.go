//go:build !unix

package rawio

import "errors"

const supported = false

// Read is not supported.
func Read(uintptr, []byte) (n int, again bool, err error) { return 0, false, errors.ErrUnsupported }

// Write is not supported.
func Write(uintptr, []byte) (n int, again bool, err error) { return 0, false, errors.ErrUnsupported }

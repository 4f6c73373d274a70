//go:build !race && !386 && !s390x

package rawio_test

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/rawio"
)

// A socket that somebody has made a blocking one does not keep the processor.
func TestBlockingSocket(t *testing.T) {
	a, b := pair(t)
	f, err := a.File() // shares its flags with a
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, syscall.SetNonblock(int(f.Fd()), false))
	defer func() { require.NoError(t, syscall.SetNonblock(int(f.Fd()), true)) }()
	raw, err := a.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, raw.Control(func(fd uintptr) {
		_, again, err := rawio.Read(fd, make([]byte, 1))
		assert.True(t, again)
		assert.NoError(t, err)
		for again = false; !again && err == nil; {
			_, again, err = rawio.Write(fd, make([]byte, 64<<10))
		}
		assert.True(t, again)
		assert.NoError(t, err)
	}))
	require.NoError(t, b.Close())
}

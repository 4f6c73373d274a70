package fs_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/fs"
)

// dtabText is the state of a dtab file as text.
func dtabText(f *fs.DtabFile) string {
	s, _ := f.Load()
	switch {
	case s.Pending():
		return "pending"
	case !s.Known:
		return "failed"
	default:
		return s.Value.String() + stale(s.Err)
	}
}

func newDtabFile(t *testing.T, path string, o fs.Options) *fs.DtabFile {
	t.Helper()
	f, err := fs.NewDtabFile(path, o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, f.Close()) })
	return f
}

func TestDtabFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "router.dtab")
	write(t, "/svc => /#/io.l5d.fs ; # all\n", path)
	require.NoError(t, os.Chtimes(path, time.Time{}, time.Now().Add(-time.Minute)))
	f := newDtabFile(t, path, fs.Options{Poll: time.Hour})
	assert.Equal(t, "/svc=>/#/io.l5d.fs", dtabText(f), "known from the start")
	comes := func(want string) {
		t.Helper()
		assert.Less(t, eventually(t, want, func() string { return dtabText(f) }), promptly)
	}
	write(t, "/svc => /a\n", path)
	comes("/svc=>/a")
	replace(t, "/svc => /b", path)
	comes("/svc=>/b")

	write(t, "/svc => => /c\n", path)
	comes("/svc=>/b (stale)")
	s, _ := f.Load()
	var syntax *dtab.SyntaxError
	require.ErrorAs(t, s.Err, &syntax)
	assert.ErrorContains(t, s.Err, path)
	write(t, "/svc => /b\n", path)
	comes("/svc=>/b")

	require.NoError(t, os.Remove(path))
	comes("/svc=>/b (stale)")
	s, _ = f.Load()
	require.ErrorIs(t, s.Err, fs.ErrGone)
	write(t, "junk\n", path)
	eventually(t, "true", func() string {
		s, _ := f.Load()
		return strconv.FormatBool(errors.As(s.Err, &syntax))
	})
	comes("/svc=>/b (stale)")
	write(t, "/svc => /c\n", path)
	comes("/svc=>/c")

	require.NoError(t, os.RemoveAll(filepath.Dir(path)))
	comes("/svc=>/c (stale)")
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	write(t, "/svc => /d\n", path)
	comes("/svc=>/d")

	write(t, "", path)
	comes("")
}

func TestDtabFileThatIsNotThereYet(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{filepath.Join(dir, "dtab"), filepath.Join(dir, "later", "dtab")} {
		_, err := fs.NewDtabFile(path, fs.Options{})
		require.EqualError(t, err, fmt.Sprintf("fs: dtabFile: %q is not a file", path))
		f := newDtabFile(t, path, fs.Options{MayBeAbsent: true})
		assert.Equal(t, "pending", dtabText(f))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		write(t, "/svc => /a\n", path)
		eventually(t, "/svc=>/a", func() string { return dtabText(f) })
	}
	for _, path := range []string{"", dir} {
		_, err := fs.NewDtabFile(path, fs.Options{MayBeAbsent: true})
		require.EqualError(t, err, fmt.Sprintf("fs: dtabFile: %q is not a file", path))
	}
	bad := filepath.Join(dir, "bad")
	write(t, "junk\n", bad)
	f := newDtabFile(t, bad, fs.Options{})
	eventually(t, "failed", func() string { return dtabText(f) })
}

// TestDtabRewritesAreNeverSeenHalfDone rewrites the file while an interpreter
// binds with it.
func TestDtabRewritesAreNeverSeenHalfDone(t *testing.T) {
	for name, rewrite := range styles() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "dtab")
			write(t, "/svc => /$/inet/10.0.0.1/80 ;\n/svc => /$/inet/10.0.0.1/1000 ;\n", path)
			f := newDtabFile(t, path, fs.Options{Quiet: 50 * time.Millisecond, Patience: time.Second})
			last := ""
			check := func() {
				s, _ := f.Load()
				if !s.Known && last == "" {
					return
				}
				last = s.Value.String()
				if len(s.Value) != 2 || s.Err != nil {
					t.Errorf("%q, error %v", last, s.Err)
				}
			}
			for i := range 100 {
				rewrite(t, fmt.Sprintf("/svc => /$/inet/10.0.0.1/80 ;\n/svc => /$/inet/10.0.0.1/%d ;\n", 1000+i), filepath.Dir(path), "dtab")
				for range 5 {
					check()
					pause(200 * time.Microsecond)
				}
			}
			eventually(t, "/svc=>/$/inet/10.0.0.1/80;/svc=>/$/inet/10.0.0.1/1099", func() string { check(); return dtabText(f) })
		})
	}
}

func ExampleNewDtabFile() {
	dir, err := os.MkdirTemp("", "dtab")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "router.dtab")
	if err := os.WriteFile(path, []byte("/svc => /$/nil\n"), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	stored, err := fs.NewDtabFile(path, fs.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stored.Close()
	in := naming.NewInterpreter(naming.Options{Stored: stored})
	defer in.Close()
	eventuallyKnown(stored)
	s, _ := stored.Load()
	fmt.Println(s.Value)
	// Output: /svc=>/$/nil
}

// eventuallyKnown waits for a file that was written a moment ago to rest.
func eventuallyKnown(f *fs.DtabFile) {
	for {
		s, stale := f.Load()
		if s.Known {
			return
		}
		<-stale
	}
}

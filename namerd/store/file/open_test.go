package file_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/file"
)

func TestItIsMadeForItsOwnerOnly(t *testing.T) {
	path := filepath.Join(quickDir(t), "a", "b", "dtabs.db")
	open(t, path)
	for p, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700, filepath.Dir(filepath.Dir(path)): 0o700} {
		info, err := os.Stat(p)
		require.NoError(t, err)
		assert.Equal(t, want, info.Mode().Perm(), p)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, entries, 1, "nothing is left beside it")
}

// TestReopened is that everything is as it was: dtabs, versions, revisions, history, and
// what was deleted.
func TestReopened(t *testing.T) {
	ctx, path, note := t.Context(), filepath.Join(quickDir(t), "dtabs.db"), namerd.Note{Author: "me", Reason: "why"}
	s := open(t, path)
	v, err := s.Create(ctx, "a", dtab.MustParse("/svc=>/#/a"), note)
	require.NoError(t, err)
	assert.Equal(t, namerd.Version("\x00\x00\x00\x00\x00\x00\x00\x01"), v)
	v, err = s.Update(ctx, "a", dtab.MustParse("/svc=>0.5*/a&0.25*/b"), v, note)
	require.NoError(t, err)
	_, err = s.Put(ctx, "gone", nil, note)
	require.NoError(t, err)
	require.NoError(t, s.Delete(ctx, "gone", "", note))
	state := func(s namerd.Store) []any {
		t.Helper()
		var all []any
		for _, ns := range []string{"a", "gone", "never"} {
			st, err := s.Get(ctx, ns)
			require.NoError(t, err)
			changes, err := s.History(ctx, ns, 100)
			require.NoError(t, err)
			all = append(all, st.Exists, st.Version, st.Revision, st.Dtab.String(), changes)
		}
		list, err := s.List(ctx)
		require.NoError(t, err)
		return append(all, list)
	}
	want := state(s)
	require.NoError(t, s.Close())
	s = open(t, path)
	assert.Equal(t, want, state(s))
	_, err = s.Update(ctx, "a", nil, v, note)
	require.NoError(t, err, "its version is still good")
	again, err := s.Create(ctx, "gone", nil, note)
	require.NoError(t, err)
	assert.Equal(t, namerd.Version("\x00\x00\x00\x00\x00\x00\x00\x03"), again, "the count goes on")
}

func TestOnlyOneProcess(t *testing.T) {
	path := filepath.Join(quickDir(t), "dtabs.db")
	s := open(t, path)
	began := time.Now()
	_, err := file.Open(path, file.Options{LockTimeout: -1})
	require.EqualError(t, err, "file: "+path+" is in use by another process: one at a time can have it")
	assert.Less(t, time.Since(began), 10*time.Second)
	time.AfterFunc(100*time.Millisecond, func() { _ = s.Close() })
	s, err = file.Open(path, file.Options{LockTimeout: 20 * time.Second})
	require.NoError(t, err, "it waits for the one before")
	require.NoError(t, s.Close())

	// another process, indeed
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+path)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	_, err = out.Read(make([]byte, 6))
	require.NoError(t, err)
	_, err = file.Open(path, file.Options{LockTimeout: 10 * time.Millisecond})
	require.ErrorContains(t, err, "in use by another process")
}

// TestUnusableFiles is files that are none of this store's.
func TestUnusableFiles(t *testing.T) {
	good := filepath.Join(quickDir(t), "good.db")
	s := open(t, good)
	for range 20 {
		_, err := s.Put(t.Context(), "a", dtab.MustParse(strings.Repeat("/svc=>/#/a;", 300)), namerd.Note{})
		require.NoError(t, err)
	}
	require.NoError(t, s.Close())
	whole, err := os.ReadFile(good)
	require.NoError(t, err)
	boltWith := func(do func(tx *bolt.Tx) error) func(t *testing.T, path string) {
		return func(t *testing.T, path string) {
			t.Helper()
			db, err := bolt.Open(path, 0o600, nil)
			require.NoError(t, err)
			require.NoError(t, db.Update(do))
			require.NoError(t, db.Close())
		}
	}
	content := func(b []byte) func(t *testing.T, path string) {
		return func(t *testing.T, path string) { t.Helper(); require.NoError(t, os.WriteFile(path, b, 0o600)) }
	}
	scrambled := append([]byte(nil), whole...)
	for i := 2 * os.Getpagesize(); i < len(scrambled); i++ {
		scrambled[i] ^= 0x5a
	}
	for name, c := range map[string]struct {
		make func(t *testing.T, path string)
		want string
	}{
		"empty":             {content(nil), "is empty, which a store never is"},
		"text":              {content([]byte("default: /svc => /#/a\n")), "is no store of dtabs or is damaged"},
		"long text":         {content([]byte(strings.Repeat("dtab\n", 10000))), "is no store of dtabs or is damaged"},
		"cut":               {content(whole[:4*os.Getpagesize()]), "is no store of dtabs or is damaged"},
		"cut in the middle": {content(whole[:len(whole)/3]), "is no store of dtabs or is damaged"},
		"cut at its head":   {content(whole[:os.Getpagesize()]), "is no store of dtabs or is damaged"},
		"scrambled":         {content(scrambled), "is no store of dtabs or is damaged"},
		"a directory":       {func(t *testing.T, path string) { t.Helper(); require.NoError(t, os.Mkdir(path, 0o700)) }, "is not a file"},
		"another bolt file": {
			boltWith(func(tx *bolt.Tx) error { _, err := tx.CreateBucket([]byte("mine")); return err }), "it has no bucket",
		},
		"a later format": {func(t *testing.T, path string) {
			t.Helper()
			content(whole)(t, path)
			boltWith(func(tx *bolt.Tx) error { return tx.Bucket([]byte("weft")).Put([]byte("format"), []byte("2")) })(t, path)
		}, `its format is "2", and this version of weft knows format "1"`},
		"no revision": {func(t *testing.T, path string) {
			t.Helper()
			content(whole)(t, path)
			boltWith(func(tx *bolt.Tx) error { return tx.Bucket([]byte("weft")).Delete([]byte("revision")) })(t, path)
		}, "its revision: a number of 0 bytes instead of 8"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(quickDir(t), "dtabs.db")
			c.make(t, path)
			before, _ := os.ReadFile(path)
			_, err := file.Open(path, file.Options{})
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, path)
			after, _ := os.ReadFile(path)
			assert.Equal(t, before, after, "it is left as it is")
			_, err = file.Open(path, file.Options{})
			require.ErrorContains(t, err, c.want, "nobody holds its lock")
		})
	}
	_, err = file.Open("", file.Options{})
	require.EqualError(t, err, "file: no path")
	_, err = file.Open(filepath.Join(good, "dtabs.db"), file.Options{})
	require.ErrorContains(t, err, "not a directory")
}

// TestDamagedRecord is that what cannot be read of one namespace is an error of that
// one.
func TestDamagedRecord(t *testing.T) {
	ctx, path, note := t.Context(), filepath.Join(quickDir(t), "dtabs.db"), namerd.Note{}
	s := open(t, path)
	for _, ns := range []string{"good", "short", "text"} {
		_, err := s.Put(ctx, ns, dtab.MustParse("/svc=>/a"), note)
		require.NoError(t, err)
	}
	require.NoError(t, s.Close())
	db, err := bolt.Open(path, 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, db.Update(func(tx *bolt.Tx) error {
		live := tx.Bucket([]byte("live"))
		require.NoError(t, live.Put([]byte("short"), []byte("x")))
		return live.Put([]byte("text"), []byte("0123456701234567/svc=>"))
	}))
	require.NoError(t, db.Close())
	s = open(t, path)
	list, err := s.List(ctx)
	require.NoError(t, err)
	assert.Equal(t, []string{"good", "short", "text"}, list)
	for _, ns := range []string{"short", "text"} {
		_, err = s.Get(ctx, ns)
		require.ErrorContains(t, err, "file: namespace "+ns)
		require.Eventually(t, func() bool {
			st, _ := s.Observe(ctx, ns).Load()
			return !st.Known && st.Err != nil
		}, 15*time.Second, time.Millisecond)
	}
	_, err = s.Put(ctx, "short", nil, note)
	require.ErrorContains(t, err, "a record of 1 bytes instead of 16 or more")
	_, err = s.Put(ctx, "text", nil, note)
	require.NoError(t, err, "a new dtab in place of what is none")
	_, err = s.Get(ctx, "text")
	require.NoError(t, err)
	_, err = s.Put(ctx, "good", nil, note)
	require.NoError(t, err)
}

// TestMissingDirectory is that a file is not made where it cannot be.
func TestMissingDirectory(t *testing.T) {
	path := filepath.Join("/proc", "weft", "dtabs.db")
	_, err := file.Open(path, file.Options{})
	require.ErrorContains(t, err, "making "+path)
	require.ErrorIs(t, err, os.ErrNotExist)
}

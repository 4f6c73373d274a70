package fs_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/fs"
)

// style is a way to rewrite a file.
type style func(t require.TestingT, text, dir, name string)

func styles() map[string]style {
	return map[string]style{
		"rename": func(t require.TestingT, text, dir, name string) { replace(t, text, dir, name) },
		"truncate": func(t require.TestingT, text, dir, name string) {
			write(t, text, dir, name)
		},
		"truncate, pause, write in pieces": func(t require.TestingT, text, dir, name string) {
			f, err := os.Create(filepath.Join(dir, name))
			require.NoError(t, err)
			pause(3 * time.Millisecond)
			for i := 0; i < len(text); i += 7 {
				_, err = f.WriteString(text[i:min(i+7, len(text))])
				require.NoError(t, err)
			}
			require.NoError(t, f.Close())
		},
		"move away, write anew": func(t require.TestingT, text, dir, name string) {
			path := filepath.Join(dir, name)
			require.NoError(t, os.Rename(path, path+"~"))
			write(t, text, path)
			require.NoError(t, os.Remove(path+"~"))
		},
		"remove, write": func(t require.TestingT, text, dir, name string) {
			require.NoError(t, os.Remove(filepath.Join(dir, name)))
			write(t, text, dir, name)
		},
	}
}

// TestRewritesNeverFailARequest rewrites a file over and over while readers bind
// the name and read its endpoints as requests do. No request may find the name
// gone or without endpoints, or endpoints that were never written.
func TestRewritesNeverFailARequest(t *testing.T) {
	for name, rewrite := range styles() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, "10.0.0.1 80\n10.0.0.2 80\n10.0.0.3 80\n", dir, "web")
			// A test machine under load may well suspend a writer for longer than the
			// default options allow for; what is tested is that no torn state gets through.
			n := newNamer(t, dir, fs.Options{Quiet: 50 * time.Millisecond, Patience: time.Second})
			in := naming.NewInterpreter(naming.Options{
				Namers: naming.Namers{{Prefix: n.Prefix(), Namer: n}},
				Base:   dtab.MustParse("/svc=>/#/io.l5d.fs"),
			})
			defer in.Close()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			bound := in.Bind(ctx, nil, dtab.MustPath("/svc/web"))
			tree, err := weft.Until(ctx, bound, func(s naming.State[dtab.Tree[*naming.Bound]]) bool { return s.Known })
			require.NoError(t, err)
			set := tree.Value.Value.Addrs(ctx)
			_, err = weft.Until(ctx, set, func(s endpoints) bool { return s.Known })
			require.NoError(t, err)

			var requests, versions atomic.Int64
			var wg sync.WaitGroup
			var failure atomic.Pointer[string]
			for range 2 {
				wg.Go(func() {
					seen := map[string]bool{}
					for ctx.Err() == nil {
						tree, treeStale := bound.Load()
						s, setStale := set.Load()
						bad := !tree.Known || tree.Value.Op != dtab.Leaf || tree.Err != nil || !whole(s)
						if bad {
							text := fmt.Sprintf("tree %+v, endpoints %+v", tree, s)
							failure.CompareAndSwap(nil, &text)
						}
						requests.Add(1)
						if !bad && !seen[s.Value.Endpoints[0].Addr] {
							seen[s.Value.Endpoints[0].Addr] = true
							versions.Add(1)
						}
						select { // readers see every version, and a sample of the time between
						case <-treeStale:
						case <-setStale:
						case <-time.After(50 * time.Microsecond):
						}
					}
				})
			}
			for i := range 300 {
				port := 1000 + i
				rewrite(t, fmt.Sprintf("10.0.0.1 %d\n10.0.0.2 %d\n10.0.0.3 %d\n", port, port, port), dir, "web")
				if i%15 == 0 {
					pause(60 * time.Millisecond) // lets some versions through
				}
			}
			start := time.Now()
			_, err = weft.Until(ctx, set, func(s endpoints) bool { return whole(s) && s.Value.Endpoints[0].Addr == "10.0.0.1:1299" })
			require.NoError(t, err)
			t.Logf("%d requests over %d versions; the last one was in force after %v", requests.Load(), versions.Load()/2, time.Since(start))
			cancel()
			wg.Wait()
			if f := failure.Load(); f != nil {
				t.Error(*f)
			}
		})
	}
}

// whole reports whether a set is one that was written: three endpoints of one
// port.
func whole(s endpoints) bool {
	if !s.Known || s.Err != nil || len(s.Value.Endpoints) != 3 {
		return false
	}
	_, port, _ := strings.Cut(s.Value.Endpoints[0].Addr, ":")
	return !slices.ContainsFunc(s.Value.Endpoints, func(e weft.Endpoint) bool { return !strings.HasSuffix(e.Addr, ":"+port) })
}

// TestWriterThatPauses is about a writer that stalls for much longer than the
// patience between emptying a file and writing to it, as happens on busy disks.
func TestWriterThatPauses(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("cannot tell that a file is open for writing")
	}
	dir := t.TempDir()
	write(t, "10.0.0.1 80\n10.0.0.2 80\n", dir, "web")
	n := newNamer(t, dir, fs.Options{})
	web := watch(t, n, "/web")
	web.comes("/#/io.l5d.fs/web: 10.0.0.1:80 10.0.0.2:80")
	f, err := os.Create(filepath.Join(dir, "web"))
	require.NoError(t, err)
	web.stays("/#/io.l5d.fs/web: 10.0.0.1:80 10.0.0.2:80", 150*time.Millisecond)
	_, err = f.WriteString("10.0.0.3 80\n")
	require.NoError(t, err)
	web.stays("/#/io.l5d.fs/web: 10.0.0.1:80 10.0.0.2:80", 150*time.Millisecond)
	_, err = f.WriteString("10.0.0.4 80\n")
	require.NoError(t, err)
	require.NoError(t, f.Close())
	assert.Less(t, web.comes("/#/io.l5d.fs/web: 10.0.0.3:80 10.0.0.4:80"), promptly)

	f, err = os.OpenFile(filepath.Join(dir, "web"), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	defer f.Close()
	_, err = f.WriteString("10.0.0.5 80\n")
	require.NoError(t, err)
	web.comes("/#/io.l5d.fs/web: 10.0.0.3:80 10.0.0.4:80 10.0.0.5:80") // kept open, and seen all the same
}

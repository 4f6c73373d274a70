package fs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/fs"
)

// promptly is what "well within 100 ms" is taken to be on a busy test machine.
const promptly = 2 * time.Second

func TestNames(t *testing.T) {
	dir := t.TempDir()
	write(t, "10.0.0.1 80\n10.0.0.2 80 * 0.5\n10.0.0.1 80\n", dir, "web")
	write(t, "", dir, "empty")
	write(t, "", dir, "a b")
	write(t, strings.Repeat("#", 512001), dir, "large")
	write(t, strings.Repeat("#", 512000), dir, "largest")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "eu", "west"), 0o700))
	write(t, "10.0.0.3 80\n", dir, "eu", "west", "web")
	require.NoError(t, os.Symlink("nowhere", filepath.Join(dir, "dangling")))
	require.NoError(t, os.Symlink("..", filepath.Join(dir, "eu", "up")))
	n := newNamer(t, dir, fs.Options{})
	for name, want := range map[string]string{
		"/web":          "/#/io.l5d.fs/web: 10.0.0.1:80 10.0.0.2:80*0.5",
		"/web/r/s":      "/#/io.l5d.fs/web+/r/s: 10.0.0.1:80 10.0.0.2:80*0.5",
		"/empty":        "/#/io.l5d.fs/empty:",
		`/\x61\x20\x62`: `/#/io.l5d.fs/\x61\x20\x62:`,
		"/large":        "/#/io.l5d.fs/large: failed",
		"/largest":      "/#/io.l5d.fs/largest:",
		"/eu/west/web":  "/#/io.l5d.fs/eu/west/web: 10.0.0.3:80",
		"/":             "Neg",
		"/eu":           "Neg",
		"/eu/west":      "Neg",
		"/eu/north/x":   "Neg",
		"/Web":          "Neg",
		"/dangling":     "Neg",
		"/eu/up/web":    "Neg", // a loop
		`/eu\x2fwest`:   "Neg",
		"/eu/../web":    "Neg",
		"/./web":        "Neg",
	} {
		watch(t, n, name).comes(want)
	}
	ids, err := n.Names()
	require.NoError(t, err)
	assert.Equal(t, `[/#/io.l5d.fs/\x61\x20\x62 /#/io.l5d.fs/dangling /#/io.l5d.fs/empty /#/io.l5d.fs/eu /#/io.l5d.fs/large /#/io.l5d.fs/largest /#/io.l5d.fs/web]`, fmt.Sprint(ids))
}

func TestPrefix(t *testing.T) {
	dir := t.TempDir()
	write(t, "10.0.0.1 80\n", dir, "web")
	n, err := fs.New(fs.Config{RootDir: dir, Prefix: dtab.MustPath("/#/files")}, fs.Options{})
	require.NoError(t, err)
	defer n.Close()
	assert.Equal(t, dtab.MustPath("/#/files"), n.Prefix())
	watch(t, n, "/web").comes("/#/files/web: 10.0.0.1:80")
}

func TestBadConfig(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	write(t, "", file)
	for dir, want := range map[string]string{
		"":                          "fs: rootDir: is required",
		file:                        "fs: rootDir: " + file + " is not a directory",
		filepath.Join(file, "none"): "fs: rootDir: " + filepath.Join(file, "none") + " is not a directory",
	} {
		_, err := fs.New(fs.Config{RootDir: dir}, fs.Options{})
		assert.EqualError(t, err, want)
	}
}

func TestFilesComeAndGo(t *testing.T) {
	dir := t.TempDir()
	n := newNamer(t, dir, fs.Options{})
	web, sub := watch(t, n, "/web"), watch(t, n, "/eu/web")
	web.comes("Neg")
	sub.comes("Neg")
	for range 3 {
		write(t, "10.0.0.1 80\n", dir, "web")
		assert.Less(t, web.comes("/#/io.l5d.fs/web: 10.0.0.1:80"), promptly)
		require.NoError(t, os.Mkdir(filepath.Join(dir, "eu"), 0o700))
		write(t, "10.0.0.2 80\n", dir, "eu", "web")
		assert.Less(t, sub.comes("/#/io.l5d.fs/eu/web: 10.0.0.2:80"), promptly)
		write(t, "10.0.0.3 80\n", dir, "eu", "web")
		assert.Less(t, sub.comes("/#/io.l5d.fs/eu/web: 10.0.0.3:80"), promptly)
		require.NoError(t, os.Remove(filepath.Join(dir, "web")))
		assert.Less(t, web.comes("Neg"), promptly)
		// Who still observes the endpoints learns it too.
		eventually(t, " neg", func() string { return show(web.sets) })
		require.NoError(t, os.RemoveAll(filepath.Join(dir, "eu")))
		assert.Less(t, sub.comes("Neg"), promptly)
	}
	write(t, "", dir, "web")
	web.comes("/#/io.l5d.fs/web:")
	require.NoError(t, os.Remove(filepath.Join(dir, "web")))
	web.comes("Neg")
	require.NoError(t, os.Mkdir(filepath.Join(dir, "web"), 0o700))
	write(t, "10.0.0.9 80\n", dir, "web", "v2")
	watch(t, n, "/web/v2").comes("/#/io.l5d.fs/web/v2: 10.0.0.9:80")
}

func TestChangesArePrompt(t *testing.T) {
	dir := t.TempDir()
	write(t, "10.0.0.1 80\n", dir, "web")
	n := newNamer(t, dir, fs.Options{})
	web := watch(t, n, "/web")
	web.comes("/#/io.l5d.fs/web: 10.0.0.1:80")
	var inPlace, renamed, emptied time.Duration
	for i := range 10 {
		write(t, fmt.Sprintf("10.0.1.%d 80\n", i), dir, "web")
		inPlace += web.comes(fmt.Sprintf("/#/io.l5d.fs/web: 10.0.1.%d:80", i))
		replace(t, fmt.Sprintf("10.0.2.%d 80\n", i), dir, "web")
		renamed += web.comes(fmt.Sprintf("/#/io.l5d.fs/web: 10.0.2.%d:80", i))
		write(t, "", dir, "web")
		emptied += web.comes("/#/io.l5d.fs/web:")
	}
	t.Logf("on average: in place %v, renamed %v, emptied %v", inPlace/10, renamed/10, emptied/10)
	assert.Less(t, inPlace/10, promptly)
	assert.Less(t, renamed/10, promptly)
	assert.Less(t, emptied/10, promptly)
}

// TestConfigMap does what the kubelet does: the files are links into ..data, which
// is a link to a directory, and only that link is replaced.
func TestConfigMap(t *testing.T) {
	dir := t.TempDir()
	version := func(i int) {
		name := fmt.Sprintf("..2026_%d", i)
		require.NoError(t, os.MkdirAll(filepath.Join(dir, name, "eu"), 0o700))
		write(t, fmt.Sprintf("10.0.0.%d 80\n", i), dir, name, "web")
		write(t, fmt.Sprintf("10.1.0.%d 80\n", i), dir, name, "eu", "web")
		require.NoError(t, os.Symlink(name, filepath.Join(dir, "..data_tmp")))
		require.NoError(t, os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
		require.NoError(t, os.RemoveAll(filepath.Join(dir, fmt.Sprintf("..2026_%d", i-2))))
	}
	// The version before the last one is left in place, so that nothing but the link
	// tells of the change.
	version(1)
	require.NoError(t, os.Symlink("..data/web", filepath.Join(dir, "web")))
	require.NoError(t, os.Symlink("..data/eu", filepath.Join(dir, "eu")))
	n := newNamer(t, dir, fs.Options{Poll: time.Hour})
	web, sub := watch(t, n, "/web"), watch(t, n, "/eu/web")
	web.comes("/#/io.l5d.fs/web: 10.0.0.1:80")
	sub.comes("/#/io.l5d.fs/eu/web: 10.1.0.1:80")
	for i := 2; i < 6; i++ {
		version(i)
		first := web.comes(fmt.Sprintf("/#/io.l5d.fs/web: 10.0.0.%d:80", i))
		then := sub.comes(fmt.Sprintf("/#/io.l5d.fs/eu/web: 10.1.0.%d:80", i))
		t.Logf("web after %v, eu/web after another %v", first, then)
		assert.Less(t, first+then, promptly)
	}
	ids, err := n.Names()
	require.NoError(t, err)
	assert.Equal(t, "[/#/io.l5d.fs/eu /#/io.l5d.fs/web]", fmt.Sprint(ids))
}

func TestRootGoneAndBack(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "disco")
	require.NoError(t, os.Mkdir(dir, 0o700))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "eu"), 0o700))
	write(t, "10.0.0.1 80\n", dir, "web")
	write(t, "10.0.0.2 80\n", dir, "eu", "web")
	n := newNamer(t, dir, fs.Options{Poll: time.Hour})
	web, sub, other := watch(t, n, "/web"), watch(t, n, "/eu/web"), watch(t, n, "/other")
	web.comes("/#/io.l5d.fs/web: 10.0.0.1:80")
	sub.comes("/#/io.l5d.fs/eu/web: 10.0.0.2:80")
	last := "1"
	for i := range 3 {
		if i == 1 {
			require.NoError(t, os.Rename(dir, filepath.Join(parent, "moved")))
		} else {
			require.NoError(t, os.RemoveAll(dir))
		}
		web.comes("/#/io.l5d.fs/web: 10.0.0." + last + ":80 (stale) (stale)")
		last = strconv.Itoa(10 + i)
		other.comes("Neg (stale)")
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "eu"), 0o700))
		replace(t, fmt.Sprintf("10.0.0.%d 80\n", 10+i), dir, "web")
		replace(t, fmt.Sprintf("10.0.1.%d 80\n", 10+i), dir, "eu", "web")
		assert.Less(t, web.comes(fmt.Sprintf("/#/io.l5d.fs/web: 10.0.0.%d:80", 10+i)), promptly)
		assert.Less(t, sub.comes(fmt.Sprintf("/#/io.l5d.fs/eu/web: 10.0.1.%d:80", 10+i)), promptly)
		other.comes("Neg")
	}
}

func TestRootThatIsNotThereYet(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "later", "disco")
	n := newNamer(t, dir, fs.Options{MayBeAbsent: true})
	web := watch(t, n, "/web")
	web.comes("failed")
	require.NoError(t, os.MkdirAll(dir, 0o700))
	write(t, "10.0.0.1 80\n", dir, "web")
	assert.Less(t, web.comes("/#/io.l5d.fs/web: 10.0.0.1:80"), promptly)
}

func TestBadLinesAreLeftOutAndReported(t *testing.T) {
	dir := t.TempDir()
	var log bytes.Buffer
	n, err := fs.New(fs.Config{RootDir: dir}, fs.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	require.NoError(t, err)
	defer n.Close()
	write(t, "10.0.0.1 80\n10.0.0.2 80\n", dir, "web")
	web := watch(t, n, "/web")
	web.comes("/#/io.l5d.fs/web: 10.0.0.1:80 10.0.0.2:80")
	write(t, "10.0.0.1 80\n10.0.0.2 eighty\n10.0.0.3 80\n", dir, "web")
	web.comes("/#/io.l5d.fs/web: 10.0.0.1:80 10.0.0.3:80 (stale)")

	write(t, "10.0.0.1\n10.0.0.2\n", dir, "web")
	path := filepath.Join(dir, "web")
	want := fmt.Sprintf(`{"rootDir":%q,"dirs":[{"dir":".","files":[{"id":"/#/io.l5d.fs/web","state":"stale","lines":2,`+
		`"error":"fs: %s:1: malformed address: \"10.0.0.1\": must be host port, or host port * weight (and 1 more)",`+
		`"badLines":[{"line":1,"text":"10.0.0.1","why":"must be host port, or host port * weight"},{"line":2,"text":"10.0.0.2","why":"must be host port, or host port * weight"}]}]}]}`, dir, path)
	eventually(t, want, func() string {
		text, err := json.Marshal(n.Status())
		require.NoError(t, err)
		return string(text)
	})
	web.comes("/#/io.l5d.fs/web: 10.0.0.1:80 10.0.0.3:80 (stale)")
	write(t, "10.0.0.4 80\n", dir, "web")
	web.comes("/#/io.l5d.fs/web: 10.0.0.4:80")

	write(t, "junk\n", dir, "new")
	bad := watch(t, n, "/new")
	bad.comes("/#/io.l5d.fs/new: failed")
	s, _ := bad.sets.Load()
	require.ErrorIs(t, s.Err, fs.ErrBadLines)
	require.NoError(t, n.Close())
	assert.Contains(t, log.String(), "level=WARN msg=\"bad content of file\"")
	assert.Contains(t, log.String(), "10.0.0.2 eighty")
}

// /proc/self/mem is a regular file that not even root can read at its beginning.
func TestUnreadableFile(t *testing.T) {
	dir := t.TempDir()
	write(t, "10.0.0.1 80\n", dir, "web")
	n := newNamer(t, dir, fs.Options{})
	web := watch(t, n, "/web")
	web.comes("/#/io.l5d.fs/web: 10.0.0.1:80")
	link := filepath.Join(t.TempDir(), "web")
	require.NoError(t, os.Symlink("/proc/self/mem", link))
	require.NoError(t, os.Rename(link, filepath.Join(dir, "web")))
	web.comes("/#/io.l5d.fs/web: 10.0.0.1:80 (stale)")
	write(t, "10.0.0.2 80\n", dir, "next")
	require.NoError(t, os.Rename(filepath.Join(dir, "next"), filepath.Join(dir, "web")))
	web.comes("/#/io.l5d.fs/web: 10.0.0.2:80")
}

func TestFileThatGrowsTooLargeKeepsTheLastGoodOne(t *testing.T) {
	dir := t.TempDir()
	write(t, "10.0.0.1 80\n", dir, "web")
	n := newNamer(t, dir, fs.Options{})
	web := watch(t, n, "/web")
	web.comes("/#/io.l5d.fs/web: 10.0.0.1:80")
	write(t, "10.0.0.2 80\n"+strings.Repeat("# too much\n", 50000), dir, "web")
	web.comes("/#/io.l5d.fs/web: 10.0.0.1:80 (stale)")
	s, _ := web.sets.Load()
	require.ErrorIs(t, s.Err, fs.ErrTooLarge)
}

func TestClose(t *testing.T) {
	dir := t.TempDir()
	write(t, "10.0.0.1 80\n", dir, "web")
	n := newNamer(t, dir, fs.Options{})
	web := watch(t, n, "/web")
	web.comes("/#/io.l5d.fs/web: 10.0.0.1:80")
	require.NoError(t, n.Close())
	require.NoError(t, n.Close())
	web.stays("/#/io.l5d.fs/web: 10.0.0.1:80", 10*time.Millisecond)
	s, _ := n.Lookup(t.Context(), dtab.MustPath("/web")).Load()
	require.ErrorIs(t, s.Err, naming.ErrClosed)

	unused, err := fs.New(fs.Config{RootDir: dir}, fs.Options{})
	require.NoError(t, err)
	require.NoError(t, unused.Close())
}

func Example() {
	dir, err := os.MkdirTemp("", "disco")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "users"), []byte("10.0.0.7 8080\n10.0.0.8 8080 * 0.5\n"), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	n, err := fs.New(fs.Config{RootDir: dir}, fs.Options{}) // Resolve: the method of an inet.Resolver
	if err != nil {
		fmt.Println(err)
		return
	}
	defer n.Close()
	in := naming.NewInterpreter(naming.Options{
		Namers: naming.Namers{{Prefix: n.Prefix(), Namer: n}},
		Base:   dtab.MustParse("/svc => /#/io.l5d.fs"),
	})
	defer in.Close()

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	tree, err := weft.Until(ctx, in.Bind(ctx, nil, dtab.MustPath("/svc/users")), func(s naming.State[dtab.Tree[*naming.Bound]]) bool { return s.Known })
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(tree.Value.Value.ID)
	set, err := weft.Until(ctx, tree.Value.Value.Addrs(ctx), func(s endpoints) bool { return s.Known })
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range set.Value.Endpoints {
		fmt.Println(e.Addr, e.Share())
	}
	// Output:
	// /#/io.l5d.fs/users
	// 10.0.0.7:8080 1
	// 10.0.0.8:8080 0.5
}

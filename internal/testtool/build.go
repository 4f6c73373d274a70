package testtool

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

// ErrUnknown is returned for a tool that is not one of the constants.
var ErrUnknown = errors.New("testtool: unknown tool")

// Path builds the tool unless it is in the cache, and returns where it is. Of many
// processes that ask at once, one builds and the others wait.
func (t Tool) Path() (string, error) {
	module, name := t.module()
	if module == "" {
		return "", fmt.Errorf("%w: %s", ErrUnknown, string(t))
	}
	root, err := Root()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, "internal", "testtool", module)
	cache, err := Cache()
	if err != nil {
		return "", err
	}
	key, err := fingerprint(string(t), filepath.Join(dir, "go.mod"), filepath.Join(dir, "go.sum"))
	if err != nil {
		return "", err
	}
	path := filepath.Join(cache, name+"-"+key)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	unlock, err := Lock(path + ".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(path); err == nil {
		return path, nil // built while this one waited
	}
	// What is in place is whole: a build that is interrupted leaves only the other name.
	if err := build(dir, string(t), path+".new", t.ldflags()); err != nil {
		return "", err
	}
	return path, os.Rename(path+".new", path)
}

// Weft builds cmd/weft.
func Weft() (string, error) { return Program("./cmd/weft") }

// Program builds a program of this module, by its path in it, without the race
// detector, and returns where it is. An up-to-date one is left as it is.
func Program(pkg string) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	cache, err := Cache()
	if err != nil {
		return "", err
	}
	// Checkouts do not share what differs between them.
	sum := sha256.Sum256([]byte(root + " " + pkg))
	path := filepath.Join(cache, fmt.Sprintf("%s-%x", filepath.Base(pkg), sum[:6]))
	unlock, err := Lock(path + ".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	return path, build(root, pkg, path, "")
}

// build runs go build in the directory of a module.
func build(dir, pkg, to, ldflags string) error {
	// Without the profile of cmd/weft, which would have every package compiled once more.
	cmd := exec.Command("go", "build", "-mod=readonly", "-pgo=off", "-trimpath", "-ldflags=-s -w"+ldflags, "-o", to, pkg) //nolint:noctx // as long as it takes; go test has a limit
	cmd.Dir = dir
	// A workspace or flags of the caller are not meant for another module.
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-buildvcs=false")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("testtool: go build %s in %s: %w\n%s", pkg, dir, err, out)
	}
	return nil
}

// Root returns the directory of the product's module, from any directory in it.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("testtool: %w", err)
	}
	for at := dir; ; at = filepath.Dir(at) {
		text, err := os.ReadFile(filepath.Join(at, "go.mod"))
		if err == nil && strings.HasPrefix(string(text), "module github.com/weft-mesh/weft\n") {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("testtool: %s is not in a checkout of weft: no go.mod above it", dir)
		}
	}
}

// Cache returns the directory of what was built, and makes it.
func Cache() (string, error) {
	dir := os.Getenv("WEFT_TEST_CACHE")
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("testtool: set WEFT_TEST_CACHE: %w", err)
		}
		dir = filepath.Join(user, "weft-test")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("testtool: %w", err)
	}
	return dir, nil
}

// fingerprint tells builds apart that differ in what they are made of.
func fingerprint(pkg string, files ...string) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, pkg, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return "", fmt.Errorf("testtool: %w", err)
		}
		fmt.Fprintln(h, len(text))
		_, _ = h.Write(text) // a hash takes everything
	}
	return hex.EncodeToString(h.Sum(nil)[:6]), nil
}

// Lock waits for an flock(2) of the file, which is made if need be. A process that dies
// gives it back.
func Lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("testtool: %w", err)
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if err == nil {
			return func() { _ = f.Close() }, nil
		}
		if !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(fmt.Errorf("testtool: locking %s: %w", path, err), f.Close())
		}
	}
}

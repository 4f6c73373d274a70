package contender

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/weft-mesh/weft/bench/proc"
)

// Contender is a proxy.
type Contender struct {
	Name     string
	Families []Family
	// Configs are the templates for a family, and the files that they become.
	Configs map[Family][]File
	// Get says how to have the binary.
	Get string

	program string // name of the binary in the cache or the PATH
	version []string
	module  string
	command func(bin string, s Site) []string
}

// File is a template in config/ and the path in Site.Dir that it is written to.
type File struct{ Template, Path string }

// Speaks tells whether the proxy can carry a family.
func (c Contender) Speaks(f Family) bool { return slices.Contains(c.Families, f) }

// Binary returns the path of the proxy: from the cache or, failing that, the PATH.
func (c Contender) Binary(cache Cache) (string, error) {
	path := cache.Path(c.program)
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
		return path, nil
	}
	path, err := exec.LookPath(c.program)
	if err != nil {
		return "", fmt.Errorf("contender: %s is not installed: %s", c.Name, c.Get)
	}
	return path, nil
}

// Start configures the proxy for a site and starts it.
func (c Contender) Start(ctx context.Context, cache Cache, s Site) (*proc.Process, error) {
	bin, err := c.Binary(cache)
	if err != nil {
		return nil, err
	}
	for _, f := range c.Configs[s.Family] {
		if err := s.render(f.Template, f.Path); err != nil {
			return nil, err
		}
	}
	env := []string{"XDG_DATA_HOME=" + s.Dir, "XDG_CONFIG_HOME=" + s.Dir}
	return proc.Start(ctx, s.Dir, env, c.command(bin, s)...)
}

// Version tells the version of the binary, as well as it can be known.
func (c Contender) Version(ctx context.Context, cache Cache) string {
	bin, err := c.Binary(cache)
	if err != nil {
		return ""
	}
	if len(c.version) > 0 {
		out, _ := exec.CommandContext(ctx, bin, c.version...).CombinedOutput()
		return versionNumber(string(out))
	}
	info, err := buildinfo.ReadFile(bin)
	if err != nil {
		return ""
	}
	for _, d := range info.Deps {
		if c.module != "" && d.Path == c.module {
			return strings.TrimPrefix(d.Version, "v") + ", " + info.GoVersion
		}
	}
	if v := strings.TrimPrefix(info.Main.Version, "v"); v != "" && v != "(devel)" {
		return v + ", " + info.GoVersion
	}
	return info.GoVersion
}

// versionNumber returns the first thing that looks like a version in what a program
// prints about itself.
func versionNumber(out string) string {
	for f := range strings.FieldsFuncSeq(out, func(r rune) bool { return strings.ContainsRune(" \t\r\n/,", r) }) {
		f = strings.TrimPrefix(f, "v")
		if f != "" && f[0] >= '0' && f[0] <= '9' && strings.Contains(f, ".") {
			return f
		}
	}
	return ""
}

// Cache is the directory that binaries are built into.
type Cache string

// Path returns where a binary of the cache is.
func (c Cache) Path(program string) string { return filepath.Join(string(c), "bin", program) }

// Take copies a binary into the cache.
func (c Cache) Take(file, program string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("contender: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(c.Path(program)), 0o755); err != nil {
		return fmt.Errorf("contender: %w", err)
	}
	_ = os.Remove(c.Path(program)) // it may be running
	if err := os.WriteFile(c.Path(program), b, 0o755); err != nil {
		return fmt.Errorf("contender: %w", err)
	}
	return nil
}

// Build builds a Go package of the module in dir into the cache.
func (c Cache) Build(ctx context.Context, dir, pkg, program string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", c.Path(program), pkg)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("contender: building %s: %w: %s", pkg, err, out)
	}
	return nil
}

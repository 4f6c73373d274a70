package telemetry

import (
	"bytes"
	"os"
	"strconv"
	"strings"
)

// The functions in this file read what only the kernel knows. They report false
// where there is no such file: outside Linux, or in a sandbox.

// countFDs returns the number of open file descriptors.
func countFDs() (float64, bool) {
	for _, dir := range []string{"/proc/self/fd", "/dev/fd"} {
		f, err := os.Open(dir)
		if err != nil {
			continue
		}
		names, err := f.Readdirnames(-1)
		f.Close() //nolint:errcheck,gosec // nothing was written
		if err == nil {
			return float64(len(names) - 1), true // without the one for the directory
		}
	}
	return 0, false
}

// residentBytes returns the size of the memory that is not swapped out.
func residentBytes() (float64, bool) {
	n, ok := fieldOf("/proc/self/statm", 1)
	return n * float64(os.Getpagesize()), ok
}

// cpuSeconds returns the user and system time of the process. The kernel counts in
// ticks of 10 ms on every architecture that Go runs on.
func cpuSeconds() (float64, bool) {
	b, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0, false
	}
	// The second field is the command's name in parentheses and may contain blanks.
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(f) < 13 {
		return 0, false
	}
	user, err1 := strconv.ParseFloat(f[11], 64)
	system, err2 := strconv.ParseFloat(f[12], 64)
	return (user + system) / 100, err1 == nil && err2 == nil
}

// hostMemory returns how much memory the process can have: the limit of its
// control group, else that of the machine, 0 if unknown.
func hostMemory() float64 {
	if n, ok := fieldOf("/sys/fs/cgroup/memory.max", 0); ok {
		return n
	}
	kib, _ := fieldOf("/proc/meminfo", 1) // "MemTotal: n kB" is the first line
	return kib * 1024
}

// fieldOf returns the i-th blank-separated field of a file as a number.
func fieldOf(file string, i int) (float64, bool) {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0, false
	}
	f := strings.Fields(string(b))
	if i >= len(f) {
		return 0, false
	}
	n, err := strconv.ParseFloat(f[i], 64)
	return n, err == nil
}

// fdLimit returns how many file descriptors the process may have open.
func fdLimit() (float64, bool) {
	b, err := os.ReadFile("/proc/self/limits")
	if err != nil {
		return 0, false
	}
	_, line, _ := strings.Cut(string(b), "Max open files")
	f := strings.Fields(line)
	if len(f) == 0 {
		return 0, false
	}
	n, err := strconv.ParseFloat(f[0], 64)
	return n, err == nil
}

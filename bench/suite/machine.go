package suite

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Machine describes the machine that a run was made on.
func Machine() []string {
	cpuinfo, _ := os.ReadFile("/proc/cpuinfo")
	meminfo, _ := os.ReadFile("/proc/meminfo")
	release, _ := os.ReadFile("/etc/os-release")
	load, _ := os.ReadFile("/proc/loadavg")
	kernel := "?"
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		kernel = unix.ByteSliceToString(u.Release[:])
	}
	virtual := ""
	if strings.Contains(string(cpuinfo), " hypervisor") {
		virtual = ", virtual"
	}
	return []string{
		fmt.Sprintf("Machine: %d cores of %s%s; memory %s", cores(), field(cpuinfo, "model name"), virtual, gigabytes(field(meminfo, "MemTotal"))),
		fmt.Sprintf("System: %s, Linux %s, %s; load before the run %s", strings.Trim(field(release, "PRETTY_NAME"), `"`), kernel, runtime.Version(),
			strings.Join(strings.Fields(string(load) + " ? ? ?")[:3], " ")),
	}
}

func cores() int { return runtime.NumCPU() }

// gigabytes turns "24684100 kB" into GiB.
func gigabytes(kB string) string {
	n, err := strconv.ParseFloat(strings.TrimSuffix(kB, " kB"), 64)
	if err != nil {
		return kB
	}
	return fmt.Sprintf("%.0f GiB", n/(1<<20))
}

// field returns what stands behind a key in lines of "key: value" or "key=value".
func field(text []byte, key string) string {
	for line := range strings.Lines(string(text)) {
		if k, v, ok := strings.Cut(line, sep(line)); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return "?"
}

func sep(line string) string {
	if strings.Contains(line, ":") && !strings.HasPrefix(line, "PRETTY_NAME") {
		return ":"
	}
	return "="
}

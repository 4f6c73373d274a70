package proc

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of CPU time in /proc/<pid>/stat: USER_HZ, 100 a second on every
// architecture that Go runs on.
const tick = 10 * time.Millisecond

// Usage is what a process and its children have used.
type Usage struct {
	CPU time.Duration // user and system since they started, in steps of 10 ms
	RSS int64         // bytes now; pages that children share count for each
}

// Usage reads what the process and its living children have used.
func (p *Process) Usage() (Usage, error) {
	var u Usage
	for _, pid := range tree(p.cmd.Process.Pid) {
		stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
		if err != nil {
			if pid == p.cmd.Process.Pid {
				return Usage{}, fmt.Errorf("proc: the process is gone: %w; it printed %q", err, p.Output())
			}
			continue
		}
		one, err := parseStat(string(stat), int64(os.Getpagesize()))
		if err != nil {
			return Usage{}, err
		}
		u.CPU += one.CPU
		u.RSS += one.RSS
	}
	return u, nil
}

// parseStat reads a line of /proc/<pid>/stat (proc_pid_stat(5)).
func parseStat(line string, page int64) (Usage, error) {
	// The second field is a name in parentheses that may contain anything.
	i := strings.LastIndexByte(line, ')')
	f := strings.Fields(line[i+1:])
	if i < 0 || len(f) < 22 {
		return Usage{}, fmt.Errorf("proc: a line of stat is too short: %q", line)
	}
	var n [3]int64
	for k, field := range []int{11, 12, 21} { // utime, stime, rss
		v, err := strconv.ParseInt(f[field], 10, 64)
		if err != nil {
			return Usage{}, fmt.Errorf("proc: a line of stat: %w", err)
		}
		n[k] = v
	}
	return Usage{CPU: time.Duration(n[0]+n[1]) * tick, RSS: n[2] * page}, nil
}

// tree returns a process, its children and theirs.
func tree(pid int) []int {
	all := []int{pid}
	lists, _ := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "task", "*", "children"))
	for _, l := range lists {
		text, err := os.ReadFile(l)
		if err != nil {
			continue
		}
		for f := range strings.FieldsSeq(string(text)) {
			if child, err := strconv.Atoi(f); err == nil {
				all = append(all, tree(child)...)
			}
		}
	}
	return all
}

package suite

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Meter tells how much of the machine went to others during a run.
type Meter struct {
	start     time.Time
	all, ours time.Duration
	stolen    time.Duration
}

// StartMeter starts measuring.
func StartMeter() (Meter, error) { return readMeter() }

// Note describes what the others had since the meter was started. All processes that
// the run has started must have ended.
func (m Meter) Note() (string, error) {
	now, err := readMeter()
	if err != nil {
		return "", err
	}
	others := max((now.all-m.all)-(now.ours-m.ours), 0)
	whole := now.start.Sub(m.start).Seconds() * float64(cores())
	return fmt.Sprintf("Meanwhile other processes used %.1f %% of the machine's CPU time, and its host took %.1f %%",
		100*others.Seconds()/whole, 100*(now.stolen-m.stolen).Seconds()/whole), nil
}

func readMeter() (Meter, error) {
	m := Meter{start: time.Now()}
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return Meter{}, err
	}
	if m.all, m.stolen, err = parseMachine(string(stat)); err != nil {
		return Meter{}, err
	}
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var u unix.Rusage
		if err := unix.Getrusage(who, &u); err != nil {
			return Meter{}, err
		}
		m.ours += time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return m, nil
}

// parseMachine reads the first line of /proc/stat (proc_stat(5)): what processes used,
// without interrupts, which are nobody's, and what the host took away. In hundredths of
// a second.
func parseMachine(stat string) (used, stolen time.Duration, err error) {
	line, _, _ := strings.Cut(stat, "\n")
	f := strings.Fields(line)
	if len(f) < 9 || f[0] != "cpu" {
		return 0, 0, fmt.Errorf("suite: /proc/stat begins with %q", line)
	}
	var n [9]int64
	for i := 1; i < len(n); i++ {
		if n[i], err = strconv.ParseInt(f[i], 10, 64); err != nil {
			return 0, 0, fmt.Errorf("suite: /proc/stat: %w", err)
		}
	}
	const tick = 10 * time.Millisecond
	return time.Duration(n[1]+n[2]+n[3]) * tick, time.Duration(n[8]) * tick, nil
}

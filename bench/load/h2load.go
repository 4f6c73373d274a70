package load

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// H2Load is a closed loop of HTTP/2 requests, with h2load. A cleartext URL is spoken
// to with prior knowledge.
type H2Load struct {
	URL            string
	Conns, Streams int
	Time           time.Duration // rounded up to seconds
}

// Run makes the load.
func (h H2Load) Run(ctx context.Context) (Result, error) {
	secs := int((h.Time + time.Second - 1) / time.Second)
	out, err := exec.CommandContext(ctx, "h2load", "-t1", "-c"+strconv.Itoa(h.Conns), "-m"+strconv.Itoa(h.Streams),
		"-D"+strconv.Itoa(max(secs, 1)), "-H", ":authority: "+Authority, h.URL).CombinedOutput()
	if err != nil {
		return Result{}, fmt.Errorf("load: h2load: %w: %s", err, out)
	}
	return parseH2Load(string(out))
}

// parseH2Load reads what h2load 1.52 prints.
func parseH2Load(out string) (Result, error) {
	var r Result
	for line := range strings.Lines(out) {
		switch {
		case strings.HasPrefix(line, "finished in "):
			f := strings.Fields(line)
			d, err := duration(strings.TrimSuffix(f[2], ","))
			if err != nil {
				return Result{}, fmt.Errorf("load: h2load: time: %w", err)
			}
			r.Elapsed = d
		case strings.HasPrefix(line, "requests: "):
			done, failed, err := h2Requests(strings.TrimPrefix(line, "requests: "))
			if err != nil {
				return Result{}, err
			}
			r.Requests, r.Errors = done, failed
		}
	}
	if r.Requests == 0 {
		return Result{}, fmt.Errorf("load: h2load: no request was answered: %q", out)
	}
	return r, nil
}

// h2Requests reads "5 total, 5 started, 5 done, 4 succeeded, 1 failed, 0 errored, 0 timeout".
func h2Requests(list string) (done, failed int64, err error) {
	for item := range strings.SplitSeq(strings.TrimSpace(list), ", ") {
		number, what, _ := strings.Cut(item, " ")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("load: h2load: requests: %w", err)
		}
		switch what {
		case "done":
			done = n
		case "failed": // counts those that errored or timed out, too
			failed = n
		}
	}
	return done, failed, nil
}

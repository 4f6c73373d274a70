package load

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// Wrk is a closed loop of HTTP/1.1 requests on kept-alive connections, with wrk.
type Wrk struct {
	URL   string
	Conns int
	Time  time.Duration // rounded up to seconds
}

// Run makes the load.
func (w Wrk) Run(ctx context.Context) (Result, error) {
	secs := int((w.Time + time.Second - 1) / time.Second)
	out, err := exec.CommandContext(ctx, "wrk", "-t1", "-c"+strconv.Itoa(w.Conns), "-d"+strconv.Itoa(max(secs, 1))+"s",
		"--latency", "--timeout", "10s", "-H", "Host: "+Authority, w.URL).CombinedOutput()
	if err != nil {
		return Result{}, fmt.Errorf("load: wrk: %w: %s", err, out)
	}
	return parseWrk(string(out))
}

// Authority is the name of the service in every request.
const Authority = "hello"

// parseWrk reads what wrk 4 prints with --latency.
func parseWrk(out string) (Result, error) {
	var r Result
	var err error
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		switch {
		case len(f) >= 4 && f[1] == "requests" && f[2] == "in":
			if r.Requests, err = strconv.ParseInt(f[0], 10, 64); err != nil {
				return Result{}, fmt.Errorf("load: wrk: requests: %w", err)
			}
			if r.Elapsed, err = duration(strings.TrimSuffix(f[3], ",")); err != nil {
				return Result{}, fmt.Errorf("load: wrk: time: %w", err)
			}
		case len(f) == 2 && strings.HasSuffix(f[0], "%"):
			d, err := duration(f[1])
			if err != nil {
				return Result{}, fmt.Errorf("load: wrk: latency: %w", err)
			}
			switch f[0] {
			case "50%":
				r.Latency.P50 = d
			case "99%":
				r.Latency.P99 = d
			}
		case strings.HasPrefix(line, "  Socket errors:"):
			for _, field := range f {
				if n, err := strconv.ParseInt(strings.TrimSuffix(field, ","), 10, 64); err == nil {
					r.Errors += n
				}
			}
		case strings.HasPrefix(line, "  Non-2xx or 3xx responses:"):
			n, err := strconv.ParseInt(f[len(f)-1], 10, 64)
			if err != nil {
				return Result{}, fmt.Errorf("load: wrk: responses: %w", err)
			}
			r.Errors += n
		}
	}
	if r.Requests == 0 {
		return Result{}, fmt.Errorf("load: wrk: no request was answered: %q", out)
	}
	return r, nil
}

// duration reads a time of wrk or h2load: as Go's, but minutes and hours are m and h
// with a fraction, too, so that Go's parser does.
func duration(s string) (time.Duration, error) { return time.ParseDuration(s) }

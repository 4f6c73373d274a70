package tapcmd

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weft-mesh/weft/tap"
)

type tapFlags struct {
	server
	router, service, client, path, method, status, peer, rate string

	headers []string
	limit   int
	json    bool
}

func tapCommand() *cobra.Command {
	var f tapFlags
	cmd := &cobra.Command{
		Use:   "tap",
		Short: "Show live requests of a running proxy",
		Long: "Tap shows the requests of a running proxy as they end, a line each:\n\n" +
			"  time  peer -> [router] method host path = status class latency | service -> client -> endpoint\n\n" +
			"All filters have to hold. In names, paths and values of headers a * stands for any characters; a service or client\n" +
			"without one is a prefix. Credentials are not shown. It ends with the proxy, after --limit requests, or at Ctrl-C.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.flag(cmd)
	fl := cmd.Flags()
	fl.StringVar(&f.router, "router", "", "of the router with this label")
	fl.StringVar(&f.service, "service", "", "to this logical name: /svc/web, /svc/*")
	fl.StringVar(&f.client, "client", "", "to this bound name: /#/io.l5d.fs/web")
	fl.StringVar(&f.path, "path", "", "with this path: /api/users, /api/*")
	fl.StringVar(&f.method, "method", "", "with this method")
	fl.StringVar(&f.status, "status", "", "with this status or class: 404, 5xx, UNAVAILABLE")
	fl.StringArrayVarP(&f.headers, "header", "H", nil, "with this header: 'name' or 'name: value'; may be repeated")
	fl.StringVar(&f.peer, "peer", "", "from this address or network: 10.1.2.3, 10.0.0.0/8")
	fl.StringVar(&f.rate, "rate", "", fmt.Sprintf("at most this many `a second` (default %d, at most %d); what is more is counted", tap.DefaultRate, tap.MaxRate))
	fl.IntVar(&f.limit, "limit", 0, "end after this many; 0 is no limit")
	fl.BoolVar(&f.json, "json", false, "print the events as JSON, one a line")
	return cmd
}

func (f *tapFlags) query() url.Values {
	q := values("router", f.router, "service", f.service, "client", f.client, "path", f.path, "method", f.method,
		"status", f.status, "peer", f.peer, "rate", f.rate)
	for _, h := range f.headers {
		q.Add("header", h)
	}
	if f.limit != 0 {
		q.Set("limit", strconv.Itoa(f.limit))
	}
	return q
}

func (f *tapFlags) run(cmd *cobra.Command) error {
	q := f.query()
	if _, _, err := tap.ParseQuery(q); err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "tap: "))
	}
	ctx := cmd.Context()
	body, err := f.do(ctx, http.MethodGet, "/tap", q)
	if err != nil {
		return unlessEnded(ctx, err)
	}
	defer body.Close() //nolint:errcheck // it is a stream
	n, err := f.print(cmd.OutOrStdout(), cmd.ErrOrStderr(), body)
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return fmt.Errorf("the proxy at %s has broken off: %w", f.addr, cause(err))
	case f.limit == 0 || n < f.limit:
		fmt.Fprintf(cmd.ErrOrStderr(), "the proxy at %s has ended\n", f.addr)
	}
	return nil
}

// unlessEnded returns nil if the error is that somebody pressed Ctrl-C.
func unlessEnded(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil
	}
	return err
}

// line is an event, or how many there were that are not shown.
type line struct {
	tap.Event

	Dropped uint64 `json:"dropped"`
}

// print shows what comes until its end, and returns how many requests these were.
func (f *tapFlags) print(w, errs io.Writer, in io.Reader) (n int, err error) {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), 1<<20)
	for lines.Scan() {
		var l line
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return n, fmt.Errorf("%w in %.200q", err, lines.Text())
		}
		if l.Dropped == 0 {
			n++
		}
		switch {
		case f.json:
			_, err = fmt.Fprintf(w, "%s\n", lines.Bytes())
		case l.Dropped > 0:
			_, err = fmt.Fprintf(errs, "%d more, not shown: see --rate\n", l.Dropped)
		default:
			_, err = io.WriteString(w, readable(&l.Event))
		}
		if err != nil {
			return n, err
		}
	}
	return n, lines.Err()
}

// readable is an event as a line for people. What callers sent is quoted where it
// could disturb a terminal.
func readable(e *tap.Event) string {
	status := strconv.Itoa(e.Status)
	switch {
	case e.GRPCStatus != "":
		status = e.GRPCStatus
	case e.Status == 0:
		status = "-"
	}
	s := fmt.Sprintf("%s  %s -> [%s] %s %s %s = %s %s %.1f ms | %s -> %s -> %s",
		e.Time.Local().Format("15:04:05.000"), orDash(e.Peer), e.Router, plain(e.Method), orDash(e.Host), plain(e.Path),
		status, e.Class, e.LatencyMs, orDash(e.Service), orDash(e.Client), orDash(e.Endpoint))
	if e.Attempts > 1 {
		s += fmt.Sprintf(" (%d attempts)", e.Attempts)
	}
	if e.Error != "" {
		first, _, _ := strings.Cut(e.Error, "\n")
		s += " | " + plain(first)
	}
	return s + "\n"
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return plain(s)
}

func plain(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return s
	}
	return strconv.Quote(s)
}

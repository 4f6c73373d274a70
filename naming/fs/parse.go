package fs

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/weft-mesh/weft"
)

// ErrBadLines is in the chain of the error of a file some or all of whose lines
// cannot be read; see LinesError.
var ErrBadLines = errors.New("malformed address")

// BadLine is a line that was left out.
type BadLine struct {
	Line int    `json:"line"` // counted from 1
	Text string `json:"text"` // without the comment
	Why  string `json:"why"`
}

// LinesError says which lines of a file were left out.
type LinesError struct {
	File string
	Bad  []BadLine // not empty
	Good int       // how many lines are in force
}

// Error names the first bad line and counts the others.
func (e *LinesError) Error() string {
	b := e.Bad[0]
	text := fmt.Sprintf("fs: %s:%d: %v: %q: %s", e.File, b.Line, ErrBadLines, b.Text, b.Why)
	if n := len(e.Bad) - 1; n > 0 {
		text += fmt.Sprintf(" (and %d more)", n)
	}
	return text
}

// Unwrap returns ErrBadLines.
func (e *LinesError) Unwrap() error { return ErrBadLines }

// line is an endpoint of a file: an address, or a host to be resolved.
type line struct {
	addr   string // empty for a host
	host   hostPort
	weight float64 // an Endpoint's
}

type hostPort struct{ host, port string }

// parseLines returns a parser for files of endpoints. Without names, hosts have
// to be addresses. A file that has lines and no good one cannot be used.
func parseLines(names bool) func(file string, data []byte) parsed[[]line] {
	return func(file string, data []byte) parsed[[]line] {
		lines := []line{}
		var bad []BadLine
		n := 0
		for text := range strings.SplitSeq(string(data), "\n") {
			n++
			text, _, _ = strings.Cut(text, "#")
			text = strings.TrimSpace(text)
			if text == "" {
				continue
			}
			l, why := parseLine(text, names)
			if why != "" {
				bad = append(bad, BadLine{Line: n, Text: text, Why: why})
				continue
			}
			lines = append(lines, l)
		}
		if len(bad) == 0 {
			return parsed[[]line]{value: lines, usable: true}
		}
		err := &LinesError{File: file, Bad: bad, Good: len(lines)}
		return parsed[[]line]{value: lines, usable: len(lines) > 0, err: err}
	}
}

// parseLine reads "host port" or "host port * weight". It returns what would be
// right if text is neither.
func parseLine(text string, names bool) (l line, why string) {
	f := strings.Fields(text)
	if len(f) != 2 && (len(f) != 4 || f[2] != "*") {
		return line{}, "must be host port, or host port * weight"
	}
	port, err := strconv.ParseUint(f[1], 10, 16)
	if err != nil || port == 0 {
		return line{}, "port must be a number from 1 to 65535"
	}
	if len(f) == 4 {
		w, err := strconv.ParseFloat(f[3], 64)
		if err != nil || w < 0 || math.IsNaN(w) || math.IsInf(w, 0) {
			return line{}, "weight must be a number that is not negative"
		}
		if l.weight = w; w == 0 {
			l.weight = -1 // an Endpoint's way to say no traffic
		}
	}
	host := f[0]
	if host == "localhost" {
		host = "127.0.0.1"
	}
	portText := strconv.FormatUint(port, 10)
	if a, err := netip.ParseAddr(host); err == nil {
		l.addr = net.JoinHostPort(a.Unmap().String(), portText)
		return l, ""
	}
	if !names {
		return line{}, "host must be an IP address, as there is nothing to resolve names with"
	}
	l.host = hostPort{host: host, port: portText}
	return l, ""
}

// endpoint returns the endpoint of a line that is an address.
func (l line) endpoint() weft.Endpoint { return weft.Endpoint{Addr: l.addr, Weight: l.weight} }

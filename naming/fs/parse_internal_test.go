package fs

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseLines(t *testing.T) {
	for _, tt := range []struct{ id, text, want string }{
		{"N26", "127.0.0.1 8080\n127.0.0.1 8081 * 0.23", "127.0.0.1:8080 127.0.0.1:8081*0.23"},
		{"N27", "127.0.0.1 8080\nnot an address\n10.0.0.1 80", `127.0.0.1:8080 10.0.0.1:80; fs: web:2: malformed address: "not an address": must be host port, or host port * weight`},
		{"§5.1 empty", "", ""},
		{"§5.1 comments only", "# nothing\n\n   \n", ""},
		{"§5.1 comment", "  10.0.0.1\t80 # web # one", "10.0.0.1:80"},
		{"§12.14 CR LF", "10.0.0.1 80 # one\r\n10.0.0.2 80\r\n", "10.0.0.1:80 10.0.0.2:80"},
		{"§5.1 weight 0", "10.0.0.1 80 * 0", "10.0.0.1:80*-1"},
		{"", "10.0.0.1 80 * 1e2", "10.0.0.1:80*100"},
		{"§5.1 star is a token", "10.0.0.1 80 *2", `unusable; fs: web:1: malformed address: "10.0.0.1 80 *2": must be host port, or host port * weight`},
		{"", "10.0.0.1 80 x 2", `unusable; fs: web:1: malformed address: "10.0.0.1 80 x 2": must be host port, or host port * weight`},
		{"", "10.0.0.1 80 * -1", `unusable; fs: web:1: malformed address: "10.0.0.1 80 * -1": weight must be a number that is not negative`},
		{"", "10.0.0.1 80 * NaN", `unusable; fs: web:1: malformed address: "10.0.0.1 80 * NaN": weight must be a number that is not negative`},
		{"§5.1 port", "10.0.0.1 0\n10.0.0.1 65536\n10.0.0.1 http", `unusable; fs: web:1: malformed address: "10.0.0.1 0": port must be a number from 1 to 65535 (and 2 more)`},
		{"", "10.0.0.1 080", "10.0.0.1:80"},
		{"", "::1 80", "[::1]:80"},
		{"", "::ffff:10.0.0.1 80", "10.0.0.1:80"},
		{"", "localhost 80", "127.0.0.1:80"},
		{"", "web.example 80 * 2", "?web.example:80*2"},
		{"", "10.0.0.1:80", `unusable; fs: web:1: malformed address: "10.0.0.1:80": must be host port, or host port * weight`},
	} {
		assert.Equal(t, tt.want, shown(parseLines(true)("web", []byte(tt.text))), "%s: %q", tt.id, tt.text)
	}
	p := parseLines(false)("web", []byte("web.example 80\n10.0.0.1 80"))
	assert.Equal(t, `10.0.0.1:80; fs: web:1: malformed address: "web.example 80": host must be an IP address, as there is nothing to resolve names with`, shown(p))
	var lines *LinesError
	require.ErrorAs(t, p.err, &lines)
	assert.Equal(t, 1, lines.Good)
	require.ErrorIs(t, p.err, ErrBadLines)
}

func shown(p parsed[[]line]) string {
	var parts []string
	for _, l := range p.value {
		text := l.addr
		if text == "" {
			text = "?" + l.host.host + ":" + l.host.port
		}
		if l.weight != 0 {
			text += fmt.Sprintf("*%v", l.weight)
		}
		parts = append(parts, text)
	}
	text := strings.Join(parts, " ")
	if !p.usable {
		text += "unusable"
	}
	if p.err != nil {
		text += "; " + p.err.Error()
	}
	return text
}

// FuzzParseLines checks that every line of a file is in force, left out, or not
// one, and that what is in force is read again as it is.
func FuzzParseLines(f *testing.F) {
	f.Add("127.0.0.1 8080\n127.0.0.1 8081 * 0.23 # x\r\nbad")
	f.Add("::1 80 * 0\n\n#\nh 1")
	f.Fuzz(func(t *testing.T, text string) {
		p := parseLines(true)("web", []byte(text))
		for _, l := range p.value {
			host, port := l.host.host, l.host.port
			if l.addr != "" {
				i := strings.LastIndexByte(l.addr, ':')
				host, port = strings.Trim(l.addr[:i], "[]"), l.addr[i+1:]
			}
			weight := max(l.weight, 0)
			again := host + " " + port
			if l.weight != 0 {
				again += fmt.Sprintf(" * %v", weight)
			}
			q, why := parseLine(again, true)
			assert.Empty(t, why, again)
			assert.Equal(t, l, q)
		}
		bad := 0
		if lines, ok := errors.AsType[*LinesError](p.err); ok {
			bad = len(lines.Bad)
		}
		assert.LessOrEqual(t, len(p.value)+bad, strings.Count(text, "\n")+1)
		assert.Equal(t, p.usable, bad == 0 || len(p.value) > 0)
	})
}

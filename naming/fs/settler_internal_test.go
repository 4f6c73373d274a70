package fs

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// look is one look at a file, some milliseconds after the first.
type look struct {
	at      int
	r       reading
	believe bool
	wait    int // milliseconds until the next look
}

func content(text string) reading { return reading{data: []byte(text)} }

func TestSettler(t *testing.T) {
	start := time.Now()
	absent, broken := reading{absent: true}, reading{err: errors.New("boom")}
	old := content("old\n")
	old.modified = start.Add(-time.Hour)
	young := content("a\n")
	young.modified = start.Add(-5 * time.Millisecond)
	oldEmpty := reading{modified: start.Add(-time.Hour)}
	for name, looks := range map[string][]look{
		"old content at once":        {{0, old, true, 0}, {1, old, false, 0}},
		"young content rests":        {{0, young, false, 3}, {3, young, true, 0}},
		"content of unknown age":     {{0, content("a\n"), false, 8}, {8, content("a\n"), true, 0}},
		"old empty file at once":     {{0, oldEmpty, true, 0}},
		"emptied and filled":         {{0, old, true, 0}, {10, content(""), false, 50}, {30, content("new\n"), false, 8}, {38, content("new\n"), true, 0}},
		"emptied and restored":       {{0, old, true, 0}, {10, content(""), false, 50}, {30, old, false, 0}, {90, content(""), false, 50}},
		"emptied for good":           {{0, old, true, 0}, {10, content(""), false, 50}, {60, content(""), true, 0}},
		"no line feed":               {{0, old, true, 0}, {10, content("ne"), false, 50}, {20, content("new"), false, 50}, {70, content("new"), true, 0}},
		"beginning of what it was":   {{0, content("a\nb\n"), false, 8}, {8, content("a\nb\n"), true, 0}, {10, content("a\n"), false, 50}, {60, content("a\n"), true, 0}},
		"gone and back":              {{0, old, true, 0}, {10, absent, false, 50}, {40, old, false, 0}},
		"gone for good":              {{0, old, true, 0}, {10, absent, false, 50}, {60, absent, true, 0}},
		"unreadable for a moment":    {{0, old, true, 0}, {10, broken, false, 50}, {40, old, false, 0}},
		"unreadable for good":        {{0, old, true, 0}, {10, broken, false, 50}, {60, broken, true, 0}, {70, old, true, 0}},
		"restless, and always whole": {{0, old, true, 0}, {10, content("1\n"), false, 8}, {17, content("2\n"), false, 8}, {24, content("3\n"), false, 8}, {61, content("9\n"), true, 0}},
		"restless, never whole":      {{0, old, true, 0}, {10, content("1"), false, 50}, {59, content("2"), false, 50}, {108, content("3"), false, 50}},
	} {
		s := settler{quiet: 8 * time.Millisecond, patience: 50 * time.Millisecond}
		for _, l := range looks {
			believe, wait := s.observe(start.Add(time.Duration(l.at)*time.Millisecond), l.r, l.r.unfinished())
			assert.Equal(t, l.believe, believe, "%s, at %d", name, l.at)
			assert.Equal(t, time.Duration(l.wait)*time.Millisecond, wait, "%s, at %d", name, l.at)
		}
	}
}

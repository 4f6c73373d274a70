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
	touched bool
}

func content(text string) reading { return reading{data: []byte(text)} }

func writing(text string) reading { return reading{data: []byte(text), writing: true} }

func TestSettler(t *testing.T) {
	start := time.Now()
	absent, broken := reading{absent: true}, reading{err: errors.New("boom")}
	old := content("old\n")
	old.modified = start.Add(-time.Hour)
	young := content("a\n")
	young.modified = start.Add(-5 * time.Millisecond)
	future := content("a\n")
	future.modified = start.Add(time.Hour)
	oldEmpty := reading{modified: start.Add(-time.Hour)}
	for name, looks := range map[string][]look{
		"old content at once":        {{at: 0, r: old, believe: true, wait: 0}, {at: 1, r: old, believe: false, wait: 0}},
		"young content rests":        {{at: 0, r: young, believe: false, wait: 3}, {at: 3, r: young, believe: true, wait: 0}},
		"content of unknown age":     {{at: 0, r: content("a\n"), believe: false, wait: 8}, {at: 8, r: content("a\n"), believe: true, wait: 0}},
		"old empty file at once":     {{at: 0, r: oldEmpty, believe: true, wait: 0}},
		"emptied and filled":         {{at: 0, r: old, believe: true, wait: 0}, {at: 10, r: content(""), believe: false, wait: 50}, {at: 30, r: content("new\n"), believe: false, wait: 8}, {at: 38, r: content("new\n"), believe: true, wait: 0}},
		"emptied and restored":       {{at: 0, r: old, believe: true, wait: 0}, {at: 10, r: content(""), believe: false, wait: 50}, {at: 30, r: old, believe: false, wait: 0}, {at: 90, r: content(""), believe: false, wait: 50}},
		"emptied for good":           {{at: 0, r: old, believe: true, wait: 0}, {at: 10, r: content(""), believe: false, wait: 50}, {at: 60, r: content(""), believe: true, wait: 0}},
		"no line feed":               {{at: 0, r: old, believe: true, wait: 0}, {at: 10, r: content("ne"), believe: false, wait: 50}, {at: 20, r: content("new"), believe: false, wait: 50}, {at: 70, r: content("new"), believe: true, wait: 0}},
		"beginning of what it was":   {{at: 0, r: content("a\nb\n"), believe: false, wait: 8}, {at: 8, r: content("a\nb\n"), believe: true, wait: 0}, {at: 10, r: content("a\n"), believe: false, wait: 50}, {at: 60, r: content("a\n"), believe: true, wait: 0}},
		"gone and back":              {{at: 0, r: old, believe: true, wait: 0}, {at: 10, r: absent, believe: false, wait: 50}, {at: 40, r: old, believe: false, wait: 0}},
		"gone for good":              {{at: 0, r: old, believe: true, wait: 0}, {at: 10, r: absent, believe: false, wait: 50}, {at: 60, r: absent, believe: true, wait: 0}},
		"unreadable for a moment":    {{at: 0, r: old, believe: true, wait: 0}, {at: 10, r: broken, believe: false, wait: 50}, {at: 40, r: old, believe: false, wait: 0}},
		"unreadable for good":        {{at: 0, r: old, believe: true, wait: 0}, {at: 10, r: broken, believe: false, wait: 50}, {at: 60, r: broken, believe: true, wait: 0}, {at: 70, r: old, believe: true, wait: 0}},
		"restless, and always whole": {{at: 0, r: old, believe: true, wait: 0}, {at: 10, r: content("1\n"), believe: false, wait: 8}, {at: 17, r: content("2\n"), believe: false, wait: 8}, {at: 24, r: content("3\n"), believe: false, wait: 8}, {at: 61, r: content("9\n"), believe: true, wait: 0}},
		"empty at each look":         {{at: 0, r: old, believe: true, wait: 0}, {at: 10, r: content(""), believe: false, wait: 50}, {at: 40, r: content(""), believe: false, wait: 50, touched: true}, {at: 60, r: content(""), believe: false, wait: 30}, {at: 90, r: content(""), believe: true, wait: 0}},
		"gone at each look":          {{at: 0, r: old, believe: true, wait: 0}, {at: 10, r: absent, believe: false, wait: 50}, {at: 59, r: absent, believe: false, wait: 50, touched: true}, {at: 60, r: old, believe: false, wait: 0}},
		"empty for long, seen late":  {{at: 0, r: old, believe: true, wait: 0}, {at: 10, r: oldEmpty, believe: false, wait: 50}, {at: 60, r: oldEmpty, believe: true, wait: 0}},
		"replaced by an older file":  {{at: 0, r: content("a\n"), believe: false, wait: 8}, {at: 1, r: old, believe: true, wait: 0}},
		"whole, and being written":   {{at: 0, r: old, believe: true, wait: 0}, {at: 10, r: writing("a\n"), believe: false, wait: 8}, {at: 300, r: writing("a\nb\n"), believe: false, wait: 8}, {at: 308, r: content("a\nb\n"), believe: true, wait: 0}},
		"empty, and being written":   {{at: 0, r: old, believe: true, wait: 0}, {at: 10, r: writing(""), believe: false, wait: 8}, {at: 310, r: writing(""), believe: false, wait: 8}, {at: 311, r: content("a\n"), believe: true, wait: 0}},
		"kept open for ever":         {{at: 0, r: old, believe: true, wait: 0}, {at: 10, r: writing("a\n"), believe: false, wait: 8}, {at: 1010, r: writing("a\n"), believe: true, wait: 0}, {at: 1020, r: writing(""), believe: false, wait: 8}, {at: 2020, r: writing(""), believe: true, wait: 0}},
		"from the future":            {{at: 0, r: future, believe: false, wait: 8}, {at: 8, r: future, believe: true, wait: 0}},
		"restless, never whole":      {{at: 0, r: old, believe: true, wait: 0}, {at: 10, r: content("1"), believe: false, wait: 50}, {at: 59, r: content("2"), believe: false, wait: 50}, {at: 108, r: content("3"), believe: false, wait: 50}},
	} {
		s := settler{quiet: 8 * time.Millisecond, patience: 50 * time.Millisecond}
		for _, l := range looks {
			believe, wait := s.observe(start.Add(time.Duration(l.at)*time.Millisecond), l.r, l.r.unfinished(), l.touched)
			assert.Equal(t, l.believe, believe, "%s, at %d", name, l.at)
			assert.Equal(t, time.Duration(l.wait)*time.Millisecond, wait, "%s, at %d", name, l.at)
		}
	}
}

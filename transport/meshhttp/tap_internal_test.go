package meshhttp

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestTapPath: what a tap shows, and filters by, is a path in every form of a target.
func TestTapPath(t *testing.T) {
	for target, want := range map[string]string{
		"/a/b?x=1":                   "/a/b?x=1",
		"http://web/a/b?x=1":         "/a/b?x=1",
		"http://web:8080/":           "/",
		"HTTP://web":                 "/",
		"http://web?x=1":             "/?x=1",
		"/a?to=http://elsewhere/b":   "/a?to=http://elsewhere/b",
		"/http://web/a":              "/http://web/a",
		"*":                          "*",
		"web:443":                    "web:443",
		"http://web/?u=http://x/y/z": "/?u=http://x/y/z",
	} {
		assert.Equal(t, want, tapPath(target), target)
	}
}

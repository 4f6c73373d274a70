package main

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func env(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestOnlyARunOfEverythingIsPublished(t *testing.T) {
	s, err := settingsFrom(env("WEFT_BENCH_CACHE", "/c"))
	require.NoError(t, err)
	assert.Equal(t, "docs", filepath.Base(s.out))
	assert.Equal(t, "make bench-wire", s.command)
	assert.Equal(t, 3, s.options.Rounds)
	assert.Equal(t, 10000, s.options.IdleConns)

	s, err = settingsFrom(env("WEFT_BENCH_CACHE", "/c", "ONLY", "h1,h2", "SECS", "2"))
	require.NoError(t, err)
	assert.Equal(t, "/c/last", s.out)
	assert.Equal(t, `make bench-wire ONLY="h1,h2" SECS="2"`, s.command)
	assert.Equal(t, []string{"h1", "h2"}, s.options.Only)
	assert.Equal(t, 2*time.Second, s.options.Time)

	s, err = settingsFrom(env("QUICK", "1", "OUT", "/o"))
	require.NoError(t, err)
	assert.Equal(t, "/o/performance.svg", s.file("svg"))
	assert.True(t, s.options.Quick)
	assert.Equal(t, time.Second, s.options.Time)
}

func TestSettingsThatMakeNoSense(t *testing.T) {
	for _, bad := range [][]string{{"ONLY", "h3"}, {"CONTENDERS", "apache"}, {"SECS", "0"}, {"ROUNDS", "x"}, {"IDLE", "0"}} {
		_, err := settingsFrom(env(bad...))
		assert.ErrorContains(t, err, bad[0])
	}
}

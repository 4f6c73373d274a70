package accesslog

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/proxy/config"
)

func TestMain(m *testing.M) {
	time.Local = time.UTC // files are named and rolled by local time
	os.Exit(m.Run())
}

// record logs a request of the given path.
func record(l *Log, path string) {
	l.Record(Entry{Method: "GET", URI: path, Protocol: "HTTP/1.1", Host: "example.com", Remote: "192.0.2.1:1234", Status: 200})
}

// paths returns the paths that were logged into a file.
func paths(t *testing.T, file string) (all []string) {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	for line := range strings.Lines(string(data)) {
		_, rest, _ := strings.Cut(line, "GET ")
		path, _, ok := strings.Cut(rest, " ")
		require.True(t, ok, line)
		all = append(all, path)
	}
	return all
}

func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestNewTouchesNothing(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "access.log")
	require.NoError(t, os.WriteFile(file, []byte("precious"), 0o644))
	require.NoError(t, New(file, Options{}).Close())
	require.NoError(t, New(filepath.Join(dir, "logs", "access.log"), Options{}).Close())
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, "precious", string(data))
	assert.Equal(t, []string{"access.log"}, names(t, dir))
}

func TestOpenMakesTheDirectoryAndAppendsOrNot(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a", "b", "access.log")
	for _, row := range []struct {
		path   string
		append bool
		want   []string
	}{
		{"/1", true, []string{"/1"}},
		{"/2", true, []string{"/1", "/2"}},
		{"/3", false, []string{"/3"}},
	} {
		l := New(file, Options{Append: row.append})
		require.NoError(t, l.Open())
		require.NoError(t, l.Open(), "again: nothing is emptied")
		record(l, row.path)
		require.NoError(t, l.Close())
		require.NoError(t, l.Close())
		record(l, "/lost")
		assert.Equal(t, row.want, paths(t, file))
	}
}

func TestOpenFails(t *testing.T) {
	dir := t.TempDir()
	err := New(dir, Options{}).Open()
	require.ErrorContains(t, err, "accesslog: ")
	require.ErrorContains(t, err, dir)

	l := New(filepath.Join(dir, "access.log"), Options{})
	require.NoError(t, l.Close())
	require.ErrorIs(t, l.Open(), os.ErrClosed)
}

func TestRollByTime(t *testing.T) {
	rows := []struct {
		name   string
		policy config.RollPolicy
		steps  []time.Duration // when the lines come, since Saturday, 2000-01-01 00:00 UTC
		want   []string        // files, the current one last
	}{
		{
			"hourly",
			config.RollPolicy{When: config.RollHourly},
			[]time.Duration{0, 59 * time.Minute, time.Hour, 3*time.Hour + time.Minute, 3*time.Hour + 59*time.Minute},
			[]string{"access-20000101-010000.log", "access-20000101-030100.log", "access.log"},
		},
		{
			"daily",
			config.RollPolicy{When: config.RollDaily},
			[]time.Duration{time.Hour, 23*time.Hour + 59*time.Minute, 24 * time.Hour, 47 * time.Hour},
			[]string{"access-20000102-000000.log", "access.log"},
		},
		{
			"weekly(1) is on Sundays",
			config.RollPolicy{When: config.RollWeekly, Weekday: 1},
			[]time.Duration{0, 24 * time.Hour, 7 * 24 * time.Hour, 8 * 24 * time.Hour},
			[]string{"access-20000102-000000.log", "access-20000109-000000.log", "access.log"},
		},
		{
			"weekly(7) is on Saturdays",
			config.RollPolicy{When: config.RollWeekly, Weekday: 7},
			[]time.Duration{0, 24 * time.Hour, 7*24*time.Hour - time.Second, 7 * 24 * time.Hour},
			[]string{"access-20000108-000000.log", "access.log"},
		},
		{"never", config.RollPolicy{}, []time.Duration{0, 9999 * time.Hour}, []string{"access.log"}},
		{"sighup", config.RollPolicy{When: config.RollSIGHUP}, []time.Duration{0, 9999 * time.Hour}, []string{"access.log"}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				l := New(filepath.Join(dir, "access.log"), Options{Append: true, Keep: -1, Roll: row.policy})
				require.NoError(t, l.Open())
				for i, at := range row.steps {
					time.Sleep(at - time.Since(begin))
					record(l, fmt.Sprintf("/%d", i))
				}
				require.NoError(t, l.Close())
			})
			assert.Equal(t, row.want, names(t, dir))
			var all []string // no line is lost and all are in order
			for _, f := range row.want {
				all = append(all, paths(t, filepath.Join(dir, f))...)
			}
			for i := range row.steps {
				assert.Equal(t, fmt.Sprintf("/%d", i), all[i])
			}
			assert.Len(t, all, len(row.steps))
		})
	}
}

func TestNextRollWhenClocksChange(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	back := time.Date(2026, 10, 25, 0, 0, 0, 0, berlin) // at 3:00 it becomes 2:00 again
	forth := time.Date(2026, 3, 29, 0, 0, 0, 0, berlin) // at 2:00 it becomes 3:00
	for _, day := range []time.Time{back, forth} {
		for at := day; at.Day() == day.Day(); at = at.Add(7 * time.Minute) {
			next := nextRoll(config.RollPolicy{When: config.RollHourly}, at)
			assert.True(t, next.After(at) && next.Sub(at) <= time.Hour, "%v → %v", at, next)
			assert.Zero(t, next.Minute())
			next = nextRoll(config.RollPolicy{When: config.RollDaily}, at)
			assert.Equal(t, "00:00", next.Format("15:04"))
			assert.Equal(t, day.Day()+1, next.Day())
		}
	}
}

func TestRollBySize(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		l := New(filepath.Join(dir, "access.log"), Options{Append: true, Keep: 2, Roll: config.RollPolicy{When: config.RollSize, Size: 200}})
		for i := range 26 { // two lines fit
			record(l, fmt.Sprintf("/%d", i))
		}
		require.NoError(t, l.Close())
	})
	// All happens in one second, so the files are numbered, and 9 comes before 10.
	assert.Equal(t, []string{"access-20000101-000000.10.log", "access-20000101-000000.11.log", "access.log"}, names(t, dir))
	assert.Equal(t, []string{"/24", "/25"}, paths(t, filepath.Join(dir, "access.log")))
	assert.Equal(t, []string{"/22", "/23"}, paths(t, filepath.Join(dir, "access-20000101-000000.11.log")))
}

func TestRotateCountKeepsOtherLogs(t *testing.T) {
	for _, keep := range []int{0, 1, 3} {
		t.Run(fmt.Sprint(keep), func(t *testing.T) {
			dir := t.TempDir()
			others := []string{"access-2-20000101-000000.log", "access-2.log", "access-20000101-000000.log.gz", "access-old.log", "baccess-20000101-000000.log"}
			for _, f := range others {
				require.NoError(t, os.WriteFile(filepath.Join(dir, f), nil, 0o644))
			}
			synctest.Test(t, func(t *testing.T) {
				l := New(filepath.Join(dir, "access.log"), Options{Append: true, Keep: keep, Roll: config.RollPolicy{When: config.RollHourly}})
				for i := range 6 {
					record(l, fmt.Sprintf("/%d", i))
					time.Sleep(time.Hour)
				}
				require.NoError(t, l.Close())
			})
			all := names(t, dir)
			for _, f := range others {
				assert.Contains(t, all, f)
			}
			assert.Len(t, all, len(others)+1+keep)
			if keep > 0 {
				assert.Contains(t, all, "access-20000101-050000.log", "the newest are kept")
			}
		})
	}
}

func TestReopenFollowsTheName(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "access.log")
	l := New(file, Options{Append: false, Keep: -1, Roll: config.RollPolicy{When: config.RollSIGHUP}})
	require.NoError(t, l.Reopen(), "before it is open")
	record(l, "/1")
	require.NoError(t, os.Rename(file, file+".1"))
	record(l, "/2")
	require.NoError(t, l.Reopen())
	record(l, "/3")
	require.NoError(t, l.Reopen())
	record(l, "/4")
	require.NoError(t, l.Close())
	require.NoError(t, l.Reopen(), "after it is closed")
	assert.Equal(t, []string{"/1", "/2"}, paths(t, file+".1"))
	assert.Equal(t, []string{"/3", "/4"}, paths(t, file), "to reopen is not to empty")
}

func TestRollGoesOnWhenTheFileWasTakenAway(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "access.log")
	l := New(file, Options{Keep: -1, Roll: config.RollPolicy{When: config.RollSize, Size: 10}})
	record(l, "/1")
	require.NoError(t, os.Remove(file))
	record(l, "/2")
	require.NoError(t, l.Close())
	assert.Equal(t, []string{"/2"}, paths(t, file))
}

func TestRecordIsSafeForConcurrentUse(t *testing.T) {
	dir := t.TempDir()
	l := New(filepath.Join(dir, "access.log"), Options{Append: true, Keep: -1, Roll: config.RollPolicy{When: config.RollSize, Size: 1000}})
	var writers sync.WaitGroup
	for i := range 8 {
		writers.Go(func() {
			for j := range 50 {
				record(l, fmt.Sprintf("/%d/%d", i, j))
				if j%10 == 0 {
					assert.NoError(t, l.Reopen())
				}
			}
		})
	}
	writers.Wait()
	require.NoError(t, l.Close())
	lines := 0
	for _, f := range names(t, dir) {
		lines += len(paths(t, filepath.Join(dir, f)))
	}
	assert.Equal(t, 400, lines)
}

func TestJSONLines(t *testing.T) {
	dir := t.TempDir()
	l := New(filepath.Join(dir, "access.log"), Options{JSON: true, Keep: -1, Roll: config.RollPolicy{When: config.RollSize, Size: 150}})
	for range 3 {
		record(l, "/a")
	}
	require.NoError(t, l.Close())
	files := names(t, dir)
	assert.Len(t, files, 3, "a line has 130 bytes: %v", files)
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(dir, f))
		require.NoError(t, err)
		assert.Regexp(t, `^\{"time":"[^"]+","remote":"192.0.2.1","method":"GET","host":"example.com","uri":"/a","protocol":"HTTP/1.1","status":200\}\n$`, string(data))
	}
}

package file_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/file"
)

const (
	childEnv     = "WEFT_TEST_FILE_STORE" // the path of the store
	childWriters = 4
)

// TestKill is that a store whose process is killed in the middle of writes has every
// write that was acknowledged, of each of several writers, in 200 rounds on one file; under the race detector, with which the child takes long
// to start, in 25, unless WEFT_SOAK is set.
func TestKill(t *testing.T) {
	rounds := 200
	if raceEnabled && os.Getenv("WEFT_SOAK") == "" {
		rounds = 25
	}
	path := filepath.Join(quickDir(t), "dir", "dtabs.db")
	before := make([]int, childWriters) // acknowledged, by writer
	var total, more int
	for round := range rounds {
		acknowledged := killOne(t, path)
		s := open(t, path)
		for w := range childWriters {
			ns := fmt.Sprint("w", w)
			st, err := s.Get(t.Context(), ns)
			require.NoError(t, err)
			n := written(t, st)
			least := max(before[w], acknowledged[w])
			require.GreaterOrEqualf(t, n, least, "round %d: a write to %s was acknowledged and is lost", round, ns)
			require.LessOrEqualf(t, n, least+1, "round %d: more than the write that was being made", round)
			require.Equal(t, st.Exists, n > 0)
			changes, err := s.History(t.Context(), ns, 100)
			require.NoError(t, err)
			require.Lenf(t, changes, min(100, n), "round %d", round)
			for i, c := range changes {
				require.Equal(t, fmt.Sprint(n-i), c.Author)
			}
			total, more, before[w] = total+n-before[w], more+n-least, n
		}
		require.NoError(t, s.Close())
	}
	t.Logf("%d rounds, %d writes, %d of which were made without the writer having heard of it", rounds, total, more)
	require.Positive(t, total)
}

// killOne runs a child, kills it at some moment, and returns the last write that each
// of its writers knew to be made.
func killOne(t *testing.T, path string) []int {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+path)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	// From its first sign of life on, so that how long it takes to start plays no part.
	lines := bufio.NewReader(out)
	first, err := lines.ReadString('\n')
	if err == nil {
		time.AfterFunc(rand.N(40*time.Millisecond), func() { _ = cmd.Process.Kill() })
	}
	rest, _ := io.ReadAll(lines)
	_ = cmd.Wait()
	require.Empty(t, said.String())
	require.Equal(t, "ready\n", first)
	acknowledged := make([]int, childWriters)
	for line := range strings.Lines(string(rest)) {
		if !strings.HasSuffix(line, "\n") {
			break // cut off by the end of it
		}
		var w, n int
		_, err := fmt.Sscanf(line, "%d %d\n", &w, &n)
		require.NoError(t, err)
		acknowledged[w] = n
	}
	return acknowledged
}

// child writes until it is killed. Each line that it prints is a write that was
// acknowledged.
func child(path string) int {
	fail := func(err error) int {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	s, err := file.Open(path, file.Options{})
	if err != nil {
		return fail(err)
	}
	fmt.Println("ready")
	var writers sync.WaitGroup
	for w := range childWriters {
		writers.Go(func() {
			ns := fmt.Sprint("w", w)
			st, err := s.Get(context.Background(), ns)
			if err != nil {
				fail(err)
				return
			}
			n, v := 0, st.Version
			if len(st.Dtab) > 0 {
				n, _ = strconv.Atoi(strings.TrimPrefix(st.Dtab[0].Prefix.String(), "/"))
			}
			for {
				n++
				// Of different sizes, so that pages are split, merged and freed.
				d := dtab.MustParse(fmt.Sprintf("/%d=>/a", n)).Concat(dtab.MustParse(strings.Repeat("/svc=>/#/b;", n%300)))
				note := namerd.Note{Author: strconv.Itoa(n)}
				if v == "" {
					v, err = s.Create(context.Background(), ns, d, note)
				} else {
					v, err = s.Update(context.Background(), ns, d, v, note)
				}
				if err != nil {
					fail(err)
					return
				}
				fmt.Printf("%d %d\n", w, n)
			}
		})
	}
	writers.Wait()
	return 1
}

// written returns the number of the last write to a namespace.
func written(t *testing.T, st namerd.Stored) int {
	t.Helper()
	if !st.Exists {
		return 0
	}
	n, err := strconv.Atoi(strings.TrimPrefix(st.Dtab[0].Prefix.String(), "/"))
	require.NoError(t, err)
	require.Len(t, st.Dtab, 1+n%300, "half of a write")
	return n
}

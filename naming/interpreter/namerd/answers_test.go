package namerd_test

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/internal/namerdtest"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/interpreter/namerd"
)

// answering returns an interpreter of a server that answers calls as handle does.
func answering(t *testing.T, c namerd.Config, handle func(ctx context.Context, method string, seq int32, req fields) (byte, []byte)) *namerd.Interpreter {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go((&muxPeer{conn: c, handle: func(ctx context.Context, body []byte) (byte, []byte) {
				method, seq, args, err := readCall(body)
				if err != nil {
					return 1, []byte(err.Error())
				}
				return handle(ctx, method, seq, args[1].(fields))
			}}).serve)
		}
	})
	in, err := namerd.New(c, namerd.Options{Endpoints: func(context.Context) weft.Source[naming.State[weft.EndpointSet]] {
		return weft.Const[naming.State[weft.EndpointSet]]{V: namerdtest.Set(ln.Addr().String())}
	}})
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.NoError(t, in.Close())
		ln.Close()
		wg.Wait()
	})
	return in
}

func awaitTree(t *testing.T, src weft.Source[namerdtest.Tree], ok func(namerdtest.Tree) bool) namerdtest.Tree {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	st, err := weft.Until(ctx, src, ok)
	require.NoError(t, err, "%+v", st)
	return st
}

func good(st namerdtest.Tree) bool { return st.Known && st.Err == nil }

func leaf(id string) fields {
	return fields{1: fields{4: fields{1: []any{id}, 2: []any{}}}, 2: numbers{}}
}

// TestAnswersThatMakeNoSense: the watch goes on until there is one that does.
func TestAnswersThatMakeNoSense(t *testing.T) {
	var step atomic.Int32
	in := answering(t, namerd.Config{RetryBase: 5 * time.Millisecond}, func(_ context.Context, method string, seq int32, _ fields) (byte, []byte) {
		switch step.Load() {
		case 0:
			return 0, []byte("garbage")
		case 1:
			return 0, exception(method, seq, "Internal error processing bind: 'boom'")
		case 2:
			return 0, reply("addr", seq, fields{})
		case 3:
			return 0, reply(method, seq, fields{})
		case 4:
			return 0, reply(method, seq, fields{0: fields{1: "s", 2: fields{1: fields{5: []any{int32(7)}}, 2: numbers{}}, 3: "default"}})
		case 5:
			return 0, reply(method, seq, fields{0: fields{1: "s", 2: fields{1: fields{6: []any{fields{1: -1.0, 2: int32(0)}}}}, 3: "default"}})
		case 6:
			return 1, []byte("The maximum number of concurrent observations has been reached (1000)")
		default:
			return 0, reply(method, seq, fields{0: fields{1: "s8", 2: leaf("web"), 3: "default"}})
		}
	})
	src := in.Bind(t.Context(), nil, dtab.MustPath("/svc/web"))
	for i, want := range []string{
		"thrift: ", "boom", `the answer to bind is a message "addr"`, "neither a result nor a failure",
		"there is no node 7", "which is no share", "The maximum number of concurrent observations has been reached (1000)",
	} {
		st := awaitTree(t, src, func(st namerdtest.Tree) bool { return st.Err != nil && int(step.Load()) == i && contains(st.Err, want) })
		assert.False(t, st.Known)
		step.Add(1)
	}
	assert.Equal(t, "/web", awaitTree(t, src, good).Value.Value.ID.String())
}

func contains(err error, text string) bool { return assert.ErrorContains(quiet{}, err, text) }

// quiet is a test that nobody looks at.
type quiet struct{}

func (quiet) Errorf(string, ...any) {}

// TestStamps: the first question has an empty stamp, the next ones that of the last
// answer. A failure that comes with a stamp of its own is waited for like an answer.
func TestStamps(t *testing.T) {
	var mu sync.Mutex
	var stamps []string
	in := answering(t, namerd.Config{RetryBase: time.Hour, RetryMax: time.Hour}, func(ctx context.Context, method string, seq int32, req fields) (byte, []byte) {
		ref := req[2].(fields)
		mu.Lock()
		stamps = append(stamps, ref[1].(string))
		n := len(stamps)
		mu.Unlock()
		switch n {
		case 1:
			return 0, reply(method, seq, fields{0: fields{1: "one", 2: leaf("a"), 3: "default"}})
		case 2:
			return 0, reply(method, seq, fields{1: fields{1: "boom", 2: int32(0), 3: fields{1: "two", 2: ref[2], 3: ref[3]}, 4: "default"}})
		case 3:
			return 0, reply(method, seq, fields{0: fields{1: "three", 2: leaf("b"), 3: "default"}})
		default:
			<-ctx.Done()
			return 1, nil
		}
	})
	src := in.Bind(t.Context(), nil, dtab.MustPath("/svc/web"))
	awaitTree(t, src, func(st namerdtest.Tree) bool { return good(st) && st.Value.Value.ID.String() == "/b" })
	require.Eventually(t, func() bool { mu.Lock(); defer mu.Unlock(); return len(stamps) == 4 }, 15*time.Second, time.Millisecond)
	assert.Equal(t, []string{"", "one", "two", "three"}, stamps)
}

// TestBackoffIsReset is quirk 23: the delay after a failure grows, and is short
// again after a good answer.
func TestBackoffIsReset(t *testing.T) {
	var fail atomic.Bool
	var mu sync.Mutex
	var at []time.Time
	again, polling := make(chan struct{}), make(chan struct{}, 1)
	in := answering(t, namerd.Config{RetryBase: 20 * time.Millisecond, RetryMax: time.Hour}, func(_ context.Context, method string, seq int32, req fields) (byte, []byte) {
		if fail.Load() {
			mu.Lock()
			defer mu.Unlock()
			at = append(at, time.Now())
			return 0, reply(method, seq, fields{1: fields{1: "boom", 2: int32(0), 3: req[2], 4: "default"}})
		}
		if req[2].(fields)[1] != "" {
			polling <- struct{}{}
			<-again // holds the long poll until there is something new, a failure
			return 0, reply(method, seq, fields{1: fields{1: "boom", 2: int32(0), 3: req[2], 4: "default"}})
		}
		return 0, reply(method, seq, fields{0: fields{1: "s", 2: leaf("a"), 3: "default"}})
	})
	fail.Store(true)
	src := in.Bind(t.Context(), nil, dtab.MustPath("/svc/web"))
	count := func() int { mu.Lock(); defer mu.Unlock(); return len(at) }
	require.Eventually(t, func() bool { return count() == 6 }, 15*time.Second, time.Millisecond)
	assert.Greater(t, at[5].Sub(at[4]), 100*time.Millisecond, "grown to 320 ms, of which at least a half")
	fail.Store(false)
	awaitTree(t, src, good)
	<-polling
	mu.Lock()
	at = nil
	mu.Unlock()
	fail.Store(true)
	close(again)
	begun := time.Now()
	require.Eventually(t, func() bool { return count() == 1 }, 15*time.Second, time.Millisecond)
	assert.Less(t, time.Since(begun), 400*time.Millisecond, "from the start again, though there were seven before")
}

func TestConfig(t *testing.T) {
	o := namerd.Options{Endpoints: func(context.Context) weft.Source[naming.State[weft.EndpointSet]] {
		return weft.Const[naming.State[weft.EndpointSet]]{}
	}}
	_, err := namerd.New(namerd.Config{}, namerd.Options{})
	require.EqualError(t, err, "io.l5d.namerd: options: Endpoints is required: where namerd is")
	_, err = namerd.New(namerd.Config{RetryBase: time.Minute, RetryMax: time.Second}, o)
	require.EqualError(t, err, "io.l5d.namerd: retry: base 1m0s must not be greater than max 1s")
}

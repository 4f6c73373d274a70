package naming_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// TestScripts runs testdata/*.txt. A script has a world of its own: the namers /#/n,
// /#/fb, /#/namer and /$ of the vectors, and /#/a, whose names the script sets.
//
//	dtab                    the input is the router's dtab from now on
//	stored [pending|failed|stale] the input is the stored dtab
//	depth <n>               makes the interpreter anew with that limit
//	set <name> <addr>…      neg|empty|nfail|pending <name>   fail <name> <text>
//	stale <name> <text>     the answer stays and is marked as the last good one
//	tree <name> <tree>      the answer is a tree of paths
//	bind <path>             the input is the local dtab
//	observe <path>          follows a name; "changes" prints what was seen since
//	looking                 the look-ups of /#/a that are alive
//	drop <path>             stops observing
//	vectors                 rows "id dtab @ path", bound without the router's dtab
//	delegations             rows "id dtab @ path", explained likewise
//	json|text <path>        explains; the input is the local dtab
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				defer w.close()
				datadriven.RunTest(t, file, w.run)
			})
		})
	}
}

type world struct {
	board     *board
	router    dtab.Dtab
	stored    weft.Var[naming.State[dtab.Dtab]]
	in        *naming.Default
	observers map[string]*observer
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{board: newBoard(), observers: map[string]*observer{}}
	w.stored.Store(naming.Ok(dtab.Dtab(nil)))
	w.in = naming.NewInterpreter(w.options(0))
	return w
}

func (w *world) options(depth int) naming.Options {
	return naming.Options{
		Namers: naming.Namers{
			{Prefix: path("/#/n"), Namer: naming.NamerFunc(stubN)},
			{Prefix: path("/#/fb"), Namer: stubFB("/#/fb2")},
			{Prefix: path("/#/fb"), Namer: stubFB("/#/fb1")},
			{Prefix: path("/#/namer"), Namer: naming.NamerFunc(stubWhole)},
			{Prefix: path("/#/a"), Namer: w.board},
		},
		Global:   naming.NamerFunc(stubGlobal),
		Stored:   &w.stored,
		MaxDepth: depth,
	}
}

func (w *world) close() {
	for _, o := range w.observers {
		o.cancel()
	}
	_ = w.in.Close()
	synctest.Wait()
}

// settle lets everything that is going on come to rest.
func settle() {
	synctest.Wait()
	time.Sleep(10 * time.Millisecond)
	synctest.Wait()
}

func (w *world) run(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	arg := func(i int) string {
		require.Greater(t, len(d.CmdArgs), i, "%s: missing argument", d.Pos)
		return d.CmdArgs[i].String()
	}
	rest := func(from int) string {
		var words []string
		for i := from; i < len(d.CmdArgs); i++ {
			words = append(words, d.CmdArgs[i].String())
		}
		return strings.Join(words, " ")
	}
	put := func(a answer) string {
		w.board.put(path(arg(0)), a)
		settle()
		return "ok"
	}
	switch d.Cmd {
	case "dtab":
		w.router = dtab.MustParse(d.Input)
	case "stored":
		switch rest(0) {
		case "pending":
			w.stored.Store(naming.State[dtab.Dtab]{})
		case "failed":
			w.stored.Store(naming.Failed[dtab.Dtab](errors.New("no dtab")))
		case "stale":
			rules, _ := w.stored.Load()
			rules.Err = errors.New("dtab is old")
			w.stored.Store(rules)
		default:
			w.stored.Store(naming.Ok(dtab.MustParse(d.Input)))
		}
		settle()
	case "depth":
		n, err := strconv.Atoi(arg(0))
		require.NoError(t, err)
		require.NoError(t, w.in.Close())
		w.in = naming.NewInterpreter(w.options(n))
	case "set":
		id := path(arg(0))
		return put(naming.Ok(dtab.LeafOf(naming.Fixed(id, dtab.Path{}, endpoints(strings.Fields(rest(1))...)))))
	case "neg":
		return put(naming.Ok(tree{}))
	case "empty":
		return put(naming.Ok(tree{Op: dtab.Empty}))
	case "nfail":
		return put(naming.Ok(tree{Op: dtab.Fail}))
	case "pending":
		return put(answer{})
	case "stale":
		answers, _ := w.board.answers.Load()
		a := answers[path(arg(0))]
		a.Err = errors.New(rest(1))
		return put(a)
	case "fail":
		return put(naming.Failed[tree](errors.New(rest(1))))
	case "tree":
		return put(naming.Ok(naming.PathTree(dtab.MustTree(rest(1)))))
	case "bind":
		return w.bind(w.local(d.Input), path(arg(0)))
	case "observe":
		w.observers[arg(0)] = observe(w.in.Bind, w.local(d.Input), path(arg(0)))
		settle()
		return w.observers[arg(0)].changes()
	case "changes":
		return w.observers[arg(0)].changes()
	case "drop":
		w.observers[arg(0)].cancel()
		delete(w.observers, arg(0))
		settle()
	case "looking":
		return strings.Join(w.board.looking(), "\n")
	case "vectors":
		return rows(d.Input, func(local dtab.Dtab, p dtab.Path) string { return w.bind(local, p) })
	case "delegations":
		return rows(d.Input, func(local dtab.Dtab, p dtab.Path) string {
			e, err := w.in.Delegate(t.Context(), local, p)
			if err != nil {
				return "error: " + err.Error()
			}
			return showDelegation(e)
		})
	case "json", "text":
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		e, err := w.in.Delegate(ctx, w.local(d.Input), path(arg(0)))
		text := e.Text()
		if d.Cmd == "json" {
			var b bytes.Buffer
			enc := json.NewEncoder(&b)
			enc.SetEscapeHTML(false)
			require.NoError(t, enc.Encode(e))
			text = b.String()
		}
		if err != nil {
			text += "error: " + err.Error() + "\n"
		}
		return text
	default:
		d.Fatalf(t, "no such command")
	}
	return "ok"
}

func (w *world) local(text string) dtab.Dtab { return w.router.Concat(dtab.MustParse(text)) }

// bind prints what a name is bound to once everything is at rest.
func (w *world) bind(local dtab.Dtab, p dtab.Path) string {
	ctx, cancel := context.WithCancel(context.Background())
	defer settle()
	defer cancel()
	src := w.in.Bind(ctx, local, p)
	settle()
	s, _ := src.Load()
	return showState(s)
}

// rows runs f for each row "id dtab @ path".
func rows(input string, f func(dtab.Dtab, dtab.Path) string) string {
	var out strings.Builder
	for line := range strings.Lines(input) {
		id, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		rules, p, _ := strings.Cut(rest, "@")
		fmt.Fprintf(&out, "%s %s\n", id, f(dtab.MustParse(rules), path(strings.TrimSpace(p))))
	}
	return out.String()
}

// observer follows a bound name.
type observer struct {
	cancel context.CancelFunc
	seen   chan string
}

func observe(
	bind func(context.Context, dtab.Dtab, dtab.Path) weft.Source[naming.State[dtab.Tree[*naming.Bound]]], local dtab.Dtab, p dtab.Path,
) *observer {
	ctx, cancel := context.WithCancel(context.Background())
	o := &observer{cancel: cancel, seen: make(chan string, 1000)}
	src := bind(ctx, local, p)
	go func() {
		for {
			s, stale := src.Load()
			o.seen <- showState(s)
			select {
			case <-stale:
			case <-ctx.Done():
				return
			}
		}
	}()
	return o
}

func (o *observer) changes() string {
	var lines []string
	for len(o.seen) > 0 {
		lines = append(lines, <-o.seen)
	}
	if lines == nil {
		return "none"
	}
	return strings.Join(lines, "\n")
}

package dtabcmd_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/weft-mesh/weft/cmd/weft/dtabcmd"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/httpapi"
	"github.com/weft-mesh/weft/namerd/store/memory"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/static"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// long is how long anything may take that happens in the end.
const long = 20 * time.Second

// world is a namerd with the store of the specification's vectors, and what it was
// asked.
type world struct {
	store *memory.Store
	http  *httptest.Server

	// onWrite, if not nil, is called before each write over HTTP.
	onWrite func()

	mu   sync.Mutex
	seen []string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	for _, name := range []string{"BASE_URL", "TOKEN", "AUTHOR", "TIMEOUT", "TLS_CA", "TLS_CERT", "TLS_KEY", "TLS_SERVER_NAME", "INSECURE"} {
		t.Setenv("NAMERCTL_"+name, "")
	}
	t.Setenv("NAMERCTL_AUTHOR", "tester")
	w := &world{store: memory.New(memory.Options{Namespaces: map[string]dtab.Dtab{
		"yeezus": dtab.MustParse("/yeezy=>/yeezus"),
		"tlop":   dtab.MustParse("/yeezy=>/pablo"),
	}})}
	names, err := static.New(static.Config{Names: map[string][]string{"web": {"127.0.0.1:1", "127.0.0.1:2"}, "web-v2": {"127.0.0.1:3"}}})
	require.NoError(t, err)
	n, err := namerd.New(namerd.Options{Store: w.store, Namers: naming.Under(listed{names})})
	require.NoError(t, err)
	api := httpapi.New(n, httpapi.Options{})
	w.http = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.record(r)
		if r.Method != http.MethodGet && w.onWrite != nil {
			w.onWrite()
		}
		api.ServeHTTP(rw, r)
	}))
	t.Cleanup(func() {
		assert.NoError(t, api.Close())
		w.http.Close()
		assert.NoError(t, n.Close())
		assert.NoError(t, w.store.Close())
	})
	return w
}

// listed is a namer that can enumerate its names.
type listed struct{ *static.Namer }

// Names implements namerd.Lister.
func (listed) Names() ([]dtab.Path, error) {
	return []dtab.Path{dtab.MustPath("/#/static/web"), dtab.MustPath("/#/static/web-v2")}, nil
}

// record keeps the request in the form of the test rows.
func (w *world) record(r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	lines := []string{r.Method + " " + r.RequestURI}
	for _, h := range []string{"Accept", "Authorization", "Content-Type", "If-Match"} {
		if v := r.Header.Values(h); len(v) > 0 {
			lines = append(lines, h+": "+strings.Join(v, ","))
		}
	}
	if len(body) > 0 {
		lines = append(lines, string(body))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = append(w.seen, strings.Join(lines, "\n"))
}

// asked returns the requests since it was called last.
func (w *world) asked() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := w.seen
	w.seen = nil
	return seen
}

func (w *world) put(t *testing.T, namespace, rules string) {
	t.Helper()
	_, err := w.store.Put(t.Context(), namespace, dtab.MustParse(rules), namerd.Note{})
	require.NoError(t, err)
}

func (w *world) rules(t *testing.T, namespace string) string {
	t.Helper()
	st, err := w.store.Get(t.Context(), namespace)
	require.NoError(t, err)
	if !st.Exists {
		return "none"
	}
	return st.Dtab.String()
}

// result is what a command line came to.
type result struct {
	code int
	out  string
	errs string
}

// run executes a command line against w as cmd/weft does.
func (w *world) run(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	return run(t.Context(), stdin, append(slices.Clone(args), "--base-url", w.http.URL)...)
}

func run(ctx context.Context, stdin string, args ...string) result {
	var out, errs bytes.Buffer
	code := execute(ctx, strings.NewReader(stdin), &out, &errs, args)
	return result{code, out.String(), errs.String()}
}

func execute(ctx context.Context, in io.Reader, out, errs io.Writer, args []string) int {
	root := &cobra.Command{Use: "weft", SilenceErrors: true, SilenceUsage: true}
	root.AddCommand(dtabcmd.Command())
	root.SetArgs(append([]string{"dtab"}, args...))
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errs)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	failed, ok := errors.AsType[*dtabcmd.ExitError](err)
	if !ok {
		fmt.Fprintf(errs, "weft: not an ExitError: %v\n", err)
		return -1
	}
	if failed.Err != nil {
		fmt.Fprintf(errs, "weft: %v\n", err)
	}
	return failed.Code
}

// succeeds is a command line that is to succeed; it returns what it printed.
func (w *world) succeeds(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	r := w.run(t, stdin, args...)
	require.Equal(t, 0, r.code, "%v: %s", args, r.errs)
	assert.Empty(t, r.errs)
	return r.out
}

// fails is a command line that is to fail; it returns what it said.
func (w *world) fails(t *testing.T, code int, stdin string, args ...string) string {
	t.Helper()
	r := w.run(t, stdin, args...)
	require.Equal(t, code, r.code, "%v: %s%s", args, r.out, r.errs)
	return r.errs
}

// after fires after d, without a timer that outlives the test by much.
func after(d time.Duration) <-chan time.Time { return time.After(d) }

// scan sends the lines of r.
func scan(r io.Reader, lines chan<- string) {
	in := bufio.NewScanner(r)
	for in.Scan() {
		lines <- in.Text()
	}
}

// complete returns what a shell is offered.
func complete(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	root := &cobra.Command{Use: "weft", SilenceErrors: true, SilenceUsage: true}
	root.AddCommand(dtabcmd.Command())
	root.SetArgs(append([]string{cobra.ShellCompRequestCmd, "dtab"}, args...))
	root.SetOut(&out)
	root.SetErr(io.Discard)
	require.NoError(t, root.ExecuteContext(t.Context()))
	return out.String()
}

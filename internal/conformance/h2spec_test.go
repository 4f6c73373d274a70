package conformance_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/child"
	"github.com/weft-mesh/weft/internal/origin"
	"github.com/weft-mesh/weft/internal/testcert"
	"github.com/weft-mesh/weft/internal/testtool"
	"github.com/weft-mesh/weft/transport/http2"
)

// cases is how many h2spec 2.2.1 has.
const cases = 145

func TestH2SpecThroughRouter(t *testing.T) {
	child.Heavy(t)
	t.Parallel()
	tool := testtool.Get(t, testtool.H2Spec)
	backend := origin.Serve(t, nil, nil)
	f := testcert.NewFiles(t, serverName)
	for name, server := range map[string]string{"cleartext": "", "TLS": child.ServerTLS(f)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := child.Run(t, child.Config(child.Router{Protocol: "h2", To: backend.Port, Server: server}))
			h2spec(t, tool, w.Addr(t, "h2"), server != "")
		})
	}
}

func TestH2SpecOnTheServerAlone(t *testing.T) {
	t.Parallel()
	tool := testtool.Get(t, testtool.H2Spec)
	f := testcert.NewFiles(t, serverName)
	for name, secure := range map[string]bool{"cleartext": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			addr := l.Addr().String()
			if secure {
				l = http2.NewTLSListener(l, f.Pair(t).Config(t))
			}
			srv := http2.NewServer(http2.ServerOptions{Handler: origin.Handler()})
			ended := make(chan error, 1)
			go func() { ended <- srv.Serve(l) }()
			t.Cleanup(func() {
				assert.NoError(t, srv.Close())
				assert.ErrorIs(t, <-ended, http2.ErrServerClosed)
			})
			h2spec(t, tool, addr, secure)
		})
	}
}

// h2spec runs every case against a server, and names those that fail.
func h2spec(t *testing.T, tool, addr string, secure bool) {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	report := filepath.Join(t.TempDir(), "report.xml")
	args := []string{"-h", host, "-p", port, "-o", "3", "-j", report}
	if secure {
		args = append(args, "-t", "-k")
	}
	out, err := exec.CommandContext(t.Context(), tool, args...).CombinedOutput()
	text, unread := os.ReadFile(report)
	require.NoError(t, unread, "%v: %s", err, out)
	passed, problems := results(t, text)
	for _, p := range problems {
		t.Error(p)
	}
	if assert.Equal(t, cases, passed, "cases that passed") && err != nil {
		t.Errorf("h2spec: %v", err)
	}
}

// suites is a report in JUnit's form.
type suites struct {
	Suites []struct {
		Name  string `xml:"name,attr"`
		Cases []struct {
			Section string  `xml:"package,attr"`
			Name    string  `xml:"classname,attr"`
			Failure *string `xml:"failure"`
			Error   *string `xml:"error"`
			Skipped *string `xml:"skipped"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

// results takes a report apart.
func results(t *testing.T, report []byte) (passed int, problems []string) {
	t.Helper()
	var all suites
	// h2spec writes frames into the report as they came, whatever XML makes of them.
	report = bytes.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == utf8.RuneError {
			return '.'
		}
		return r
	}, report)
	require.NoError(t, xml.Unmarshal(report, &all))
	for _, s := range all.Suites {
		for _, c := range s.Cases {
			title := fmt.Sprintf("%s: %s", c.Section, c.Name)
			switch {
			case c.Failure != nil || c.Error != nil:
				var text string
				for _, p := range []*string{c.Failure, c.Error} {
					if p != nil {
						text += *p
					}
				}
				// h2spec lists what would have been right, and last what came.
				problems = append(problems, title+":\n  "+strings.ReplaceAll(text, "\n", "\n  "))
			case c.Skipped != nil:
				problems = append(problems, title+": skipped")
			default:
				passed++
			}
		}
	}
	return passed, problems
}

func TestFailedCasesAreNamed(t *testing.T) {
	passed, problems := results(t, []byte(`<testsuites>
  <testsuite name="1. Starting HTTP/2" tests="1">
    <testcase package="generic/1" classname="Sends a client connection preface" time="0.0003"></testcase>
  </testsuite>
  <testsuite name="4.2. Frame Size" tests="3">
    <testcase package="http2/4.2" classname="Sends a large size HEADERS frame" time="2.0018">
      <error>GOAWAY Frame
DATA Frame (length:13)</error>
    </testcase>
    <testcase package="http2/4.2" classname="Sends nothing" time="0"><skipped></skipped></testcase>
    <testcase package="http2/4.2" classname="Sends more" time="0"><failure>none</failure></testcase>
  </testsuite>
</testsuites>`))
	assert.Equal(t, 1, passed)
	assert.Equal(t, []string{
		"http2/4.2: Sends a large size HEADERS frame:\n  GOAWAY Frame\n  DATA Frame (length:13)",
		"http2/4.2: Sends nothing: skipped",
		"http2/4.2: Sends more:\n  none",
	}, problems)
}

package meshhttp

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/weft-mesh/weft"
)

// Errors of an attempt that are answers of the endpoint or of the mesh rather than
// of the network.
var (
	errNacked       = errors.New("The request was Nacked by the server")                                //nolint:staticcheck // Linkerd's text, seen by callers
	errOverloaded   = errors.New("Request not issued to the backend due to observed overload.")         //nolint:staticcheck,revive // Linkerd's text, seen by callers
	errNonRetryable = errors.New("The request was Nacked by the server and must not be sent once more") //nolint:staticcheck // in the style of Linkerd's text
	errSwitched     = errors.New("meshhttp: the endpoint switched to a protocol that it was not asked for")
)

const (
	// drainBytes and drainTime are what may be spent on the body of a response that
	// nobody will see, so that its connection can be used again.
	drainBytes = 64 << 10
	drainTime  = 250 * time.Millisecond
	// trustedLength is the Content-Length up to which memory is given at once.
	trustedLength = 64 << 10
)

// accept looks at the head of a response: refusals of Finagle peers are not
// responses, and short bodies are read now. whole says that the body is in memory.
func (a *attempt) accept(resp *http.Response) (_ *http.Response, whole bool, err error) {
	if err := checkFraming(resp.Header); err != nil {
		drain(resp)
		return nil, false, err
	}
	if err := a.checkSwitch(resp); err != nil {
		_ = resp.Body.Close() // what it speaks is not known
		return nil, false, err
	}
	nacked := isNack(resp)
	a.state.nack.Observe(nacked)
	if nacked {
		drain(resp)
		return nil, false, &weft.Error{
			Stage: weft.StageReceive, Dst: a.pick.Client.ID(), Unsent: a.x.body.freeze(), Err: errNacked,
		}
	}
	if _, refused := resp.Header[headerNackNoRe]; refused && resp.StatusCode == http.StatusServiceUnavailable {
		drain(resp)
		return nil, false, errNonRetryable
	}
	rewriteLocation(resp, a.pick.Client.Meta()["authority"], a.x.in.req.Host)
	if resp.Body == nil {
		resp.Body = http.NoBody
	}
	if resp.Body == http.NoBody {
		return resp, true, nil
	}
	if resp.Body == &a.sending.body && a.sending.body.whole {
		return resp, true, nil
	}
	if n := resp.ContentLength; n > 0 && n <= a.x.t.opts.BufferBytes {
		if err := readWhole(resp, &a.x.mem); err != nil {
			_ = resp.Body.Close() // the error says more
			return resp, false, err
		}
		return resp, true, nil
	}
	return resp, false, nil
}

// checkSwitch refuses a 101 that nobody asked for: it would hand the caller's
// connection to the endpoint.
func (a *attempt) checkSwitch(resp *http.Response) error {
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return nil
	}
	if a.x.upgrade == "" || !strings.EqualFold(upgradeOf(resp.Header), a.x.upgrade) {
		return errSwitched
	}
	return nil
}

// readWhole replaces the body by what it holds. The body is closed with the one in its
// place: until then the response is the caller's.
func readWhole(resp *http.Response, mem *memBody) error {
	var b []byte
	var err error
	if n := resp.ContentLength; n <= trustedLength {
		b = make([]byte, n)
		_, err = io.ReadFull(resp.Body, b)
	} else if b, err = io.ReadAll(resp.Body); err == nil && int64(len(b)) < n {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return err
	}
	mem.Reset(b)
	mem.Closer, resp.Body = resp.Body, mem
	return nil
}

// isNack reports whether a Finagle server refused the request before processing
// it. A plain server that says 503 and Retry-After: 0 means the same.
func isNack(resp *http.Response) bool {
	if resp.StatusCode != http.StatusServiceUnavailable {
		return false
	}
	_, nack := resp.Header[headerNack]
	return nack || resp.Header.Get("Retry-After") == "0"
}

// retryAfter reads Retry-After in seconds.
func retryAfter(resp *http.Response) time.Duration {
	if resp.StatusCode < 500 && resp.StatusCode != http.StatusTooManyRequests {
		return 0
	}
	n, err := strconv.ParseUint(resp.Header.Get("Retry-After"), 10, 31)
	if err != nil {
		return 0
	}
	return time.Duration(n) * time.Second
}

// rewriteLocation replaces the authority that the endpoint was addressed with by
// the one the caller knows, in the headers that redirect.
func rewriteLocation(resp *http.Response, authority, host string) {
	if authority == "" || host == "" {
		return
	}
	for _, name := range [...]string{"Location", "Refresh"} {
		for i, v := range resp.Header[name] {
			resp.Header[name][i] = strings.ReplaceAll(v, authority, host)
		}
	}
}

// discard gives up a response that is not going to be returned, so that its
// connection can be used again.
func discard(resp *http.Response) {
	if resp != nil {
		drain(resp)
	}
}

// drain reads what little is left of a body and closes it. One that does not end
// soon is cut off, which costs its connection.
func drain(resp *http.Response) {
	b := resp.Body                                               // the response is not ours any more once it is closed
	timer := time.AfterFunc(drainTime, func() { _ = b.Close() }) // ends the reading
	_, _ = io.CopyN(io.Discard, b, drainBytes)                   // how it ends does not matter
	timer.Stop()
	_ = b.Close() // nobody is interested in it any more
}

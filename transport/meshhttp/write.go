package meshhttp

import (
	"errors"
	"io"
	"net/http"
	"strings"
)

// errAborted says that a response's body ended early.
var errAborted = errors.New("meshhttp: the response was cut off")

// write sends resp to the caller of a Handler.
func (h *Handler) write(w http.ResponseWriter, r *http.Request, resp *http.Response) error {
	if resp.StatusCode == http.StatusSwitchingProtocols || r.Method == http.MethodConnect && resp.StatusCode/100 == 2 {
		return relay(w, r, resp)
	}
	if resp.ContentLength > int64(h.opts.MaxErrBytes) && resp.Header[headerErr] != nil {
		resp.Body = io.NopCloser(io.LimitReader(resp.Body, int64(h.opts.MaxErrBytes)))
		delete(resp.Header, "Content-Length")
	}
	if enc := compressor(h.opts.Compression, r, resp); enc != nil {
		return enc.write(w, resp)
	}
	return writeResponse(w, resp)
}

// writeResponse copies resp to w, trailers included, and flushes a stream as it
// arrives.
func writeResponse(w http.ResponseWriter, resp *http.Response) error {
	writeHead(w, resp)
	if resp.Body == nil {
		return nil
	}
	err := copyBody(w, resp.Body, resp.ContentLength < 0)
	_ = resp.Body.Close() // its error is the reader's, which copying has seen
	if err != nil {
		return errors.Join(errAborted, err)
	}
	writeTrailers(w, resp)
	return nil
}

func writeHead(w http.ResponseWriter, resp *http.Response) {
	head := w.Header()
	for name, values := range resp.Header {
		head[name] = values
	}
	if len(resp.Trailer) > 0 {
		names := make([]string, 0, len(resp.Trailer))
		for name := range resp.Trailer {
			names = append(names, name)
		}
		head["Trailer"] = []string{strings.Join(names, ", ")}
	}
	w.WriteHeader(resp.StatusCode)
}

// writeTrailers sends those trailers that were announced and those that were not.
func writeTrailers(w http.ResponseWriter, resp *http.Response) {
	announced := w.Header().Get("Trailer")
	for name, values := range resp.Trailer {
		if !strings.Contains(announced, name) {
			name = http.TrailerPrefix + name
		}
		w.Header()[name] = values
	}
}

// copyBody copies src to w. A stream of unknown length is flushed with every
// piece, because its sender may be waiting for a reaction to it.
func copyBody(w http.ResponseWriter, src io.Reader, stream bool) error {
	if !stream {
		_, err := io.Copy(w, src)
		return err
	}
	rc := http.NewResponseController(w)
	if err := rc.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	buf := make([]byte, 32<<10)
	for {
		n, err := src.Read(buf)
		if n > 0 {
			if _, werr := w.Write(buf[:n]); werr != nil {
				return werr
			}
			if ferr := rc.Flush(); ferr != nil && !errors.Is(ferr, http.ErrNotSupported) {
				return ferr
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

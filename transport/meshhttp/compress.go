package meshhttp

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
)

// compression is a gzip writer for one response.
type compression struct{ level int }

// compressor returns how to compress resp for the caller, nil to leave it alone.
func compressor(level int, r *http.Request, resp *http.Response) *compression {
	if level == NoCompression || r.Method == http.MethodHead || !r.ProtoAtLeast(1, 1) ||
		resp.Body == nil || resp.Body == http.NoBody || resp.ContentLength == 0 ||
		resp.StatusCode < 200 || resp.StatusCode == http.StatusNoContent || resp.StatusCode == http.StatusNotModified ||
		resp.StatusCode == http.StatusPartialContent ||
		!acceptsGzip(r.Header) || resp.Header.Get("Content-Encoding") != "" {
		return nil
	}
	if level == 0 {
		if !textual(resp.Header.Get("Content-Type")) {
			return nil
		}
		level = 6
	}
	return &compression{level: level}
}

// textual reports whether Linkerd compresses a media type by default.
func textual(mediaType string) bool {
	mediaType, _, _ = strings.Cut(mediaType, ";")
	mediaType = strings.ToLower(strings.TrimSpace(mediaType))
	switch mediaType {
	case "image/svg+xml", "application/atom+xml", "application/javascript", "application/json", "application/rss+xml",
		"application/x-javascript", "application/xhtml+xml", "application/xml":
		return true
	}
	return strings.HasPrefix(mediaType, "text/")
}

// acceptsGzip reports whether Accept-Encoding allows gzip: by its name, or by "*"
// if it is not named. "q=0" forbids it.
func acceptsGzip(h http.Header) bool {
	others := false
	for _, v := range h["Accept-Encoding"] {
		for item := range strings.SplitSeq(v, ",") {
			name, params, _ := strings.Cut(item, ";")
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "gzip", "x-gzip":
				return !refused(params)
			case "*":
				others = !refused(params)
			}
		}
	}
	return others
}

// refused reports whether the parameters of an encoding give it the quality 0.
func refused(params string) bool {
	q, ok := strings.CutPrefix(strings.ToLower(strings.ReplaceAll(params, " ", "")), "q=")
	return ok && strings.Trim(q, "0.") == "" && strings.HasPrefix(q, "0")
}

// write sends resp compressed and returns the length of what was compressed.
func (c *compression) write(w http.ResponseWriter, r *http.Request, resp *http.Response, copying *sync.Pool, writers *gzipWriters) (int64, error) {
	stream := streams(resp)
	delete(resp.Header, "Content-Length")
	resp.Header["Content-Encoding"] = []string{"gzip"}
	resp.Header.Add("Vary", "Accept-Encoding")
	resp.ContentLength = -1
	announced := writeHead(w, r, resp)
	gz, err := writers.get(c.level, w)
	if err != nil {
		return 0, err
	}
	defer writers.put(c.level, gz)
	n, err := copyBody(&flusher{ResponseWriter: w, gz: gz}, resp.Body, stream, copying)
	if err != nil {
		return n, errors.Join(errAborted, err) // without the end mark of gzip: it is not whole
	}
	if err := gz.Close(); err != nil {
		return n, errors.Join(errAborted, err)
	}
	writeTrailers(w, resp, announced)
	return n, nil
}

// gzipWriters keeps compressors by level for the next response: making one takes
// most of a megabyte, far more than the usual response.
type gzipWriters [gzip.BestCompression + 1]sync.Pool

func (p *gzipWriters) get(level int, w io.Writer) (*gzip.Writer, error) {
	if level < gzip.BestSpeed || level > gzip.BestCompression {
		return gzip.NewWriterLevel(w, level)
	}
	if gz, ok := p[level].Get().(*gzip.Writer); ok {
		gz.Reset(w)
		return gz, nil
	}
	return gzip.NewWriterLevel(w, level)
}

func (p *gzipWriters) put(level int, gz *gzip.Writer) {
	if level < gzip.BestSpeed || level > gzip.BestCompression {
		return
	}
	gz.Reset(nil) // the response must not be kept alive
	p[level].Put(gz)
}

// flusher writes through the compressor and flushes both.
type flusher struct {
	http.ResponseWriter
	gz *gzip.Writer
}

// Write implements io.Writer.
func (f *flusher) Write(p []byte) (int, error) { return f.gz.Write(p) }

// FlushError is what http.ResponseController calls.
func (f *flusher) FlushError() error {
	if err := f.gz.Flush(); err != nil {
		return err
	}
	return http.NewResponseController(f.ResponseWriter).Flush()
}

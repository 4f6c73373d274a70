package admin

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// The content types of answers.
const (
	typeText     = "text/plain; charset=utf-8"
	typeHTML     = "text/html; charset=utf-8"
	typeJSON     = "application/json"
	typeJSONUTF8 = "application/json;charset=UTF-8"
	typeBinary   = "application/octet-stream"
)

// maxBody bounds the bodies of requests: a dtab is some kilobytes.
const maxBody = 1 << 20

func write(w http.ResponseWriter, status int, contentType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // nobody is left to be told
}

func writeText(w http.ResponseWriter, status int, text string) {
	write(w, status, typeText, []byte(text))
}

// writeJSON writes v without a newline at its end and without the escapes that
// are for scripts in pages.
func writeJSON(w http.ResponseWriter, contentType string, v any) {
	body, err := marshal(v)
	if err != nil {
		writeText(w, http.StatusInternalServerError, "admin: "+err.Error())
		return
	}
	write(w, http.StatusOK, contentType, body)
}

func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// notFound answers with a page if the client takes one.
func notFound(w http.ResponseWriter, r *http.Request) {
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		writeText(w, http.StatusNotFound, "Not Found")
		return
	}
	// It stands alone: the path may be at any depth, and the files be closed.
	write(w, http.StatusNotFound, typeHTML, []byte("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>404</title></head>"+
		"<body><h1>404</h1><p>There is no such page on this admin server.</p></body></html>\n"))
}

// headWriter answers HEAD with the header that the answer to GET has.
type headWriter struct {
	http.ResponseWriter
	status int
	size   int
}

func (h *headWriter) WriteHeader(status int) {
	if h.status == 0 {
		h.status = status
	}
}

func (h *headWriter) Write(p []byte) (int, error) {
	h.WriteHeader(http.StatusOK)
	h.size += len(p)
	return len(p), nil
}

// finish sends the header.
func (h *headWriter) finish() {
	h.WriteHeader(http.StatusOK)
	if h.Header().Get("Content-Length") == "" {
		h.Header().Set("Content-Length", strconv.Itoa(h.size))
	}
	h.ResponseWriter.WriteHeader(h.status)
}

package admin

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

// file serves what is embedded under files.
func (x *site) file(w http.ResponseWriter, r *http.Request) {
	_, name, _ := strings.Cut(r.URL.Path, "/files/")
	serveFile(w, r, name)
}

// favicon is an SVG whatever its name says; browsers go by the type.
func (x *site) favicon(w http.ResponseWriter, r *http.Request) { serveFile(w, r, "favicon.svg") }

func serveFile(w http.ResponseWriter, r *http.Request, name string) {
	contentType := ""
	switch path.Ext(name) { // the system's table of types may say anything
	case ".js":
		contentType = "text/javascript; charset=utf-8"
	case ".css":
		contentType = "text/css; charset=utf-8"
	case ".svg":
		contentType = "image/svg+xml"
	}
	body, err := fs.ReadFile(assets, "files/"+name)
	if err != nil || contentType == "" {
		notFound(w, r)
		return
	}
	sum := sha256.Sum256(body)
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-cache") // to be kept, and asked about: the next version has the same names
	h.Set("Etag", `"`+hex.EncodeToString(sum[:8])+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

package meshh2

import (
	"fmt"
	"strings"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// HeaderPath names a request by the value of one header field, read as a path
// without its query and without one slash at its end. It is the kind
// io.l5d.header.path.
type HeaderPath struct {
	Prefix dtab.Path
	Header string // empty means :path
	// Segments is how many segments are used; what comes after them is not even
	// read. Zero means all.
	Segments int
}

// Identify implements Identifier. A value that is no path is not recognised, with
// the parser's message as the reason.
func (i HeaderPath) Identify(req *Head) (dtab.Path, error) {
	header := i.Header
	if header == "" {
		header = namePath
	}
	text, _, _ := strings.Cut(req.Get(header), "?")
	text = strings.TrimSuffix(text, "/")
	if i.Segments > 0 {
		var ok bool
		if text, ok = segments(text, i.Segments); !ok {
			return dtab.Path{}, &meshhttp.Unidentified{Reason: fmt.Sprintf("Path must have at least %d segment(s)", i.Segments)}
		}
	}
	if text == "" {
		return dtab.Path{}, &meshhttp.Unidentified{Reason: "Missing destination path"}
	}
	p, err := dtab.ParsePath(text)
	if err != nil {
		return dtab.Path{}, &meshhttp.Unidentified{Reason: err.Error(), Err: err}
	}
	return i.Prefix.Concat(p), nil
}

// segments returns the first n segments of text.
func segments(text string, n int) (string, bool) {
	for i := range len(text) {
		if text[i] != '/' {
			continue
		}
		if n--; n < 0 {
			return text[:i], true
		}
	}
	return text, n == 0
}

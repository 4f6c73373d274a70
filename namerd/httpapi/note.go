package httpapi

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/weft-mesh/weft/namerd"
)

// maxNote is how long an author or a reason may be, in bytes: a store keeps them.
const maxNote = 1 << 10

// parseNote returns what the headers say about a change.
func parseNote(h http.Header) (n namerd.Note, err error) {
	if n.Author, err = noteText(h, headerAuthor); err != nil {
		return n, err
	}
	n.Reason, err = noteText(h, headerReason)
	return n, err
}

func noteText(h http.Header, name string) (string, error) {
	text := strings.ToValidUTF8(h.Get(name), "\uFFFD")
	if len(text) > maxNote {
		return "", fmt.Errorf("The header %s is longer than %d bytes", name, maxNote) //nolint:staticcheck // shown as a sentence
	}
	return text, nil
}

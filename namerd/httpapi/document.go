package httpapi

import (
	"fmt"

	"github.com/weft-mesh/weft/dtab"
)

// document is what is sent of something, now or whenever it changes.
type document struct {
	body string

	// absent says that there is nothing to be sent: the namespace does not exist.
	absent bool
}

// String describes the document for the status of a watch.
func (d document) String() string {
	if d.absent {
		return "nothing"
	}
	return fmt.Sprintf("%d bytes", len(d.body))
}

// subject is a kind of document.
type subject string

const (
	aboutList  subject = "dtabs"
	aboutDtab  subject = "dtab"
	aboutBind  subject = "bind"
	aboutAddr  subject = "addr"
	aboutNames subject = "bound-names"
)

// question is what a document is the answer to. Clients that ask the same share it.
type question struct {
	about     subject
	namespace string
	local     string // a dtab in its canonical form
	path      dtab.Path
	media     media
}

// String names the question for the status of its watch.
func (q question) String() string {
	switch q.about {
	case aboutList, aboutNames:
		return string(q.about)
	case aboutDtab:
		return "dtab " + q.namespace + " as " + string(q.media)
	case aboutAddr:
		return "addr " + q.path.String()
	case aboutBind:
	}
	text := "bind " + q.path.String() + " in " + q.namespace
	if q.local != "" {
		text += " with " + q.local
	}
	return text
}

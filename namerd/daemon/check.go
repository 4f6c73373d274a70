package daemon

import (
	"errors"
	"io/fs"
	"strconv"

	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/tlsfiles"
)

// Secured is implemented by the configuration of interfaces that speak TLS.
type Secured interface {
	// ServerTLS returns the settings, nil for plain text.
	ServerTLS() *config.ServerTLS
}

// Check finds what is wrong with a loaded configuration beyond what loading it
// checks: the contents of files, and whether everything in it can be made. It
// makes the control plane without listening and closes it again. A store that is kept
// in a file is opened for that, and made if there is none.
func Check(cfg *config.Namerd) config.Problems {
	var problems config.Problems
	report := func(path string, err error) {
		p := config.Problem{File: cfg.File(), Path: path, Message: err.Error()}
		p.Line, p.Column = cfg.At(path)
		problems = append(problems, p)
	}
	secured := func(path string, t *config.ServerTLS) {
		if t == nil {
			return
		}
		// Missing files were warned of when loading: they may be there when they are needed.
		if err := tlsfiles.CheckServer(*t); err != nil && !errors.Is(err, fs.ErrNotExist) {
			report(path, err)
		}
	}
	secured("admin.tls", cfg.Admin.TLS)
	for i, part := range cfg.Interfaces {
		if s, ok := part.Config.(Secured); ok {
			secured("interfaces["+strconv.Itoa(i)+"].tls", s.ServerTLS())
		}
	}
	if len(problems) > 0 {
		return problems
	}
	d, err := New(cfg, Options{})
	if err == nil {
		err = d.Close()
	}
	if err != nil {
		report("", err)
	}
	return problems
}

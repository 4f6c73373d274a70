package proxy

import (
	"errors"
	"io/fs"
	"strconv"
	"strings"

	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/tlsfiles"
)

// Check finds what is wrong with a loaded configuration beyond what loading it
// checks: the contents of files, and whether everything in it can be made. It
// makes the proxy without listening and closes it again.
func Check(cfg *config.Linker) config.Problems {
	c := checker{cfg: cfg}
	if cfg.Admin.TLS != nil {
		c.serverTLS("admin.tls", *cfg.Admin.TLS)
	}
	for i := range cfg.Routers {
		at := "routers[" + strconv.Itoa(i) + "]"
		r := &cfg.Routers[i]
		for j, s := range r.Servers {
			if s.TLS != nil {
				c.serverTLS(at+".servers["+strconv.Itoa(j)+"].tls", *s.TLS)
			}
		}
		for j, p := range r.Client.Configs {
			place := at + ".client"
			if r.Client.Kind == "io.l5d.static" {
				place += ".configs[" + strconv.Itoa(j) + "]"
			}
			c.clientTLS(place+".tls", p.Policy.TLS)
		}
	}
	if len(c.problems) > 0 {
		return c.problems
	}
	p, err := New(cfg, Options{})
	if err != nil {
		c.report("", err)
		return c.problems
	}
	if err := p.Close(); err != nil {
		c.report("", err)
	}
	return c.problems
}

type checker struct {
	cfg      *config.Linker
	problems config.Problems
}

func (c *checker) report(path string, err error) {
	p := config.Problem{File: c.cfg.File(), Path: path, Message: err.Error()}
	p.Line, p.Column = c.cfg.At(path)
	c.problems = append(c.problems, p)
}

func (c *checker) serverTLS(path string, t config.ServerTLS) {
	c.files(path, tlsfiles.CheckServer(t))
}

// clientTLS tries settings that do not depend on what a pattern captures.
func (c *checker) clientTLS(path string, t *config.ClientTLS) {
	if !t.On() || t.CommonName == nil || strings.Contains(*t.CommonName, "{") {
		return
	}
	_, err := tlsfiles.Client(t)()
	c.files(path, err)
}

// files reports what is wrong with files, but not that they are missing, of which
// loading has warned: they may be there when they are needed.
func (c *checker) files(path string, err error) {
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.report(path, err)
	}
}

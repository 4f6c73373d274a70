package suite

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/weft-mesh/weft/bench/contender"
	"github.com/weft-mesh/weft/bench/proc"
)

// arena is an upstream with contenders in front of it. All of them are frozen, except
// while they have their turn.
type arena struct {
	upstream *proc.Process
	entrants []*entrant
}

// entrant is a contender that has been started.
type entrant struct {
	contender.Contender
	site    contender.Site
	process *proc.Process
}

// open starts the upstream of a family and the contenders that speak it. Those that
// do not work are passed to miss.
func (s *Suite) open(ctx context.Context, f contender.Family, who []contender.Contender, miss func(name, why string)) (*arena, error) {
	dir, err := os.MkdirTemp(s.Dir, string(f)+"-")
	if err != nil {
		return nil, err
	}
	_ = os.Chmod(dir, 0o755) // workers of nginx may run as another user
	ports, err := contender.FreePorts(1 + 3*len(who))
	if err != nil {
		return nil, err
	}
	a := &arena{}
	upstream := net.JoinHostPort("127.0.0.1", strconv.Itoa(ports[0]))
	if a.upstream, err = s.startUpstream(ctx, f, dir, upstream); err != nil {
		return nil, err
	}
	for i, c := range who {
		key := string(f) + " " + c.Name
		if why, ok := s.broken[key]; ok {
			miss(c.Name, why)
			continue
		}
		p := ports[1+3*i:]
		site := contender.Site{
			Family: f, Upstream: upstream, Plain: p[0], TLS: p[1], Admin: p[2], Dir: filepath.Join(dir, c.Name),
			Cert: s.cert.cert, Key: s.cert.key, PEM: s.cert.both,
		}
		e, err := s.admit(ctx, c, site)
		if ctx.Err() != nil {
			a.close()
			return nil, ctx.Err()
		}
		if err != nil {
			s.logf("%s: %s does not take part: %v", f, c.Name, err)
			s.broken[key] = firstLine(strings.ReplaceAll(err.Error(), site.Dir+"/", ""))
			miss(c.Name, s.broken[key])
			continue
		}
		e.process.Freeze()
		a.entrants = append(a.entrants, e)
	}
	return a, nil
}

func (a *arena) close() {
	for _, e := range a.entrants {
		e.process.Stop()
	}
	a.upstream.Stop()
}

// turn runs f while e is the only contender that is not frozen.
func (a *arena) turn(e *entrant, f func() error) error {
	e.process.Thaw()
	defer e.process.Freeze()
	return f()
}

// admit starts a contender and waits until it answers.
func (s *Suite) admit(ctx context.Context, c contender.Contender, site contender.Site) (*entrant, error) {
	if err := os.MkdirAll(site.Dir, 0o755); err != nil {
		return nil, err
	}
	p, err := c.Start(ctx, s.Cache, site)
	if err != nil {
		return nil, err
	}
	if err := await(ctx, p, func(ctx context.Context) error { return probe(ctx, site) }); err != nil {
		p.Stop()
		if out := p.Output(); out != "" {
			return nil, fmt.Errorf("%w; it printed: %s", err, lastLine(out))
		}
		return nil, err
	}
	return &entrant{c, site, p}, nil
}

// patience is how long a process may take until it answers.
const patience = 10 * time.Second

var errEnded = errors.New("it ended")

// await tries until try succeeds.
func await(ctx context.Context, p *proc.Process, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("it does not answer: %w", err)
		case <-p.Ended():
			return errEnded
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// startUpstream starts what the requests of a family are answered by.
func (s *Suite) startUpstream(ctx context.Context, f contender.Family, dir, addr string) (*proc.Process, error) {
	command := []string{s.Cache.Path("upstream"), addr}
	switch f {
	case contender.H2:
		www := filepath.Join(dir, "www")
		if err := os.MkdirAll(www, 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(www, "index.html"), []byte("Hello world\n"), 0o644); err != nil {
			return nil, err
		}
		_, port, _ := net.SplitHostPort(addr)
		command = []string{"nghttpd", "--no-tls", "-n1", "--address=127.0.0.1", "-d", www, port}
	case contender.GRPC:
		command = []string{s.Cache.Path("grpcupstream"), addr}
	case contender.H1:
	}
	p, err := proc.Start(ctx, dir, nil, command...)
	if err != nil {
		return nil, err
	}
	var d net.Dialer
	err = await(ctx, p, func(ctx context.Context) error {
		c, err := d.DialContext(ctx, "tcp", addr)
		if err == nil {
			err = c.Close()
		}
		return err
	})
	if err != nil {
		p.Stop()
		return nil, fmt.Errorf("the upstream %s: %w: %s", filepath.Base(command[0]), err, p.Output())
	}
	return p, nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

func lastLine(s string) string {
	s = strings.TrimSpace(s)
	return s[strings.LastIndexByte(s, '\n')+1:]
}

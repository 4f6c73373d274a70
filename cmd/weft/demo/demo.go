package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/weft-mesh/weft/namerd/daemon"
	"github.com/weft-mesh/weft/proxy"
	"github.com/weft-mesh/weft/proxy/admin"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/standard"
)

// Options are the ports and files of a demo. Zero ports are any free ones.
type Options struct {
	Outgoing, Incoming, Admin int
	// Namerd is the control plane's HTTP API, NamerdAdmin are its pages.
	Namerd, NamerdAdmin int
	// Dir gets the demo's files. Empty is a temporary directory that goes with the
	// demo.
	Dir            string
	Version, Build string
	// Ready, if set, is called once everything answers.
	Ready func(Mesh)
	// Quiet sends no background traffic.
	Quiet bool
}

// Mesh is where a running demo listens and keeps its files.
type Mesh struct {
	Outgoing, Incoming, Admin   string // host:port
	Namerd, NamerdAdmin         string // of the control plane: its HTTP API and its pages
	Config, NamerdConfig, Disco string // files and the directory of the names

	interpreter string // where the incoming router asks the control plane
}

// Run runs the demo until ctx ends, and prints to out what to try.
func Run(ctx context.Context, out io.Writer, o Options) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	dir := o.Dir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "weft-demo-"); err != nil {
			return err
		}
		defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	}
	d := &demo{opts: o, dir: dir, out: out}
	// The ports first: the configuration and the applications need to know them.
	if err := d.listen(); err != nil {
		return err
	}
	defer d.close()
	if err := d.startApps(); err != nil {
		return err
	}
	control, err := d.startNamerd()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, control.Close()) }()
	p, err := d.proxy()
	if err != nil {
		return err
	}
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() {
		if d.wait(ctx) {
			d.print()
			if o.Ready != nil {
				o.Ready(d.mesh)
			}
			if !o.Quiet {
				d.traffic(ctx)
			}
		}
	})
	err = p.Run(ctx)
	cancel()
	return err
}

// demo is a demo that is being run.
type demo struct {
	opts Options
	dir  string
	out  io.Writer
	mesh Mesh
	apps []*http.Server

	sockets map[string]net.Listener // by the address in the configuration
}

// listen opens the ports, and none if one of them is taken. Those of the applications are
// any free ones.
func (d *demo) listen() error {
	d.sockets = map[string]net.Listener{}
	open := func(port int) (string, error) {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)) //nolint:noctx // opens at once
		if err != nil {
			return "", fmt.Errorf("demo: %w (is another Linkerd or weft running? there are flags for other ports)", err)
		}
		d.sockets[l.Addr().String()] = l
		return l.Addr().String(), nil
	}
	for _, p := range []struct {
		addr *string
		port int
	}{
		{&d.mesh.Outgoing, d.opts.Outgoing},
		{&d.mesh.Incoming, d.opts.Incoming},
		{&d.mesh.Admin, d.opts.Admin},
		{&d.mesh.Namerd, d.opts.Namerd},
		{&d.mesh.NamerdAdmin, d.opts.NamerdAdmin},
		{&d.mesh.interpreter, 0},
	} {
		var err error
		if *p.addr, err = open(p.port); err != nil {
			d.close()
			return err
		}
	}
	return nil
}

func (d *demo) close() {
	for _, l := range d.sockets {
		_ = l.Close() // closed already if what serves it ran
	}
	for _, a := range d.apps {
		_ = a.Close() // the demo is over
	}
}

// startApps starts the applications and writes their addresses where the namer
// finds them.
func (d *demo) startApps() error {
	d.mesh.Disco = filepath.Join(d.dir, "disco")
	d.mesh.Config = filepath.Join(d.dir, "linkerd.yaml")
	d.mesh.NamerdConfig = filepath.Join(d.dir, "namerd.yaml")
	if err := os.MkdirAll(d.mesh.Disco, 0o755); err != nil {
		return err
	}
	apps := map[string]http.Handler{
		"hello":    hello(d.mesh.Outgoing),
		"world":    world("world"),
		"world-v2": world("world, version 2"),
	}
	for name, h := range apps {
		l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // opens at once
		if err != nil {
			return err
		}
		s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
		d.apps = append(d.apps, s)
		go s.Serve(l) //nolint:errcheck // ends when close closes the server
		addr := strings.Replace(l.Addr().String(), ":", " ", 1)
		if err := os.WriteFile(filepath.Join(d.mesh.Disco, name), []byte(addr+"\n"), 0o644); err != nil {
			return err
		}
	}
	if err := os.WriteFile(d.mesh.NamerdConfig, []byte(namerdConfiguration(d.mesh)), 0o644); err != nil {
		return err
	}
	return os.WriteFile(d.mesh.Config, []byte(configuration(d.mesh)), 0o644)
}

// proxy makes the proxy of the configuration file, as weft run would.
func (d *demo) proxy() (*proxy.Proxy, error) {
	data, err := os.ReadFile(d.mesh.Config)
	if err != nil {
		return nil, err
	}
	reg, err := standard.Registry()
	if err != nil {
		return nil, err
	}
	cfg, err := config.Load(d.mesh.Config, data, config.Options{Registry: reg})
	if err != nil {
		return nil, err
	}
	levels := &admin.Levels{}
	return proxy.New(cfg, proxy.Options{
		Levels: levels, Version: d.opts.Version, Build: d.opts.Build,
		Logger:      slog.New(slog.DiscardHandler),
		StatsWindow: 5 * time.Second, // percentiles that move while somebody watches
		Listen:      d.listener,
	})
}

// startNamerd starts the control plane of its configuration file, as weft namerd would.
func (d *demo) startNamerd() (*daemon.Daemon, error) {
	data, err := os.ReadFile(d.mesh.NamerdConfig)
	if err != nil {
		return nil, err
	}
	reg, err := standard.Registry()
	if err != nil {
		return nil, err
	}
	cfg, err := config.LoadNamerd(d.mesh.NamerdConfig, data, config.Options{Registry: reg})
	if err != nil {
		return nil, err
	}
	control, err := daemon.New(cfg, daemon.Options{
		Levels: &admin.Levels{}, Version: d.opts.Version, Build: d.opts.Build, Listen: d.listener,
	})
	if err != nil {
		return nil, err
	}
	if _, err := control.Start(); err != nil {
		return nil, errors.Join(err, control.Close())
	}
	return control, nil
}

// listener returns what listens on an address of the configurations.
func (d *demo) listener(_, address string) (net.Listener, error) {
	l, ok := d.sockets[address]
	if !ok {
		return nil, fmt.Errorf("demo: no listener for %s", address)
	}
	return l, nil
}

// wait waits until a request gets through.
func (d *demo) wait(ctx context.Context) bool {
	for ctx.Err() == nil {
		if err := d.call(ctx); err == nil {
			return true
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
	return false
}

// call asks for hello through the mesh.
func (d *demo) call(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+d.mesh.Outgoing+"/", nil)
	if err != nil {
		return err
	}
	req.Host = "hello"
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // read
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("demo: %s: %s", resp.Status, body)
	}
	return err
}

// traffic keeps the dashboard from being empty.
func (d *demo) traffic(ctx context.Context) {
	t := time.NewTicker(200 * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			_ = d.call(ctx) // what fails shows on the dashboard
		}
	}
}

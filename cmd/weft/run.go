package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/weft-mesh/weft/proxy"
	"github.com/weft-mesh/weft/proxy/config"
)

func runCommand() *cobra.Command {
	var logs logFlags
	cmd := &cobra.Command{
		Use:   "run FILE|-",
		Short: "Run a proxy from a Linkerd 1.x configuration",
		Long: "Run reads a Linkerd 1.x configuration (YAML or JSON; - is standard input) and serves it until SIGINT or\n" +
			"SIGTERM, or POST /admin/shutdown. Then it drains: listeners close and requests under way get\n" +
			"admin.shutdownGraceMs to end. SIGHUP opens access logs anew.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := load(cmd, args[0], config.Options{})
			if err != nil {
				return err
			}
			levels, logger, err := logs.logger(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			v, build := versionOf()
			p, err := proxy.New(cfg, proxy.Options{
				Logger: logger, Levels: levels, Version: v, Build: build,
			})
			if err != nil {
				return err
			}
			paceGC()
			addrs, err := p.Start()
			if err != nil {
				return err
			}
			printAddrs(cmd.ErrOrStderr(), cfg, addrs)
			return wait(cmd.Context(), p, logger)
		},
	}
	logs.register(cmd)
	return cmd
}

// server is a proxy or a control plane that has been started.
type server interface {
	Wait(ctx context.Context) error
	Reopen() error
}

// wait lets p serve until its end, and SIGHUP reopen its logs.
func wait(ctx context.Context, p server, logger *slog.Logger) error {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	done := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-hup:
				if err := p.Reopen(); err != nil {
					logger.Error("reopening logs", "error", err)
				}
			case <-done:
				return
			}
		}
	}()
	err := p.Wait(ctx)
	signal.Stop(hup)
	close(done)
	<-stopped
	return err
}

func printAddrs(w io.Writer, cfg *config.Linker, a proxy.Addrs) {
	for i := range cfg.Routers {
		r := &cfg.Routers[i]
		for _, addr := range a.Servers[r.Name()] {
			fmt.Fprintf(w, "serving %s (%s) on %s\n", r.Name(), r.Protocol, addr)
		}
	}
	fmt.Fprintf(w, "serving admin on http://%s\n", a.Admin)
}

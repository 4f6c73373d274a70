package tapcmd

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

type endpointsFlags struct {
	server
	router, client string
	json, watch    bool
}

func endpointsCommand() *cobra.Command {
	var f endpointsFlags
	cmd := &cobra.Command{
		Use:   "endpoints",
		Short: "Show the endpoints of a running proxy, and why each is or is not being picked",
		Long: "Endpoints shows the services, clients and endpoints of a running proxy: the load that the balancer compares, latency,\n" +
			"requests under way, connections, the state of the breaker, and why the endpoint is or is not being picked.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.flag(cmd)
	cmd.Flags().StringVar(&f.router, "router", "", "of the router with this label only")
	cmd.Flags().StringVar(&f.client, "client", "", "of this bound name only: /#/io.l5d.fs/web")
	cmd.Flags().BoolVar(&f.json, "json", false, "print the JSON of the admin server")
	cmd.Flags().BoolVar(&f.watch, "watch", false, "print the table every second until Ctrl-C")
	return cmd
}

func (f *endpointsFlags) run(cmd *cobra.Command) error {
	ctx := cmd.Context()
	if !f.watch {
		return f.show(ctx, cmd.OutOrStdout())
	}
	every := time.NewTicker(time.Second)
	defer every.Stop()
	for {
		if err := f.show(ctx, cmd.OutOrStdout()); err != nil {
			return unlessEnded(ctx, err)
		}
		select {
		case <-every.C:
			fmt.Fprintln(cmd.OutOrStdout())
		case <-ctx.Done():
			return nil
		}
	}
}

func (f *endpointsFlags) query() url.Values { return values("router", f.router, "client", f.client) }

func (f *endpointsFlags) show(ctx context.Context, w io.Writer) error {
	if f.json {
		body, err := f.do(ctx, http.MethodGet, "/endpoints.json", f.query())
		if err != nil {
			return err
		}
		defer body.Close() //nolint:errcheck // everything was read
		if _, err := io.Copy(w, body); err != nil {
			return err
		}
		_, err = fmt.Fprintln(w)
		return err
	}
	var p page
	if err := f.get(ctx, "/endpoints.json", f.query(), &p); err != nil {
		return err
	}
	return p.print(w)
}

// page is what the table shows of /endpoints.json.
type page struct {
	Routers []struct {
		Router, Protocol string
		Services         []struct {
			Service           string
			Pending, Retrying int64
			RetryBudget       struct{ Balance int }
			Clients           []string
			Error             string
		}
		Clients []struct {
			Client, State, Status, Balancer string
			Size, Available                 int
			RequeueBudget                   struct{ Balance int }
			Endpoints                       []struct {
				Address, Status, Why string
				Weight, Load, EWMAMs float64
				Pending              int64
				Breaker              struct{ State string }
				Connections          *struct{ Open, Idle int }
			}
		}
	}
}

func (p *page) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, r := range p.Routers {
		fmt.Fprintf(w, "router %s (%s)\n", r.Router, r.Protocol)
		for _, s := range r.Services {
			leads := strings.Join(s.Clients, ", ")
			if leads == "" {
				leads, _, _ = strings.Cut("nowhere: "+s.Error, "\n")
			}
			fmt.Fprintf(w, "  service %s -> %s  pending %d, retrying %d, retry budget %d\n", plain(s.Service), plain(leads), s.Pending, s.Retrying, s.RetryBudget.Balance)
		}
		for _, c := range r.Clients {
			fmt.Fprintf(w, "  client %s  %s, %s, %s, %d of %d available, requeue budget %d\n",
				c.Client, c.State, c.Status, c.Balancer, c.Available, c.Size, c.RequeueBudget.Balance)
			if len(c.Endpoints) == 0 {
				continue
			}
			fmt.Fprintln(w, "    ADDRESS\tWEIGHT\tSTATUS\tLOAD\tLATENCY\tPENDING\tCONNECTIONS\tBREAKER\tWHY")
			for _, e := range c.Endpoints {
				latency, conns := "-", "-"
				if e.EWMAMs > 0 {
					latency = fmt.Sprintf("%.1f ms", e.EWMAMs)
				}
				if e.Connections != nil {
					conns = fmt.Sprintf("%d (%d idle)", e.Connections.Open, e.Connections.Idle)
				}
				fmt.Fprintf(w, "    %s\t%g\t%s\t%.3g\t%s\t%d\t%s\t%s\t%s\n",
					e.Address, e.Weight, e.Status, e.Load, latency, e.Pending, conns, e.Breaker.State, e.Why)
			}
		}
	}
	return w.Flush()
}

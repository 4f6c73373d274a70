package proxy

import (
	"context"
	"encoding/json"
	"time"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/proxy/admin"
	"github.com/weft-mesh/weft/proxy/plugin"
)

// adminOptions is what the admin server shows of the proxy.
func (p *Proxy) adminOptions() admin.Options {
	o := admin.Options{
		Version: p.opts.Version, Build: p.opts.Build, Start: p.start,
		Tree:       p.tree,
		ConfigJSON: p.cfg.JSON,
		Delegator:  naming.NewInterpreter(naming.Options{Global: p.names.Global()}),
		BoundNames: p.BoundNames,
		Announced:  p.Announced,
		Levels:     p.opts.Levels,
		Tap:        &p.tap,
		Shutdown:   func(grace time.Duration) { p.Shutdown(grace) },
		Grace:      p.grace(),
		Security:   admin.SecurityOf(p.cfg.Admin.Security),
		Tracing:    p.tracers.Switch(),
		Log:        plugin.Named(p.opts.Logger, "admin"),
	}
	p.own(o.Delegator)
	for _, t := range p.parts {
		if t.Recent != nil {
			o.Recent = t.Recent
		}
		o.Influx = o.Influx || t.Influx
		if t.Prometheus != nil {
			o.PrometheusPath, o.PrometheusPrefix = t.Prometheus.Path, t.Prometheus.Prefix
			o.PrometheusCompatible = t.Prometheus.Compatible
		}
	}
	if u := p.cfg.Usage; u.Enabled == nil || *u.Enabled {
		o.UsageJSON = p.usage
	}
	o.NamerStates = p.names.States()
	for _, d := range p.Discovery() {
		o.Discovery = append(o.Discovery, admin.Discovery{Name: d.Name, Kind: d.Kind, Watches: d.Watches})
	}
	for _, r := range p.routers {
		o.Routers = append(o.Routers, adminRouter(r))
	}
	return o
}

func adminRouter(r router) admin.Router {
	a := admin.Router{Label: r.Label, Protocol: r.Protocol, Base: r.Base, Delegator: r.delegator}
	if h, ok := r.Interpreter.(plugin.DtabHolder); ok {
		a.Stored = h.Stored
	}
	for in := any(r.Interpreter); in != nil; in = unwrap(in) {
		if page, ok := in.(plugin.StatePage); ok {
			a.InterpreterStates = map[string]func() any{
				page.StateKey(): func() any { return admin.InterpreterState(page.Stored(), page.Watches()) },
			}
			break
		}
	}
	for _, s := range r.Servers {
		a.Servers = append(a.Servers, s.Addr().String())
	}
	if identify := r.Identify; identify != nil {
		a.Identify = func(ctx context.Context, method, target string, headers []string) (dtab.Path, dtab.Dtab, error) {
			req, err := NewRequest(ctx, method, target, headers)
			if err != nil {
				return dtab.Path{}, nil, err
			}
			return identify(req)
		}
	}
	a.View = r.Core.View
	a.Clients = func() []admin.ClientInfo {
		var all []admin.ClientInfo
		for _, c := range r.Core.Clients() {
			all = append(all, admin.ClientInfo{ID: c.ID(), State: c.State(), Addresses: c.Addrs()})
		}
		return all
	}
	return a
}

// unwrap returns the interpreter that transformers are around, nil if there are none.
func unwrap(in any) any {
	if w, ok := in.(interface{ Unwrap() naming.Interpreter }); ok {
		return w.Unwrap()
	}
	return nil
}

// usage is what Linkerd reported to its makers. weft shows it and sends nothing.
func (p *Proxy) usage() ([]byte, error) {
	type routerUsage struct {
		Protocol    string   `json:"protocol"`
		Interpreter string   `json:"interpreter"`
		Identifiers []string `json:"identifiers"`
	}
	u := struct {
		OrgID     string        `json:"orgId,omitempty"`
		Version   string        `json:"linkerdVersion"`
		StartTime string        `json:"startTime"`
		Routers   []routerUsage `json:"routers"`
		Namers    []string      `json:"namers"`
	}{Version: p.opts.Version, StartTime: p.start.UTC().Format(time.RFC3339), Namers: []string{}}
	if p.cfg.Usage.OrgID != nil {
		u.OrgID = *p.cfg.Usage.OrgID
	}
	for _, r := range p.cfg.Routers {
		ru := routerUsage{Protocol: r.Protocol, Interpreter: "default", Identifiers: []string{}}
		if !r.Interpreter.IsZero() {
			ru.Interpreter = r.Interpreter.Kind
		}
		for _, i := range r.Identifiers {
			ru.Identifiers = append(ru.Identifiers, i.Kind)
		}
		u.Routers = append(u.Routers, ru)
	}
	for _, n := range p.cfg.Namers {
		u.Namers = append(u.Namers, n.Kind)
	}
	return json.Marshal(u)
}

package daemon

import (
	"context"
	"time"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/proxy/admin"
	"github.com/weft-mesh/weft/proxy/plugin"
)

// adminOptions is what the admin server shows of the control plane.
func (d *Daemon) adminOptions() admin.Options {
	o := admin.Options{
		Name: "namerd", Version: d.opts.Version, Build: d.opts.Build, Start: d.start,
		Tree:        d.tree,
		ConfigJSON:  d.cfg.JSON,
		NamerStates: d.names.States(),
		Levels:      d.opts.Levels,
		Shutdown:    func(grace time.Duration) { d.Shutdown(grace) },
		Grace:       d.grace(),
		Security:    admin.SecurityOf(d.cfg.Admin.Security),
		Log:         plugin.Named(d.opts.Logger, "admin"),
		Namespaces: &admin.Namespaces{
			List: d.store.List,
			Dtab: func(ctx context.Context, namespace string) (dtab.Dtab, bool, error) {
				s, err := d.store.Get(ctx, namespace)
				return s.Dtab, s.Exists, err
			},
			Delegator: d.names.Binder(),
		},
		Handlers: d.editor.Handlers(),
	}
	for _, t := range d.parts {
		o.Influx = o.Influx || t.Influx
		if t.Prometheus != nil {
			o.PrometheusPath, o.PrometheusPrefix = t.Prometheus.Path, t.Prometheus.Prefix
			o.PrometheusCompatible = t.Prometheus.Compatible
		}
	}
	for _, x := range d.names.Discovery() {
		o.Discovery = append(o.Discovery, admin.Discovery{Name: x.Name, Kind: x.Kind, Watches: x.Watches})
	}
	if p, ok := d.cfg.Storage.Config.(StoragePage); ok {
		o.Handlers[p.StoragePage()] = storagePage(d.store)
	}
	return o
}

package k8s

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// ConfigMapDtab is the dtab in a ConfigMap, for the Stored of an interpreter. It is
// safe for concurrent use. Close it.
//
//	the ConfigMap                            the dtab
//	is not there, or does not have the key   empty
//	has the key                              its value
//	has a value that is not a dtab           the last one, or the empty one; stale
//	cannot be asked for                      the last one, stale, or a failure
type ConfigMapDtab struct {
	key     string
	blamed  string // version that holds no dtab; of the goroutine
	client  *Client
	release func() error
	cancel  context.CancelFunc
	done    chan struct{}
	out     weft.Var[naming.State[dtab.Dtab]]
}

// configMap is a ConfigMap.
type configMap struct{ data map[string]string }

func newConfigMaps(c *Client) *kind[configMap] {
	return newKind(c, kind[configMap]{
		plural: "configmaps",
		apis:   []string{"/api/v1"},
		decode: func(raw []byte) (object[configMap], error) {
			var w struct {
				Metadata metadata          `json:"metadata"`
				Data     map[string]string `json:"data"`
			}
			err := json.Unmarshal(raw, &w)
			return objectOf(w.Metadata, configMap{w.Data}), err
		},
		group: func(o object[configMap]) string { return o.key.name },
	})
}

// NewConfigMapDtab watches the ConfigMap. It does not wait for it.
func NewConfigMapDtab(c ConfigMapConfig, o Options) (*ConfigMapDtab, error) {
	if c.Namespace == "" {
		c.Namespace = "default"
	}
	switch {
	case c.Name == "" || c.Filename == "":
		return nil, errors.New("k8s: name and filename: are required")
	case !isNamespace(c.Namespace):
		return nil, fmt.Errorf("k8s: namespace: %q is not the name of a namespace", c.Namespace)
	}
	client, release, err := clientOf(c.Access, o)
	if err != nil {
		return nil, err
	}
	d := &ConfigMapDtab{key: c.Filename, client: client, release: release, done: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	d.cancel = cancel
	go d.run(ctx, client.configMaps.feed(ctx, client.configMaps.in(c.Namespace, c.Name), c.Name))
	return d, nil
}

// Load implements weft.Source.
func (d *ConfigMapDtab) Load() (naming.State[dtab.Dtab], <-chan struct{}) { return d.out.Load() }

// Watches implements naming.Reporter.
func (d *ConfigMapDtab) Watches() []naming.WatchStatus { return d.client.configMaps.Watches() }

// Close ends the watch and waits for it. The dtab stands still.
func (d *ConfigMapDtab) Close() error {
	d.cancel()
	<-d.done
	return d.release()
}

func (d *ConfigMapDtab) run(ctx context.Context, f *feed[configMap]) {
	defer close(d.done)
	defer f.close()
	for {
		var signals []<-chan struct{}
		last, _ := d.out.Load()
		if next := d.next(last, f.read(&signals)); !same(next, last) {
			d.out.Store(next)
		}
		if naming.Any(ctx, signals) != nil {
			return
		}
	}
}

// next returns the state after last.
func (d *ConfigMapDtab) next(last naming.State[dtab.Dtab], maps naming.State[[]object[configMap]]) naming.State[dtab.Dtab] {
	if !maps.Known {
		last.Err = maps.Err
		return last
	}
	next := naming.State[dtab.Dtab]{Known: true, Err: maps.Err, Version: maps.Version}
	if len(maps.Value) == 0 {
		return next
	}
	o := maps.Value[0]
	var err error
	if next.Value, err = dtab.Parse(o.v.data[d.key]); err != nil {
		next.Value = last.Value
		next.Err = errors.Join(fmt.Errorf("k8s: ConfigMap %s, key %s: %w", o.key, d.key, err), maps.Err)
		if d.blamed != o.version {
			d.blamed = o.version
			d.client.logger.Warn("a ConfigMap does not hold a dtab, the last one stays in force", "configMap", o.key.String(),
				"key", d.key, "version", o.version, "err", err)
		}
	}
	return next
}

// same reports whether readers need not be told of b after a.
func same(a, b naming.State[dtab.Dtab]) bool {
	return a.Known == b.Known && a.Value.Equal(b.Value) && (a.Err == nil) == (b.Err == nil) &&
		(a.Err == nil || a.Err.Error() == b.Err.Error())
}

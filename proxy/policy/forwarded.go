package policy

import (
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/plugin"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// Forwarded returns what adds the header, in a router of the given label.
func Forwarded(c config.ForwardedHeader, router string) (*meshhttp.Forwarded, error) {
	f := &meshhttp.Forwarded{}
	env := plugin.LabelerEnv{Router: router}
	var err error
	if !c.By.IsZero() {
		if f.By, err = config.Build[meshhttp.Labeler](c.By, env); err != nil {
			return nil, err
		}
	}
	if !c.For.IsZero() {
		if f.For, err = config.Build[meshhttp.Labeler](c.For, env); err != nil {
			return nil, err
		}
	}
	return f, nil
}

package standard_test

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/proxy"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/standard"
)

// TestExporters: the original's port is said to be another one, a url is taken as it is,
// and what may be a secret is not shown.
func TestExporters(t *testing.T) {
	reg, err := standard.Registry()
	require.NoError(t, err)
	for name, v := range map[string]struct{ telemeter, logged, shown string }{
		"scribe":         {"{kind: io.l5d.zipkin, host: zipkin.local}", "url=http://zipkin.local:9411/api/v2/spans", `"host":"zipkin.local"`},
		"scribe's port":  {"{kind: io.l5d.zipkin, port: 9410}", "url=http://localhost:9411/api/v2/spans", `"port":9410`},
		"another port":   {"{kind: io.l5d.zipkin, port: 19411}", "", `"port":19411`},
		"url":            {"{kind: io.l5d.zipkin, url: 'http://zipkin.local:9410/api/v2/spans'}", "", "zipkin.local:9410"},
		"secret headers": {"{kind: io.weft.otlp, headers: {authorization: hush}}", "", `"authorization":"(secret)"`},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := config.Load("l5d.yaml", []byte("telemetry: ["+v.telemeter+"]\nrouters: [{protocol: http, servers: [{port: 0}]}]\n"), config.Options{Registry: reg})
			require.NoError(t, err)
			var logged bytes.Buffer
			p, err := proxy.New(cfg, proxy.Options{Logger: slog.New(slog.NewTextHandler(&logged, nil))})
			require.NoError(t, err)
			require.NoError(t, p.Close())
			if v.logged == "" {
				assert.NotContains(t, logged.String(), "Scribe")
			} else {
				assert.Contains(t, logged.String(), v.logged)
				assert.Contains(t, logged.String(), "port 9410 is that of the Scribe protocol")
			}
			text, err := cfg.JSON()
			require.NoError(t, err)
			assert.Contains(t, string(text), v.shown)
			assert.NotContains(t, string(text), "hush")
		})
	}
}
